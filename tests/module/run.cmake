# SPDX-License-Identifier: MIT
# cmake -DCOMPILER=clang++-19 -DSOURCE_DIR=... -DWORK_DIR=... -P run.cmake
# Compiles the module interface, then a program that imports it in one file and includes the headers in another.
cmake_minimum_required(VERSION 3.16)
file(MAKE_DIRECTORY "${WORK_DIR}")
set(flags -std=c++20 -Wall -Wextra -Werror "-I${SOURCE_DIR}/include")
function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${ARGN}\nended with ${status}:\n${output}")
  endif()
endfunction()
run("${COMPILER}" ${flags} --precompile "${SOURCE_DIR}/cmake/module/hunyuan_reso.cppm" -o "${WORK_DIR}/hunyuan_reso.pcm")
run("${COMPILER}" ${flags} "-fmodule-file=hunyuan_reso=${WORK_DIR}/hunyuan_reso.pcm"
    "${SOURCE_DIR}/tests/module/program.cpp" "${SOURCE_DIR}/tests/module/headers.cpp" "${WORK_DIR}/hunyuan_reso.pcm"
    -o "${WORK_DIR}/program")
run("${WORK_DIR}/program")
