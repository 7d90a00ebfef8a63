// SPDX-License-Identifier: MIT
// replay FOLDER: gives every file of FOLDER/NAME to the target NAME, for all targets that are linked in. replay NAME
// FILE...: gives these files to one target, for example what a fuzzer has found. Needs no fuzzer.
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "fuzz.hpp"

namespace {

using hunyuan_reso_fuzz::Target;

void give(const Target& target, const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  const std::string content{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  target.function(content);
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) {
    std::fprintf(stderr, "usage: replay FOLDER | replay TARGET FILE...\n");
    return 2;
  }
  bool is_good = true;
  std::size_t files = 0;
  for (const Target* target = Target::first(); target != nullptr; target = target->next) {
    if (count > 2) {
      if (std::strcmp(target->name, arguments[1]) != 0) continue;
      for (int i = 2; i < count; ++i, ++files) give(*target, arguments[i]);
      continue;
    }
    const std::filesystem::path folder = std::filesystem::path(arguments[1]) / target->name;
    std::size_t own = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      give(*target, entry.path());
      ++own;
    }
    std::printf("%s: %zu seeds\n", target->name, own);
    is_good = is_good && own > 0;
    files += own;
  }
  return is_good && files > 0 ? 0 : 1;
}
