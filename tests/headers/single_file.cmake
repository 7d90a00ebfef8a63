# SPDX-License-Identifier: MIT
# cmake -DSPLIT= -DSINGLE= -DHEADER= -DSOURCE_DIR= -DWORK_DIR= -P single_file.cmake
cmake_minimum_required(VERSION 3.16)

# Sets `result` to what a program prints.
function(output_of program result)
  execute_process(COMMAND "${program}" RESULT_VARIABLE status OUTPUT_VARIABLE output)
  if(NOT status EQUAL 0 OR output STREQUAL "")
    message(FATAL_ERROR "${program} failed: ${status}")
  endif()
  set(${result} "${output}" PARENT_SCOPE)
endfunction()

output_of("${SPLIT}" split)
output_of("${SINGLE}" single)
if(NOT split STREQUAL single)
  message(FATAL_ERROR "The split headers answer\n${split}\nand the single file\n${single}")
endif()

# Written again, from another folder, it is the same file.
file(MAKE_DIRECTORY "${WORK_DIR}")
execute_process(COMMAND ${CMAKE_COMMAND} "-DINPUT=${SOURCE_DIR}/include/hunyuan_reso/hunyuan_reso.hpp"
                        -DOUTPUT=again.hpp -P "${SOURCE_DIR}/cmake/amalgamate.cmake"
                WORKING_DIRECTORY "${WORK_DIR}" RESULT_VARIABLE status)
file(SHA256 "${WORK_DIR}/again.hpp" again)
file(SHA256 "${HEADER}" first)
if(NOT status EQUAL 0 OR NOT again STREQUAL first)
  message(FATAL_ERROR "The single file depends on more than the headers.")
endif()

# It names no folder of this machine, and includes nothing of ours.
file(READ "${HEADER}" text)
string(FIND "${text}" "${SOURCE_DIR}" path)
if(NOT path EQUAL -1 OR text MATCHES "\n *# *include \"")
  message(FATAL_ERROR "The single file names ${SOURCE_DIR} or includes another file.")
endif()
