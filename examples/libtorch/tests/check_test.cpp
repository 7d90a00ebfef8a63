// SPDX-License-Identifier: MIT
// hunyuan-generate-check-test PROGRAM DIR: hunyuan-generate-check, PROGRAM, must find each change of a recording. DIR
// holds config.json, special_tokens.json, model.safetensors and io.safetensors of a small model.
#include <sys/wait.h>  // WEXITSTATUS

#include <cstdint>     // int64_t
#include <cstdlib>     // system
#include <cstring>     // memcpy
#include <functional>  // function
#include <vector>      // vector

#include "model/json_file.hpp"
#include "tests/test_support.hpp"

namespace hunyuan_generate {
namespace {

/// A tensor of a file as it stands there.
struct Raw {
  std::string dtype;
  std::vector<std::int64_t> shape;
  std::string bytes;
};
using Recording = std::map<std::string, Raw>;

Recording read_recording(const std::filesystem::path& path) {
  const std::string file = read_file(path);
  std::uint64_t size = 0;
  for (unsigned i = 8; i-- > 0;) size = size << 8U | static_cast<unsigned char>(file[i]);
  const nlohmann::json header = nlohmann::json::parse(file.substr(8, size));
  Recording recording;
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__") continue;
    const std::size_t begin = entry["data_offsets"][0], end = entry["data_offsets"][1];
    recording[name] = {entry["dtype"], entry["shape"], file.substr(8 + size + begin, end - begin)};
  }
  return recording;
}

std::string bytes_of(const Recording& recording) {
  nlohmann::json header;
  std::string data;
  for (const auto& [name, raw] : recording) {
    const std::size_t begin = data.size();
    data += raw.bytes;
    header[name] = {{"dtype", raw.dtype}, {"shape", raw.shape}, {"data_offsets", {begin, data.size()}}};
  }
  return safetensors_bytes(header.dump(), data);
}

std::int64_t number_at(const Raw& raw, std::size_t i) {
  std::int64_t value = 0;
  std::memcpy(&value, raw.bytes.data() + 8 * i, sizeof value);
  return value;
}
void add(Raw& raw, std::size_t i, std::int64_t more) {
  const std::int64_t value = number_at(raw, i) + more;
  std::memcpy(&raw.bytes[8 * i], &value, sizeof value);
}
/// The same numbers as float32.
void to_float(Raw& raw) {
  std::string bytes;
  for (std::size_t i = 0; 8 * i < raw.bytes.size(); ++i) {
    const auto value = static_cast<float>(number_at(raw, i));
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  raw.dtype = "F32";
  raw.bytes = bytes;
}
/// One number without axes.
void to_scalar(Raw& raw) {
  std::int64_t count = 1;
  for (const std::int64_t side : raw.shape) count *= side;
  raw.bytes.resize(raw.bytes.size() / static_cast<std::size_t>(count));
  raw.shape.clear();
}

class CheckTest : TestReport {
 public:
  CheckTest(std::string program, const std::filesystem::path& source)
      : program_(std::move(program)), recording_(read_recording(source / "io.safetensors")) {
    for (const char* name : {"config.json", "special_tokens.json", "model.safetensors"}) {
      std::filesystem::create_symlink(std::filesystem::absolute(source / name), folder_.path() / name);
    }
  }

  int run() {
    write_file(folder_.path() / "io.safetensors", bytes_of(recording_));
    const int unchanged = status();
    check(unchanged == 0, "the recording as it is: " + output());

    constexpr std::int64_t beyond = std::int64_t{1} << 32;
    changed("t2i_8x8.timesteps_index", "a column twice", [](Raw& raw) {
      std::string bytes;
      for (std::size_t i = 0; i < 2; ++i) bytes += raw.bytes.substr(8 * i, 8) + raw.bytes.substr(8 * i, 8);
      raw = {raw.dtype, {2, 2}, bytes};
    });
    changed("t2i_8x8.timesteps_index", "without an axis", [](Raw& raw) { raw.shape = {2}; });
    changed("text_ratio.attention_mask", "three rows for one", [](Raw& raw) {
      raw.shape.front() = 3;
      raw.bytes += raw.bytes + raw.bytes;
    });
    for (const std::string name : {"rope.sections", "t2i_8x8.rope_sections"}) {
      changed(name, "as float32", to_float);
      changed(name, "a start of 33 bits", [&](Raw& raw) { add(raw, 0, beyond); });
      changed(name, "a stop of 33 bits", [&](Raw& raw) { add(raw, 1, beyond); });
      changed(name, "a height of 33 bits", [&](Raw& raw) { add(raw, 2, beyond); });
      changed(name, "a negative width", [](Raw& raw) { add(raw, 3, -1000); });
      changed(name, "three numbers an image", [](Raw& raw) {
        raw.shape[1] = 3;
        raw.bytes.resize(static_cast<std::size_t>(raw.shape[0]) * 24);
      });
      changed(name, "without an axis", [](Raw& raw) {
        raw.shape = {4};
        raw.bytes.resize(32);
      });
    }
    for (const char* name : {"sched.n5_shift1.sigmas", "rope.positions_yx", "text_decode.new_tokens"}) {
      changed(name, "a single number", to_scalar);
    }
    Recording more = recording_;
    const std::int64_t length = recording_.at("text_ratio.input_ids").shape.back();
    more["text_ratio.gen_image_mask"] = {"BOOL", {1, length}, std::string(static_cast<std::size_t>(length), '\0')};
    must_notice(more, "text_ratio.gen_image_mask", "recorded for a case without a picture");
    return finish();
  }

 private:
  void changed(const std::string& name, const std::string& what, const std::function<void(Raw&)>& change) {
    Recording recording = recording_;
    change(recording.at(name));
    must_notice(recording, name, what);
  }
  void must_notice(const Recording& recording, const std::string& name, const std::string& what) {
    write_file(folder_.path() / "io.safetensors", bytes_of(recording));
    const int found = status();
    check(found == 1, name + ", " + what + ": status " + std::to_string(found) + ": " + output());
    const std::string leaf = name.substr(name.rfind('.') + 1);
    check(output().find(leaf) != std::string::npos, name + ", " + what + ": not named in " + output());
  }

  [[nodiscard]] std::filesystem::path log() const { return folder_.path() / "log"; }
  [[nodiscard]] std::string output() const { return read_file(log()); }
  /// Exit status of the program; -1 after a signal.
  [[nodiscard]] int status() const {
    const std::string command =
        "'" + program_ + "' --strict '" + folder_.path().string() + "' >'" + log().string() + "' 2>&1";
    const int result = std::system(command.c_str());
    return WIFEXITED(result) && WEXITSTATUS(result) < 128 ? WEXITSTATUS(result) : -1;
  }

  std::string program_;
  Recording recording_;
  TemporaryFolder folder_;
};

}  // namespace
}  // namespace hunyuan_generate

int main(int count, char** values) {
  return hunyuan_generate::run_test("hunyuan-generate-check-test", [&] {
    if (count != 3) throw hunyuan_generate::Error("usage: PROGRAM DIR");
    return hunyuan_generate::CheckTest(values[1], values[2]).run();
  });
}
