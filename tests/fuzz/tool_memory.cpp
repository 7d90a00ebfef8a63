// SPDX-License-Identifier: MIT
// In place of the tool's output.cpp: no file is needed, reads can be short, and nothing is written.
#include "tool_memory.hpp"

#include <cstdlib>
#include <cstring>

#include "output.hpp"

namespace hunyuan_reso_fuzz {

ToolMemory& tool_memory() {
  static ToolMemory memory;
  return memory;
}

}  // namespace hunyuan_reso_fuzz

namespace hunyuan_reso::cli {

std::size_t read_some(int, char* data, std::size_t size) {
  hunyuan_reso_fuzz::ToolMemory& memory = hunyuan_reso_fuzz::tool_memory();
  if (memory.piece != 0 && size > memory.piece) size = memory.piece;
  if (size > memory.rest.size()) size = memory.rest.size();
  std::memcpy(data, memory.rest.data(), size);
  memory.rest.remove_prefix(size);
  return size;
}

void write_error(std::string_view) noexcept {}

// Readers write no results.
Output::Output(std::string) { std::abort(); }
Output::~Output() = default;
void Output::write(std::string_view) { std::abort(); }
void Output::finish() { std::abort(); }

}  // namespace hunyuan_reso::cli
