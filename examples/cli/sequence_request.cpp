// SPDX-License-Identifier: MIT
#include "sequence_request.hpp"

#include <hunyuan_reso/result.hpp>
#include <initializer_list>

#include "failure.hpp"

namespace hunyuan_reso::cli {
namespace {

[[noreturn]] void refuse(const std::string& where, const std::string& reason) {
  throw Refusal("request: " + where + ": " + reason);
}

void require_keys(const Json& object, const std::string& where, std::initializer_list<const char*> known) {
  if (!object.is_object()) refuse(where, "expected an object");
  for (const auto& item : object.items()) {
    bool is_known = false;
    for (const char* key : known) is_known = is_known || item.key() == key;
    if (!is_known) refuse(where, "unknown key '" + printable(item.key()) + "'");
  }
}

template <class Value>
Value read(const Json& object, const char* key, const std::string& where, Value otherwise) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return otherwise;
  const std::string place = where + "." + key;
  if constexpr (std::is_same_v<Value, bool>) {
    if (!found->is_boolean()) refuse(place, "expected true or false");
    return found->template get<bool>();
  } else if constexpr (std::is_same_v<Value, std::string>) {
    if (!found->is_string()) refuse(place, "expected a text");
    return found->template get<std::string>();
  } else {
    const bool fits = found->is_number_unsigned()
                          ? found->template get<std::uint64_t>() <= max_side
                          : found->is_number_integer() && found->template get<std::int64_t>() >= 0;
    if (!fits) refuse(place, "expected a whole number from 0 to 2147483647");
    return static_cast<Value>(found->template get<std::int64_t>());
  }
}

/// Reads the request's parts, knowing its images.
class Reader {
 public:
  Reader(const Json& json, const ModelProfile& profile) : json_(json), profile_(profile) {}

  SequenceRequest read_all() {
    require_keys(json_, "the request",
                 {"prompt", "system", "cot", "gen", "cond", "messages", "images", "mode", "template", "bot_task",
                  "cfg_factor", "drop_think", "max_length", "image_base_size", "add_assistant_prefix"});
    SequenceRequest request;
    read_options(request);
    if (json_.contains("messages")) {
      for (const char* key : {"prompt", "system", "cot", "gen", "cond"}) {
        if (json_.contains(key)) refuse(key, "goes with 'prompt', not with 'messages'");
      }
      read_messages(request);
    } else {
      read_prompts(request);
    }
    return request;
  }

 private:
  void read_options(SequenceRequest& request) const {
    const std::string where = "the request";
    const std::string mode = read<std::string>(json_, "mode", where, "gen_image");
    if (mode != "gen_image" && mode != "gen_text") refuse("mode", "expected gen_image or gen_text");
    request.options = ChatOptions::of(profile_, mode == "gen_text" ? ChatMode::gen_text : ChatMode::gen_image);
    const std::string chat_template = read<std::string>(json_, "template", where, "");
    if (chat_template == "instruct") request.options.chat_template = ChatTemplate::instruct;
    if (chat_template == "pretrain") request.options.chat_template = ChatTemplate::pretrain;
    if (!chat_template.empty() && chat_template != "instruct" && chat_template != "pretrain") {
      refuse("template", "expected instruct or pretrain");
    }
    request.options.bot_task = read_task(read<std::string>(json_, "bot_task", where, "auto"));
    request.options.drop_think = read(json_, "drop_think", where, request.options.drop_think);
    request.options.base_size = read(json_, "image_base_size", where, request.options.base_size);
    request.options.add_assistant_prefix = read(json_, "add_assistant_prefix", where, true);
    request.cfg_factor = read(json_, "cfg_factor", where, std::int32_t{1});
    if (request.cfg_factor < 1 || request.cfg_factor > 16) refuse("cfg_factor", "expected a number from 1 to 16");
    request.max_length = read(json_, "max_length", where, std::int32_t{-1});
  }

  static BotTask read_task(const std::string& text) {
    if (text == "auto") return BotTask::automatic;
    if (text == "image") return BotTask::image;
    if (text == "think") return BotTask::think;
    if (text == "recaption") return BotTask::recaption;
    if (text == "think_recaption") return BotTask::think_recaption;
    if (text == "img_ratio") return BotTask::img_ratio;
    refuse("bot_task", "expected auto, image, think, recaption, think_recaption or img_ratio");
  }

  /// Entry i of a key that holds one entry a conversation; a single text stands for a list of one.
  [[nodiscard]] Json entry(const char* key, std::size_t i, std::size_t count) const {
    const auto found = json_.find(key);
    if (found == json_.end() || found->is_null()) return nullptr;
    const Json list = found->is_array() ? Json(*found) : Json::array({*found});
    if (list.size() != count) refuse(key, "expected " + std::to_string(count) + " entries, one a prompt");
    return list[i];
  }

  [[nodiscard]] std::string text_entry(const char* key, std::size_t i, std::size_t count) const {
    const Json value = entry(key, i, count);
    if (value.is_null()) return {};
    if (!value.is_string()) refuse(key, "expected a text or a list of texts");
    return value.get<std::string>();
  }

  void read_prompts(SequenceRequest& request) const {
    const auto prompt = json_.find("prompt");
    if (prompt == json_.end()) refuse("the request", "expected 'prompt' or 'messages'");
    const std::size_t count = prompt->is_array() ? prompt->size() : 1;
    if (count == 0) refuse("prompt", "expected at least one prompt");
    for (std::size_t i = 0; i < count; ++i) {
      ImageRequest image;
      image.prompt = text_entry("prompt", i, count);
      image.system = text_entry("system", i, count);
      image.has_chain_of_thought = !entry("cot", i, count).is_null();
      image.chain_of_thought = text_entry("cot", i, count);
      const Json generated = entry("gen", i, count);
      image.has_image = !generated.is_null();
      if (image.has_image) image.image = read_image(generated, "gen", SectionKind::gen_image).image;
      const Json conditioning = entry("cond", i, count);
      if (!conditioning.is_null() && !conditioning.is_array())
        refuse("cond", "expected a list of images for each prompt");
      for (const Json& item : conditioning) {
        image.conditioning_images.push_back(read_image(item, "cond", SectionKind::cond_joint_image));
      }
      request.conversations.push_back(make_messages(image));
    }
  }

  void read_messages(SequenceRequest& request) const {
    const Json& list = json_["messages"];
    const bool one = list.is_array() && !list.empty() && list[0].is_object();
    const Json conversations = one ? Json::array({list}) : list;
    if (!conversations.is_array() || conversations.empty()) refuse("messages", "expected a list of messages");
    for (const Json& conversation : conversations) {
      if (!conversation.is_array()) refuse("messages", "expected a list of messages for each conversation");
      std::vector<Message> messages;
      for (const Json& item : conversation) {
        messages.push_back(read_message(item, "messages[" + std::to_string(messages.size()) + "]"));
      }
      request.conversations.push_back(std::move(messages));
    }
  }

  [[nodiscard]] Message read_message(const Json& json, const std::string& where) const {
    require_keys(json, where, {"role", "type", "content"});
    const Result<Role> role = parse_role(read<std::string>(json, "role", where, ""));
    if (!role) refuse(where + ".role", std::string(message(role.error())));
    const std::string type = read<std::string>(json, "type", where, "text");
    if (type == "text") return Message::of_text(*role, read<std::string>(json, "content", where, ""));
    const auto content = json.find("content");
    if (content == json.end()) refuse(where, "expected 'content'");
    Message image = read_image(*content, where + ".content", kind_of(type, where + ".type"));
    image.kind = kind_of(type, where + ".type");
    image.role = *role;
    return image;
  }

  static SectionKind kind_of(const std::string& text, const std::string& where) {
    if (text == "gen_image") return SectionKind::gen_image;
    if (text == "cond_vae_image") return SectionKind::cond_vae_image;
    if (text == "cond_vit_image") return SectionKind::cond_vit_image;
    if (text == "cond_joint_image") return SectionKind::cond_joint_image;
    refuse(where, "expected text, gen_image, cond_vae_image, cond_vit_image or cond_joint_image");
  }

  /// An image object, the name of one in `images`, or, for an image to generate, an image_size text.
  [[nodiscard]] Message read_image(const Json& json, const std::string& where, SectionKind expected) const {
    if (json.is_object()) return read_image_object(json, where);
    if (!json.is_string()) refuse(where, "expected an image object, or the name of one in 'images'");
    const std::string text = json.get<std::string>();
    const auto images = json_.find("images");
    if (images != json_.end() && images->is_object() && images->contains(text)) {
      return read_image_object((*images)[text], "images." + printable(text));
    }
    if (expected != SectionKind::gen_image) refuse(where, "no image '" + printable(text) + "' in 'images'");
    const Result<ResolutionGroup> group = make_group(profile_, profile_.trained_base_size);
    const Result<ImageInfo> info = build_gen_image_info(text, profile_, *group);
    if (!info) throw Refusal(point_at("request: " + where, text, info.position(), message(info.error())));
    return Message::of_image(Role::assistant, SectionKind::gen_image, ImageBlock::of(*info));
  }

  static Message read_image_object(const Json& json, const std::string& where) {
    const SectionKind kind = kind_of(read<std::string>(json, "kind", where, ""), where + ".kind");
    if (kind == SectionKind::gen_image) return Message::of_image(Role::user, kind, read_grid(json, where));
    ImageBlock block;
    if (json.contains("vae")) block = read_grid(json["vae"], where + ".vae");
    if (json.contains("vit")) {
      const ImageBlock vit = read_grid(json["vit"], where + ".vit");
      block.vit_token_length = vit.token_length;
      block.vit_token_height = vit.token_height;
      block.vit_token_width = vit.token_width;
    }
    return Message::of_image(Role::user, kind, block);
  }

  static ImageBlock read_grid(const Json& json, const std::string& where) {
    if (!json.is_object()) refuse(where, "expected an object");
    ImageBlock block;
    block.token_height = read(json, "token_height", where, std::int32_t{0});
    block.token_width = read(json, "token_width", where, std::int32_t{0});
    block.token_length = read(json, "image_token_length", where, std::int32_t{0});
    block.base_size = read(json, "base_size", where, std::int32_t{0});
    block.ratio_index = read(json, "ratio_index", where, std::size_t{0});
    block.add_timestep_token = read(json, "add_timestep_token", where, true);
    block.add_guidance_token = read(json, "add_guidance_token", where, false);
    block.add_timestep_r_token = read(json, "add_timestep_r_token", where, false);
    block.use_front_boi_token = read(json, "use_front_boi_token", where, true);
    block.add_image_shape_token = read(json, "add_image_shape_token", where, true);
    return block;
  }

  const Json& json_;
  const ModelProfile& profile_;
};

}  // namespace

SequenceRequest read_sequence_request(const std::string& text, const ModelProfile& profile) {
  Json json;
  try {
    json = Json::parse(text);
  } catch (const Json::parse_error& error) {
    throw Refusal("request: no JSON: byte " + std::to_string(error.byte) + ": expected a request object");
  }
  return Reader(json, profile).read_all();
}

std::vector<TokenId> encode_bytes(std::string_view text) {
  std::vector<TokenId> ids;
  while (!text.empty()) {
    if (text[0] == '<') {
      const std::size_t stop = text.find('>');
      const auto id = stop == std::string_view::npos ? std::nullopt : find_token(text.substr(0, stop + 1));
      if (id) {
        ids.push_back(*id);
        text.remove_prefix(stop + 1);
        continue;
      }
    }
    ids.push_back(1000 + static_cast<unsigned char>(text[0]));
    text.remove_prefix(1);
  }
  return ids;
}

}  // namespace hunyuan_reso::cli
