// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_READERS_HPP
#define HUNYUAN_GENERATE_READERS_HPP

#include <functional>  // function
#include <map>         // map
#include <memory>      // shared_ptr
#include <string>      // string
#include <vector>      // vector

#include "model/json_file.hpp"
#include "model/weights.hpp"
#include "pipeline/folder.hpp"
#include "pipeline/picture.hpp"
#include "pipeline/request_file.hpp"
#include "tests/picture_files.hpp"
#include "tests/test_support.hpp"

namespace hunyuan_generate {

/// A reader of files and good files for it to start from.
struct Reader {
  std::vector<std::string> seeds;
  std::function<void(const std::string& bytes)> read;  ///< accepts the bytes or throws Error
};

/// Every reader of this program by its name. `source` holds config.json, special_tokens.json and model.safetensors of a
/// small model; `folder` is where changed files are written, and must outlive the readers.
inline std::map<std::string, Reader> all_readers(const std::filesystem::path& source,
                                                 const std::filesystem::path& folder) {
  std::map<std::string, Reader> readers;
  const std::map<std::string, std::string> small_files{
      {"config.json", read_file(source / "config.json")},
      {"special_tokens.json", read_file(source / "special_tokens.json")},
      {"generation_config.json",
       R"({"eos_token_id": [2], "do_sample": true, "temperature": 0.6, "top_k": 10, "top_p": 0.9, "max_length": 200,
          "sequence_template": "instruct", "bot_task": "think", "use_system_prompt": "None", "drop_think": false,
          "diff_infer_steps": 5, "diff_guidance_scale": 2.5, "flow_shift": 3.0, "max_new_tokens": null})"}};
  for (const auto& [name, whole] : small_files) {
    write_file(folder / name, whole);
    const auto read = [folder, name = name, whole = whole](const std::string& bytes) {
      write_file(folder / name, bytes);
      try {
        (void)read_folder(folder);
      } catch (...) {
        write_file(folder / name, whole);
        throw;
      }
      write_file(folder / name, whole);
    };
    readers[name] = {{whole}, read};
  }

  // The header of real weights in front of no data, and a small file whose values are read.
  const std::string weights = read_file(source / "model.safetensors");
  std::uint64_t header = 0;
  for (unsigned i = 8; i-- > 0;) header = header << 8U | static_cast<unsigned char>(weights[i]);
  const std::string small = safetensors_bytes(
      R"({"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"b":{"dtype":"BF16","shape":[4],"data_offsets":[24,32]}})",
      std::string(32, 'x'));
  readers["model.safetensors"] = {{weights.substr(0, 8 + static_cast<std::size_t>(header)), small},
                                  [folder](const std::string& bytes) {
                                    const std::filesystem::path path = folder / "changed.safetensors";
                                    write_file(path, bytes);
                                    const SafetensorsFile file(path);
                                    for (const auto& [name, entry] : file.entries()) {
                                      if (entry.dtype) (void)file.tensor(name).sum();
                                    }
                                  }};
  const auto shards = std::make_shared<TemporaryFolder>();
  write_file(shards->path() / "model.safetensors", small);
  readers["model.safetensors.index.json"] = {
      {R"({"metadata": {"total_size": 32}, "weight_map": {"a": "model.safetensors", "b": "model.safetensors"}})"},
      [shards](const std::string& bytes) {
        write_file(shards->path() / "model.safetensors.index.json", bytes);
        (void)Checkpoint(shards->path());
      }};

  const auto base = std::make_shared<const Folder>(read_folder(folder));
  readers["messages"] = {
      {R"([{"role": "user", "content": "a"}, {"role": "assistant", "content": [{"type": "text", "text": "b"}]}])"},
      [folder](const std::string& bytes) { (void)read_messages(parse_json(bytes, "messages"), folder, "messages"); }};
  readers["request"] = {
      {R"({"prompt": "a", "images": [], "image_size": "16:9", "bot_task": "think", "use_system_prompt": "custom",
          "system_prompt": "b", "align": true, "steps": 3, "guidance": 2, "flow_shift": 1.5, "seed": 7, "mode": "gen_text",
          "max_new_tokens": 9, "generation": {"top_k": 3, "top_p": 0.5, "temperature": 1, "drop_think": true}})"},
      [folder, base](const std::string& bytes) {
        (void)read_request(parse_json(bytes, "request"), folder, *base, "request");
      }};
  readers["prompt_ids"] = {{R"({"User: ": [101, 102], "cat": [103]})", "[1, 2, 3]"},
                           [folder, base](const std::string& bytes) {
                             write_file(folder / "ids.json", bytes);
                             (void)open_text_table(folder / "ids.json", "a", base->profile);
                           }};
  const at::Tensor pixels = at::arange(12 * 9 * 3, at::kByte).view({12, 9, 3});
  for (const char* name : {"a.png", "a.jpg", "a.webp"}) {
    const std::string path = (folder / name).string();
    try {
      write_picture(path, pixels, {{"key", "text"}});
    } catch (const Error&) {
      continue;  // built without this format
    }
    readers[name] = {{read_file(path), with_orientation(read_file(path), pixels, 6)},
                     [](const std::string& bytes) { (void)decode_picture(bytes, "changed"); }};
  }
  return readers;
}

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_READERS_HPP
