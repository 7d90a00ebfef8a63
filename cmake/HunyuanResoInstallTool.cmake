# SPDX-License-Identifier: MIT
# The tool as a program that people install: the binary, its man page and its completions, made from --help. They are in
# the component hunyuan_reso_Tool.
include(GNUInstallDirs)
set(tool_component COMPONENT hunyuan_reso_Tool)
install(TARGETS hunyuan-reso RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} ${tool_component})
if(CMAKE_CROSSCOMPILING)
  message(STATUS "hunyuan_reso: no man page and no completions, which the tool itself would write")
  return()
endif()

set(pages_dir "${CMAKE_CURRENT_BINARY_DIR}/pages")
set(pages_script "${CMAKE_CURRENT_LIST_DIR}/packaging/tool_pages.cmake")
add_custom_command(OUTPUT "${pages_dir}/hunyuan-reso.1" "${pages_dir}/bash/hunyuan-reso" "${pages_dir}/zsh/_hunyuan-reso"
                          "${pages_dir}/fish/hunyuan-reso.fish"
                   COMMAND ${CMAKE_COMMAND} -DTOOL=$<TARGET_FILE:hunyuan-reso> -DVERSION=${hunyuan_reso_VERSION}
                           "-DOUTPUT_DIR=${pages_dir}" -P "${pages_script}"
                   DEPENDS hunyuan-reso "${pages_script}"
                   COMMENT "Writing the man page and the completions of hunyuan-reso" VERBATIM)
add_custom_target(hunyuan-reso-pages ALL DEPENDS "${pages_dir}/hunyuan-reso.1")
install(FILES "${pages_dir}/hunyuan-reso.1" DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 ${tool_component})
install(FILES "${pages_dir}/bash/hunyuan-reso" DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
        ${tool_component})
install(FILES "${pages_dir}/zsh/_hunyuan-reso" DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions ${tool_component})
install(FILES "${pages_dir}/fish/hunyuan-reso.fish" DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d
        ${tool_component})
