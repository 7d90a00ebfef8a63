# SPDX-License-Identifier: MIT
"""Conan 2: `conan create cmake/packaging/conan` inside a checkout."""

import os
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.files import copy, load
from conan.tools.layout import basic_layout

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..")


class HunyuanReso(ConanFile):
    name = "hunyuan_reso"
    description = "Resolution and token layer of HunyuanImage-3.0, header-only C++17"
    license = "MIT"
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"
    no_copy_source = True

    def set_version(self):
        text = load(self, os.path.join(ROOT, "include", "hunyuan_reso", "version.hpp"))
        self.version = ".".join(re.findall(r"#define HUNYUAN_RESO_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", text))

    def export_sources(self):
        copy(self, "include/*", ROOT, self.export_sources_folder)
        copy(self, "LICENSE", ROOT, self.export_sources_folder)

    def layout(self):
        basic_layout(self)

    def package_id(self):
        self.info.clear()

    def validate(self):
        check_min_cppstd(self, 17)

    def package(self):
        copy(self, "*.hpp", os.path.join(self.source_folder, "include"), os.path.join(self.package_folder, "include"))
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))

    def package_info(self):
        self.cpp_info.bindirs = []
        self.cpp_info.libdirs = []
        self.cpp_info.set_property("cmake_file_name", "hunyuan_reso")
        self.cpp_info.set_property("cmake_target_name", "hunyuan_reso::hunyuan_reso")
        self.cpp_info.set_property("pkg_config_name", "hunyuan_reso")
