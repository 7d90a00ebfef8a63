// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_TESTS_FUZZ_TOOL_MEMORY_HPP
#define HUNYUAN_RESO_TESTS_FUZZ_TOOL_MEMORY_HPP

#include <cstddef>
#include <string_view>

namespace hunyuan_reso_fuzz {

/// What the tool reads in place of a file, and the most bytes that one read gives (0: no limit).
struct ToolMemory {
  std::string_view rest;
  std::size_t piece = 0;
};
ToolMemory& tool_memory();

}  // namespace hunyuan_reso_fuzz

#endif  // HUNYUAN_RESO_TESTS_FUZZ_TOOL_MEMORY_HPP
