# SPDX-License-Identifier: MIT
# cmake -DDOXYGEN=... -DSOURCE_DIR=... -DWORK_DIR=... -P run.cmake: the site is built without a warning.
cmake_minimum_required(VERSION 3.16)
file(MAKE_DIRECTORY "${WORK_DIR}")
file(READ "${SOURCE_DIR}/docs/Doxyfile" settings)
file(WRITE "${WORK_DIR}/Doxyfile" "${settings}\nOUTPUT_DIRECTORY = \"${WORK_DIR}\"\n")
execute_process(COMMAND "${DOXYGEN}" "${WORK_DIR}/Doxyfile" WORKING_DIRECTORY "${SOURCE_DIR}"
                RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(NOT status EQUAL 0 OR output MATCHES "warning:")
  message(FATAL_ERROR "doxygen ended with ${status}:\n${output}")
endif()
foreach(page index struct md_docs_exactness)
  file(GLOB found "${WORK_DIR}/html/${page}*.html")
  if(NOT found)
    message(FATAL_ERROR "the site has no ${page}*.html")
  endif()
endforeach()
