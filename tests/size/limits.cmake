# SPDX-License-Identifier: MIT
# cmake -DCOMPILER=c++ -DSIZE=size -DINCLUDE_DIR=... -DWORK_DIR=... -DSOURCE=x.cpp -DLIMIT=bytes -P limits.cmake
# What SOURCE, compiled with -Os and stripped, weighs more than empty.cpp (code, constants and data as `size` counts
# them) must be at most LIMIT. Some distributions harden every program by default (a check of the stack in each function,
# landing marks for jumps); that is not the library's size and is left out.
cmake_minimum_required(VERSION 3.16)
file(MAKE_DIRECTORY "${WORK_DIR}")
function(weigh source result)
  get_filename_component(name "${source}" NAME_WE)
  execute_process(COMMAND "${COMPILER}" -std=c++17 -Os -s -fno-stack-protector -fcf-protection=none
                          "-I${INCLUDE_DIR}" "${source}" -o "${WORK_DIR}/${name}"
                  RESULT_VARIABLE status ERROR_VARIABLE errors)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${source} does not compile:\n${errors}")
  endif()
  execute_process(COMMAND "${SIZE}" "${WORK_DIR}/${name}" OUTPUT_VARIABLE sizes)
  if(NOT sizes MATCHES "\n *[0-9]+[ \t]+[0-9]+[ \t]+[0-9]+[ \t]+([0-9]+)")
    message(FATAL_ERROR "${SIZE} said: ${sizes}")
  endif()
  set(${result} ${CMAKE_MATCH_1} PARENT_SCOPE)
endfunction()

weigh("${CMAKE_CURRENT_LIST_DIR}/empty.cpp" empty)
weigh("${SOURCE}" full)
math(EXPR added "${full} - ${empty}")
if(added GREATER LIMIT)
  message(FATAL_ERROR "${SOURCE} adds ${added} bytes to an empty program: more than ${LIMIT}")
endif()
message(STATUS "${SOURCE} adds ${added} bytes to an empty program (at most ${LIMIT})")
