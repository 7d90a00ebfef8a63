# SPDX-License-Identifier: MIT
# Headers, CMake package, pkg-config file and licence. Nothing in the installed tree depends on the processor or names
# the prefix, so it can be moved. Everything is in the component hunyuan_reso_Development.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(component COMPONENT hunyuan_reso_Development)
set(package_dir ${CMAKE_INSTALL_DATADIR}/cmake/hunyuan_reso)
set(pkgconfig_dir ${CMAKE_INSTALL_DATADIR}/pkgconfig)

install(DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} ${component}
        FILES_MATCHING PATTERN "*.hpp")
install(FILES ${CMAKE_CURRENT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/licenses/hunyuan_reso ${component})

install(TARGETS hunyuan_reso EXPORT hunyuan_resoTargets INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT hunyuan_resoTargets NAMESPACE hunyuan_reso:: DESTINATION ${package_dir} ${component})
# Before 1.0 a new minor version may break what was built for the one before.
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/hunyuan_resoConfigVersion.cmake
                                 VERSION ${PROJECT_VERSION} COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES ${CMAKE_CURRENT_SOURCE_DIR}/cmake/hunyuan_resoConfig.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/hunyuan_resoConfigVersion.cmake
        DESTINATION ${package_dir} ${component})

# pkg-config finds the prefix from where its file lies, unless a packager chose an absolute folder for it.
if(IS_ABSOLUTE "${CMAKE_INSTALL_DATADIR}")
  set(pc_prefix "${CMAKE_INSTALL_PREFIX}")
else()
  file(RELATIVE_PATH pc_to_prefix "/${pkgconfig_dir}" "/")
  string(REGEX REPLACE "/$" "" pc_prefix "\${pcfiledir}/${pc_to_prefix}")
endif()
if(IS_ABSOLUTE "${CMAKE_INSTALL_INCLUDEDIR}")
  set(pc_includedir "${CMAKE_INSTALL_INCLUDEDIR}")
else()
  set(pc_includedir "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
endif()
configure_file(cmake/hunyuan_reso.pc.in hunyuan_reso.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/hunyuan_reso.pc DESTINATION ${pkgconfig_dir} ${component})
