// SPDX-License-Identifier: MIT
// hunyuan-generate-mutation-test DIR [ROUNDS]: every reader takes files with a few bytes changed, cut or doubled, and
// either accepts them or throws Error; anything else (another exception, a crash, a hang) is a failure. DIR holds
// config.json, special_tokens.json and model.safetensors of a small model.
#include <cstdlib>  // strtol
#include <random>   // mt19937

#include "model/json_file.hpp"
#include "model/weights.hpp"
#include "pipeline/folder.hpp"
#include "pipeline/picture.hpp"
#include "pipeline/request_file.hpp"
#include "tests/test_support.hpp"

namespace hunyuan_generate {
namespace {

class MutationTest {
 public:
  MutationTest(const std::filesystem::path& source, long rounds) : source_(source), rounds_(rounds) {}

  int run() {
    const std::filesystem::path folder = temporary_.path();
    for (const char* name : {"config.json", "special_tokens.json"})
      write_file(folder / name, read_file(source_ / name));
    const std::string generation =
        R"({"eos_token_id": [2], "do_sample": true, "temperature": 0.6, "top_k": 10, "top_p": 0.9, "max_length": 200,
            "sequence_template": "instruct", "bot_task": "think", "use_system_prompt": "None", "drop_think": false,
            "diff_infer_steps": 5, "diff_guidance_scale": 2.5, "flow_shift": 3.0, "max_new_tokens": null})";
    write_file(folder / "generation_config.json", generation);
    for (const char* name : {"config.json", "special_tokens.json", "generation_config.json"}) {
      const std::string whole = read_file(folder / name);
      mutate(name, whole, [&](const std::string& bytes) {
        write_file(folder / name, bytes);
        (void)read_folder(folder);
      });
      write_file(folder / name, whole);
    }
    // The header of real weights, in front of no data at all and of its own.
    const std::string weights = read_file(source_ / "model.safetensors");
    std::uint64_t header = 0;
    for (unsigned i = 8; i-- > 0;) header = header << 8U | static_cast<unsigned char>(weights[i]);
    const std::string small = safetensors_bytes(
        R"({"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"b":{"dtype":"BF16","shape":[4],"data_offsets":[24,32]}})",
        std::string(32, 'x'));
    for (const std::string& whole : {weights.substr(0, 8 + static_cast<std::size_t>(header)), small}) {
      mutate("model.safetensors", whole, [&](const std::string& bytes) {
        write_file(folder / "model.safetensors", bytes);
        (void)Checkpoint(folder);
      });
    }
    write_file(folder / "model.safetensors", small);
    mutate("model.safetensors.index.json",
           R"({"metadata": {"total_size": 32}, "weight_map": {"a": "model.safetensors", "b": "model.safetensors"}})",
           [&](const std::string& bytes) {
             write_file(folder / "model.safetensors.index.json", bytes);
             (void)Checkpoint(folder);
           });
    mutate("messages",
           R"([{"role": "user", "content": "a"}, {"role": "assistant", "content": [{"type": "text", "text": "b"}]}])",
           [&](const std::string& bytes) { (void)read_messages(parse_json(bytes, "messages"), folder, "messages"); });
    pictures();
    return report_.finish();
  }

 private:
  void pictures() {
    const at::Tensor pixels = at::randint(0, 256, {12, 9, 3}, at::kByte);
    for (const char* name : {"a.png", "a.jpg", "a.webp"}) {
      const std::string path = (temporary_.path() / name).string();
      try {
        write_picture(path, pixels, {{"key", "text"}});
      } catch (const Error&) {
        continue;  // built without this format
      }
      mutate(name, read_file(path), [](const std::string& bytes) { (void)decode_picture(bytes, "mutated"); });
    }
  }

  template <class Read>
  void mutate(const std::string& name, const std::string& whole, Read&& read) {
    long refused = 0, other = 0;
    std::string what;
    for (long round = 0; round < rounds_; ++round) {
      const std::string bytes = changed(whole);
      try {
        read(bytes);
      } catch (const Error&) {
        ++refused;
      } catch (const std::exception& error) {
        ++other;
        what = error.what();
      }
    }
    std::printf("%-30s %ld of %ld refused\n", name.c_str(), refused, rounds_);
    report_.check(other == 0, name + ": " + std::to_string(other) + " times another exception: " + what.substr(0, 200));
    report_.check(refused > 0, name + ": some changes are refused");
  }

  std::string changed(std::string bytes) {
    const auto at = [&] { return bytes.empty() ? 0 : random_() % bytes.size(); };
    for (auto count = 1 + random_() % 3; count > 0 && !bytes.empty(); --count) {
      switch (random_() % 6) {
        case 0:
          bytes[at()] = static_cast<char>(random_());
          break;
        case 1:
          bytes[at()] = "0123456789-\"[]{},:.e"[random_() % 20];
          break;
        case 2:
          bytes.resize(at());
          break;
        case 3:
          bytes.insert(at(), bytes.substr(at(), random_() % 40));
          break;
        case 4:
          bytes.erase(at(), random_() % 8);
          break;
        default:
          bytes.insert(at(), std::string(1 + random_() % 20, '9'));
          break;
      }
    }
    return bytes;
  }

  std::filesystem::path source_;
  long rounds_;
  TemporaryFolder temporary_;
  TestReport report_;
  std::mt19937 random_{20260101};
};

}  // namespace
}  // namespace hunyuan_generate

int main(int count, char** values) {
  try {
    if (count < 2) throw hunyuan_generate::Error("usage: hunyuan-generate-mutation-test DIR [ROUNDS]");
    const long rounds = count > 2 ? std::strtol(values[2], nullptr, 10) : 1000;
    return hunyuan_generate::MutationTest(values[1], rounds).run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "hunyuan-generate-mutation-test: %s\n", error.what());
  }
  return 2;
}
