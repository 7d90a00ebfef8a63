# SPDX-License-Identifier: MIT
# cmake -DCOMPILER=c++ -DSIZE=size -DINCLUDE_DIR=... -DWORK_DIR=... -DSOURCE=x.cpp -P state.cmake
# The object of SOURCE, at -O0 and at -O2, has no section for variables that can change, for start-up code or for
# thread-local variables. Constants that hold pointers (.data.rel.ro) are written by the loader alone.
cmake_minimum_required(VERSION 3.16)
file(MAKE_DIRECTORY "${WORK_DIR}")
foreach(level -O0 -O2)
  get_filename_component(name "${SOURCE}" NAME_WE)
  set(object "${WORK_DIR}/${name}${level}.o")
  execute_process(COMMAND "${COMPILER}" -std=c++17 ${level} "-I${INCLUDE_DIR}" -c "${SOURCE}" -o "${object}"
                  RESULT_VARIABLE status ERROR_VARIABLE errors)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${SOURCE} does not compile:\n${errors}")
  endif()
  execute_process(COMMAND "${SIZE}" -A "${object}" OUTPUT_VARIABLE sections)
  if(NOT sections MATCHES "\\.text")
    message(FATAL_ERROR "${SIZE} -A said: ${sections}")
  endif()
  string(REPLACE "\n" ";" lines "${sections}")
  foreach(line ${lines})
    if(line MATCHES "^\\.data\\.rel\\.ro" OR line MATCHES "DW\\.ref")  # the latter: how exceptions unwind
      continue()
    endif()
    if(line MATCHES "^(\\.(data|bss|tdata|tbss|init_array|ctors|preinit_array|fini_array)[^ ]*) +([1-9][0-9]*)")
      message(FATAL_ERROR "${SOURCE} at ${level} has ${CMAKE_MATCH_3} bytes of ${CMAKE_MATCH_1}")
    endif()
  endforeach()
endforeach()
message(STATUS "${SOURCE} has no state and no start-up code")
