# SPDX-License-Identifier: MIT
# cmake -DSOURCE_DIR= -DWORK_DIR= -DCOMPILER= -DGENERATOR= -DMAKE_PROGRAM= -P left_out.cmake
# Without Emscripten and Node the explorer is left out, and both configuring and building say so. OFF: not looked for.
cmake_minimum_required(VERSION 3.16)
file(REMOVE_RECURSE "${WORK_DIR}")

function(expect_words step)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  set(words "The explorer is left out: install emscripten nodejs (Debian, Ubuntu: apt-get install emscripten nodejs)")
  string(FIND "${output}" "${words}" at)
  if(NOT status EQUAL 0 OR at EQUAL -1)
    message(FATAL_ERROR "${step} ended with ${status} and does not say `${words}`:\n${output}")
  endif()
endfunction()
expect_words("Configuring" "${CMAKE_COMMAND}" -S "${SOURCE_DIR}" -B "${WORK_DIR}" -G "${GENERATOR}"
             "-DCMAKE_MAKE_PROGRAM=${MAKE_PROGRAM}" "-DCMAKE_CXX_COMPILER=${COMPILER}"
             -DHUNYUAN_RESO_EMCC=OFF -DHUNYUAN_RESO_NODE=OFF
             -DHUNYUAN_RESO_BUILD_TESTS=OFF -DHUNYUAN_RESO_BUILD_BENCH=OFF -DHUNYUAN_RESO_BUILD_EXAMPLES=ON)
expect_words("Building" "${CMAKE_COMMAND}" --build "${WORK_DIR}" --target hunyuan-reso-explorer)
file(GLOB_RECURSE pages "${WORK_DIR}/*.html" "${WORK_DIR}/*.wasm")
if(pages)
  message(FATAL_ERROR "It is left out, and there is ${pages}.")
endif()
