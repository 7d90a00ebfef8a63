# SPDX-License-Identifier: MIT
# cmake -DCOMPILER=... -DDEBUGGER=gdb|lldb -DPROGRAM=path -DSOURCE_DIR=... -DWORK_DIR=... -P run.cmake
# Compiles program.cpp, stops in it and compares what the debugger shows.
cmake_minimum_required(VERSION 3.16)
file(MAKE_DIRECTORY "${WORK_DIR}")
execute_process(COMMAND "${COMPILER}" -std=c++17 -g -O0 "-I${SOURCE_DIR}/include" "${SOURCE_DIR}/tests/debug/program.cpp"
                        -o "${WORK_DIR}/program" RESULT_VARIABLE status ERROR_VARIABLE errors)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "${errors}")
endif()
set(names size slice group good bad profile)
if(DEBUGGER STREQUAL "gdb")
  set(commands -ex "source ${SOURCE_DIR}/debug/hunyuan_reso_gdb.py" -ex "break stop" -ex run -ex up)
  foreach(name ${names})
    list(APPEND commands -ex "print ${name}")
  endforeach()
  execute_process(COMMAND "${PROGRAM}" -nx -batch ${commands} "${WORK_DIR}/program"
                  OUTPUT_VARIABLE output ERROR_VARIABLE errors TIMEOUT 120)
else()
  set(commands -o "command script import ${SOURCE_DIR}/debug/hunyuan_reso_lldb.py" -o "breakpoint set -n stop" -o run -o up)
  foreach(name ${names})
    list(APPEND commands -o "frame variable ${name}")
  endforeach()
  # Debian 12's lldb looks for its own module in a folder that does not exist.
  execute_process(COMMAND "${PROGRAM}" -P OUTPUT_VARIABLE module_dir ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
  file(GLOB debian_dirs /usr/lib/llvm-*/lib/python3.*/dist-packages)
  if(NOT IS_DIRECTORY "${module_dir}" AND debian_dirs)
    list(GET debian_dirs 0 module_dir)
    set(ENV{PYTHONPATH} "${module_dir}")
  endif()
  execute_process(COMMAND "${PROGRAM}" --no-lldbinit --batch ${commands} "${WORK_DIR}/program"
                  OUTPUT_VARIABLE output ERROR_VARIABLE errors TIMEOUT 120)
endif()
if("${output}${errors}" MATCHES "[Cc]ould not trace|ptrace|personality set failed|Operation not permitted|Error disabling address")
  message("skipped: ${DEBUGGER} may not trace programs here")
  return()
endif()
foreach(expected "1024x768 (height x width)" "[3, 10)" "37 rows, base size 2048" "no value: expected_separator, position 2"
                 "profile panorama")
  string(FIND "${output}" "${expected}" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "${DEBUGGER} does not show '${expected}':\n${output}\n${errors}")
  endif()
endforeach()
