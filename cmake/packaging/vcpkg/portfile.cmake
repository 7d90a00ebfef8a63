# SPDX-License-Identifier: MIT
# An overlay port: vcpkg install hunyuan-reso --overlay-ports=cmake/packaging/vcpkg, inside a checkout. A port of a
# registry takes the sources by vcpkg_from_git in place of the next line.
get_filename_component(SOURCE_PATH "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)

vcpkg_cmake_configure(SOURCE_PATH "${SOURCE_PATH}"
                      OPTIONS -DHUNYUAN_RESO_BUILD_TESTS=OFF -DHUNYUAN_RESO_BUILD_BENCH=OFF
                              -DHUNYUAN_RESO_BUILD_EXAMPLES=OFF -DHUNYUAN_RESO_INSTALL=ON)
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(PACKAGE_NAME hunyuan_reso CONFIG_PATH share/cmake/hunyuan_reso)
vcpkg_fixup_pkgconfig()
file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/debug" "${CURRENT_PACKAGES_DIR}/lib")
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")
