# SPDX-License-Identifier: MIT
# Target hunyuan_reso_amalgamation: the whole library (without text/) in one file, for projects that copy their
# dependencies in.
set(hunyuan_reso_single_header ${CMAKE_CURRENT_BINARY_DIR}/single/hunyuan_reso_single.hpp)
file(GLOB_RECURSE amalgamated_headers CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/include/*.hpp)
add_custom_command(OUTPUT ${hunyuan_reso_single_header}
                   COMMAND ${CMAKE_COMMAND} -DINPUT=${CMAKE_CURRENT_SOURCE_DIR}/include/hunyuan_reso/hunyuan_reso.hpp
                           -DOUTPUT=${hunyuan_reso_single_header} -P ${CMAKE_CURRENT_SOURCE_DIR}/cmake/amalgamate.cmake
                   DEPENDS ${amalgamated_headers} ${CMAKE_CURRENT_SOURCE_DIR}/cmake/amalgamate.cmake
                   COMMENT "Writing ${hunyuan_reso_single_header}" VERBATIM)
add_custom_target(hunyuan_reso_amalgamation DEPENDS ${hunyuan_reso_single_header})
