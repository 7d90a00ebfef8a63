// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_TEST_SUPPORT_HPP
#define HUNYUAN_GENERATE_TEST_SUPPORT_HPP

#include <ATen/ATen.h>               // Tensor
#include <ATen/Context.h>            // manual_seed
#include <c10/core/InferenceMode.h>  // InferenceMode
#include <dirent.h>                  // opendir
#include <unistd.h>                  // rmdir, unlink

#include <cstdio>      // printf
#include <cstdlib>     // getenv, mkdtemp
#include <filesystem>  // path
#include <fstream>     // ofstream
#include <map>         // map
#include <nlohmann/json.hpp>
#include <string>  // string

#include "adapter/error.hpp"

namespace hunyuan_generate {

/// Counts and prints the checks of a test program.
class TestReport {
 public:
  /// Prints only what failed; returns `good`.
  bool check(bool good, const std::string& what) {
    ++(good ? passed_ : failed_);
    if (!good) std::printf("FAIL: %s\n", what.c_str());
    return good;
  }
  /// Exit status: 0 when something was checked and everything passed.
  [[nodiscard]] int finish() const {
    std::printf("%d checks passed, %d failed\n", passed_, failed_);
    return failed_ == 0 && passed_ > 0 ? 0 : 1;
  }

 private:
  int passed_ = 0, failed_ = 0;
};

/// What the Error says that an action throws, or "no error".
template <class Action>
std::string error_of(Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

/// A folder for files, removed with its files at the end of its life. Not removed by std::filesystem::remove_all: the
/// copy of it that LibTorch 2.11's libtorch.so exports takes precedence and crashes.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    const char* base = std::getenv("TMPDIR");
    std::string name = std::string(base != nullptr ? base : "/tmp") + "/hunyuan-generate-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw Error(name + ": cannot make a temporary folder");
    path_ = name;
  }
  ~TemporaryFolder() {
    if (DIR* folder = ::opendir(path_.c_str())) {
      while (const dirent* entry = ::readdir(folder)) ::unlink((path_ / entry->d_name).c_str());
      ::closedir(folder);
    }
    ::rmdir(path_.c_str());
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

/// Writes a file of exactly these bytes.
inline void write_file(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

/// The bytes of a safetensors file with this header text and data.
inline std::string safetensors_bytes(const std::string& header, const std::string& data) {
  std::string bytes;
  for (unsigned shift = 0; shift < 64; shift += 8) bytes += static_cast<char>(header.size() >> shift & 0xFFU);
  return bytes + header + data;
}

/// Writes float32 tensors, and bytes as e4m3 numbers, as a safetensors file.
inline void write_safetensors(const std::filesystem::path& path, const std::map<std::string, at::Tensor>& tensors) {
  nlohmann::json header;
  std::string data;
  for (const auto& [name, tensor] : tensors) {
    const at::Tensor values = tensor.contiguous();
    const std::size_t start = data.size();
    data.append(static_cast<const char*>(values.data_ptr()), values.nbytes());
    const char* type = values.scalar_type() == at::kByte ? "F8_E4M3" : "F32";
    header[name] = {{"dtype", type}, {"shape", values.sizes().vec()}, {"data_offsets", {start, data.size()}}};
  }
  write_file(path, safetensors_bytes(header.dump(), data));
}

/// Whether the function throws an Error whose text contains `expected`; prints another Error's text.
template <class Function>
bool refuses(Function&& function, const std::string& expected) {
  try {
    function();
  } catch (const Error& error) {
    if (std::string(error.what()).find(expected) != std::string::npos) return true;
    std::printf("refused otherwise: %s\n", error.what());
  }
  return false;
}

/// The main function of a test program that takes one folder: runs Test(folder) without autograd, from one seed. 2
/// after an exception or other arguments, else what the test says.
template <class Test>
int run_on_folder(const char* program, int count, char** values) {
  try {
    if (count != 2) throw Error(std::string("usage: ") + program + " DIR");
    const c10::InferenceMode inference;
    at::manual_seed(1);
    return Test(values[1]).run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", program, error.what());
  }
  return 2;
}

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_TEST_SUPPORT_HPP
