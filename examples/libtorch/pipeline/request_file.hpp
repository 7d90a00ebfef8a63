// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_REQUEST_FILE_HPP
#define HUNYUAN_GENERATE_REQUEST_FILE_HPP

#include <filesystem>  // path
#include <nlohmann/json.hpp>
#include <string>  // string

#include "pipeline/request.hpp"

namespace hunyuan_generate {

/// A request as JSON, with upstream's names: prompt or messages, images (files in `pictures`), image_size, bot_task,
/// use_system_prompt and system_prompt, align, steps, guidance, flow_shift, seed, max_new_tokens, mode, and
/// `generation` with further keys of a generation config. Throws Error naming `where` and the key.
Request read_request(const nlohmann::json& json, const std::filesystem::path& pictures, const Folder& folder,
                     const std::string& where);

/// A conversation: a list of {"role", "content"}, where content is a text or a list of {"type": "text", "text"} and
/// {"type": "image", "image"} with the name of a file.
std::vector<ChatItem> read_messages(const nlohmann::json& json, const std::filesystem::path& pictures,
                                    const std::string& where);

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_REQUEST_FILE_HPP
