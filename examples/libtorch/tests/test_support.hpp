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
#include <limits>      // numeric_limits
#include <map>         // map
#include <nlohmann/json.hpp>
#include <string>  // string

#include "adapter/adapter.hpp"
#include "pipeline/request.hpp"

namespace hunyuan_generate {

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

/// The largest distance of two tensors' numbers; infinite for other sizes.
inline double distance(const at::Tensor& a, const at::Tensor& b) {
  if (a.sizes() != b.sizes()) return std::numeric_limits<double>::infinity();
  return (a.to(at::kFloat) - b.to(at::kFloat)).abs().max().item<double>();
}

/// Counts the checks of a test program, which derives from it, and prints those that failed.
class TestReport {
 protected:
  /// Returns `good`.
  bool check(bool good, const std::string& what) {
    ++(good ? passed_ : failed_);
    if (!good) std::printf("FAIL: %s%s\n", where_.c_str(), what.c_str());
    return good;
  }
  /// The action must throw an Error whose text contains `expected`.
  template <class Action>
  bool refused(Action&& action, const std::string& expected) {
    const std::string error = error_of(action);
    return check(error.find(expected) != std::string::npos, "expected '" + expected + "', found '" + error + "'");
  }
  /// The same numbers, up to `limit`, compared as float32.
  bool near(const at::Tensor& computed, const at::Tensor& expected, double limit, const std::string& what) {
    const double found = distance(computed, expected);
    return check(found <= limit, what + ": " + std::to_string(found) + " apart");
  }
  /// Exit status: 0 when something was checked and everything passed.
  [[nodiscard]] int finish() const {
    std::printf("%d checks passed, %d failed\n", passed_, failed_);
    return failed_ == 0 && passed_ > 0 ? 0 : 1;
  }

  std::string where_;  ///< stands before what failed

 private:
  int passed_ = 0, failed_ = 0;
};

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

/// The main function of a test program: runs it without autograd, from one seed. 2 after an exception, else what the
/// test says.
template <class Test>
int run_test(const char* program, Test&& test) {
  try {
    const c10::InferenceMode inference;
    at::manual_seed(1);
    return test();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", program, error.what());
  }
  return 2;
}
/// The same for one that takes a folder.
template <class Test>
int run_on_folder(const char* program, int count, char** values) {
  return run_test(program, [&] {
    if (count != 2) throw Error("usage: DIR");
    return Test(values[1]).run();
  });
}

/// A request for a picture of a recorded network, in four steps.
inline Request small_request(const Folder& folder, const std::string& size) {
  Request request;
  request.prompt = "a small test";
  request.size = size;
  request.steps = 4;
  request.task = hunyuan_reso::BotTask::image;
  request.precision = hunyuan_reso::Precision::fp32;
  request.sampling = folder.sampling;
  request.seed = 1;
  return request;
}

/// A layout that must exist; `align` is the side of a cell.
inline hunyuan_reso::TileLayout layout_of(hunyuan_reso::Resolution canvas, hunyuan_reso::Resolution tile,
                                          std::int32_t overlap, std::int32_t align = 1) {
  return require(hunyuan_reso::TileLayout::create(canvas, tile, overlap, align), "layout");
}

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_TEST_SUPPORT_HPP
