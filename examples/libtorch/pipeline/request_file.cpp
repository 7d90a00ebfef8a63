// SPDX-License-Identifier: MIT
#include "pipeline/request_file.hpp"

#include "adapter/adapter.hpp"
#include "model/json_file.hpp"
#include "pipeline/picture.hpp"

namespace hunyuan_generate {
namespace {

using Json = nlohmann::json;

at::Tensor picture_of(const Json& name, const std::filesystem::path& folder, const std::string& where) {
  if (!name.is_string()) throw Error(where + ": " + name.dump() + " is not the name of a picture");
  return read_picture((folder / name.get<std::string>()).string());
}

std::uint64_t seed_of(const JsonObject& object) {
  const Json* seed = object.find("seed");
  if (seed == nullptr) return 0;
  if (!seed->is_number_unsigned()) object.fail("seed", "is " + seed->dump() + ", not a number from 0 to 2^64 - 1");
  return seed->get<std::uint64_t>();
}

void take(const JsonObject& object, const char* key, std::optional<std::int32_t>& out) {
  if (object.find(key) != nullptr) out = static_cast<std::int32_t>(object.size(key));
}
void take(const JsonObject& object, const char* key, std::optional<double>& out) {
  if (object.find(key) != nullptr) out = object.number(key, 0);
}
void take_task(Request& request, const JsonObject& object, const std::string& where) {
  if (object.find("bot_task") != nullptr) request.task = task_of(object.text("bot_task", ""), where + ": 'bot_task'");
}

// Keys of a generation config that one request overrides.
void take_generation(Request& request, const JsonObject& object, const std::string& where) {
  take(object, "diff_infer_steps", request.steps);
  take(object, "max_new_tokens", request.max_new_tokens);
  take(object, "diff_guidance_scale", request.guidance);
  take(object, "flow_shift", request.flow_shift);
  if (object.find("drop_think") != nullptr) request.drop_think = object.flag("drop_think", false);
  if (object.find("sequence_template") != nullptr) request.sequence_template = object.text("sequence_template", "");
  take_task(request, object, where);
  Sampling& sampling = request.sampling;
  sampling.draws = object.flag("do_sample", sampling.draws);
  sampling.temperature = object.number("temperature", sampling.temperature);
  sampling.top_p = object.number("top_p", sampling.top_p);
  sampling.top_k = object.size("top_k", sampling.top_k, 0);
}

}  // namespace

std::vector<ChatItem> read_messages(const Json& json, const std::filesystem::path& pictures, const std::string& where) {
  if (!json.is_array() || json.empty()) throw Error(where + ": expected a list of messages");
  std::vector<ChatItem> items;
  for (const Json& value : json) {
    const JsonObject message(value, where + ": message " + std::to_string(items.size()));
    const auto role = hunyuan_reso::parse_role(message.text("role", ""));
    if (!role) message.fail("role", "is none of system, user, assistant");
    const Json* content = message.find("content");
    if (content == nullptr) message.fail("content", "is missing");
    const Json parts = content->is_array() ? *content : Json::array({Json{{"type", "text"}, {"text", *content}}});
    for (const Json& part_value : parts) {
      const JsonObject part(part_value, where + ": a part of a message");
      ChatItem item;
      item.role = *role;
      const std::string type = part.text("type", "text");
      if (type == "text") {
        item.text = part.text("text", "");
      } else if (type == "image" && part.find("image") != nullptr) {
        item.picture = picture_of(*part.find("image"), pictures, where);
      } else {
        part.fail("type", "is neither text nor image (with an 'image')");
      }
      items.push_back(std::move(item));
    }
  }
  return items;
}

Request read_request(const Json& json, const std::filesystem::path& pictures, const Folder& folder,
                     const std::string& where) {
  const JsonObject object(json, where);
  Request request;
  request.sampling = folder.sampling;
  request.prompt = object.text("prompt", "");
  if (object.find("messages") != nullptr) request.messages = read_messages(*object.find("messages"), pictures, where);
  if (const Json* images = object.find("images")) {
    if (!images->is_array()) object.fail("images", "is not a list of files");
    for (const Json& name : *images) request.images.push_back(picture_of(name, pictures, where));
  }
  request.text_only = object.text("mode", "gen_image") == "gen_text";
  request.size = object.text("image_size", "auto");
  request.align_output = object.flag("align", false);
  request.seed = seed_of(object);
  if (object.find("generation") != nullptr) take_generation(request, object.at("generation"), where + ": 'generation'");
  take_task(request, object, where);
  take(object, "steps", request.steps);
  take(object, "max_new_tokens", request.max_new_tokens);
  take(object, "guidance", request.guidance);
  take(object, "flow_shift", request.flow_shift);
  const std::string system = object.text("use_system_prompt", request.text_only ? "None" : folder.system_prompt);
  if (system == "custom") {
    request.system = object.text("system_prompt", "");
  } else if (system != "None" && system != "none") {
    object.fail("use_system_prompt",
                "is " + system + ", whose text is not part of this program; use \"custom\" or \"None\"");
  }
  return request;
}

}  // namespace hunyuan_generate
