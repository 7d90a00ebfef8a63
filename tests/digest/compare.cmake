# SPDX-License-Identifier: MIT
# cmake -DPROGRAM=... -DEXPECTED=digest.txt [-DUNTIL=SECTION] -P compare.cmake
# The program must print EXPECTED, or what of it stands before the line of section UNTIL.
cmake_minimum_required(VERSION 3.16)
execute_process(COMMAND "${PROGRAM}" OUTPUT_VARIABLE got ERROR_VARIABLE errors RESULT_VARIABLE status)
if(status EQUAL 77)
  message("${errors}")
  return()
endif()
if(NOT status EQUAL 0)
  message(FATAL_ERROR "${PROGRAM} ended with ${status}\n${errors}")
endif()
file(READ "${EXPECTED}" expected)
if(DEFINED UNTIL)
  string(REGEX REPLACE "(^|\n)${UNTIL} .*" "\\1" expected "${expected}")
endif()
if(NOT got STREQUAL expected)
  message(FATAL_ERROR "expected\n${expected}\ngot\n${got}")
endif()
