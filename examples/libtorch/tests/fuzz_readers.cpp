// SPDX-License-Identifier: MIT
// hunyuan-generate-fuzz: libFuzzer over one reader (see readers.hpp), named by the environment variable READER; SOURCE
// is the folder of a small model. Any exception but Error, a crash, a leak or a hang is a finding. `READER=list` prints
// the names and writes each reader's seeds to a folder of its name.
#include <cstdlib>  // getenv

#include "tests/readers.hpp"

namespace {

using hunyuan_generate::Reader;

const Reader& chosen() {
  static const hunyuan_generate::TemporaryFolder folder;
  static const auto readers = [] {
    const char* source = std::getenv("SOURCE");
    return hunyuan_generate::all_readers(source != nullptr ? source : ".", folder.path());
  }();
  const char* name = std::getenv("READER");
  const auto found = readers.find(name != nullptr ? name : "");
  if (found != readers.end()) return found->second;
  for (const auto& [each, reader] : readers) {
    std::printf("%s\n", each.c_str());
    std::filesystem::create_directories(each);
    for (std::size_t i = 0; i < reader.seeds.size(); ++i)
      hunyuan_generate::write_file(std::filesystem::path(each) / std::to_string(i), reader.seeds[i]);
  }
  std::fflush(stdout);
  std::_Exit(0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    chosen().read(std::string(reinterpret_cast<const char*>(data), size));
  } catch (const hunyuan_generate::Error&) {
    return 0;
  }
  return 0;
}
