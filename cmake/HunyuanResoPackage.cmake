# SPDX-License-Identifier: MIT
# `cpack -G DEB` (or TGZ) in the build folder: one package of the headers, the package files and, where it is built, the
# tool with its man page and completions.
set(CPACK_PACKAGE_NAME hunyuan-reso)
set(CPACK_PACKAGE_VENDOR "hunyuan_reso")
set(CPACK_PACKAGE_CONTACT "hunyuan_reso <hunyuan_reso@localhost>" CACHE STRING "The maintainer that packages name")
mark_as_advanced(CPACK_PACKAGE_CONTACT)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_RESOURCE_FILE_LICENSE "${CMAKE_CURRENT_SOURCE_DIR}/LICENSE")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_GENERATOR DEB)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_NAME ${CPACK_PACKAGE_NAME})
set(CPACK_PRE_BUILD_SCRIPTS "${CMAKE_CURRENT_LIST_DIR}/packaging/debian.cmake")  # CMake 3.19 and newer run it
set(CPACK_DEBIAN_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
if(NOT HUNYUAN_RESO_BUILD_EXAMPLES)
  set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE all)
  set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS OFF)
endif()
include(CPack)
