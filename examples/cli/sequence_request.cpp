// SPDX-License-Identifier: MIT
#include "sequence_request.hpp"

#include "checked_json.hpp"
#include "failure.hpp"
#include "request_images.hpp"

namespace hunyuan_reso::cli {
namespace {

constexpr const char* root = "request";

/// Reads the request's parts, knowing its images.
class Reader {
 public:
  Reader(const Json& json, Selection& selection, bool base_size_is_given)
      : json_(json),
        object_(json, root,
                {"prompt", "system", "cot", "gen", "cond", "messages", "images", "mode", "template", "bot_task",
                 "cfg_factor", "drop_think", "max_length", "image_base_size", "add_assistant_prefix"}),
        selection_(with_base_size(selection, object_, base_size_is_given)),
        images_(selection, object_.has("images") ? &object_.at("images") : nullptr, object_.place("images")) {}

  SequenceRequest read_all() {
    read_options();
    if (object_.has("messages")) {
      for (const char* key : {"prompt", "system", "cot", "gen", "cond"}) {
        if (json_.contains(key)) refuse_key(object_.place(key), "goes with 'prompt', not with 'messages'");
      }
      read_messages();
    } else {
      read_prompts();
    }
    return std::move(request_);
  }

 private:
  static Selection& with_base_size(Selection& selection, const JsonObject& object, bool is_given) {
    if (!object.has("image_base_size")) return selection;
    const std::string place = object.place("image_base_size");
    const auto base_size = static_cast<std::int32_t>(object.whole("image_base_size", 1, max_side / 2, 0));
    const std::int32_t chosen = selection.group().base_size();
    if (is_given && base_size != chosen) {
      refuse_key(place, std::to_string(base_size) + ", but --base-size is " + std::to_string(chosen));
    }
    selection.model = require_model(selection.profile(), base_size, selection.extra_scaling, place);
    return selection;
  }

  void read_options() {
    const ModelProfile& profile = selection_.profile();
    const bool is_text = object_.word("mode", {"gen_image", "gen_text"}, 0) == 1;
    request_.options = ChatOptions::of(profile, is_text ? ChatMode::gen_text : ChatMode::gen_image);
    if (object_.has("template")) {
      request_.options.texts =
          object_.word("template", {"instruct", "pretrain"}, 0) == 0 ? instruct_texts() : pretrain_texts();
    }
    constexpr BotTask tasks[] = {BotTask::automatic, BotTask::image,           BotTask::think,
                                 BotTask::recaption, BotTask::think_recaption, BotTask::img_ratio};
    request_.options.bot_task =
        tasks[object_.word("bot_task", {"auto", "image", "think", "recaption", "think_recaption", "img_ratio"}, 0)];
    request_.options.drop_think = object_.flag("drop_think", request_.options.drop_think);
    request_.options.add_assistant_prefix = object_.flag("add_assistant_prefix", true);
    request_.cfg_factor = static_cast<std::int32_t>(object_.whole("cfg_factor", 1, 16, 1));
    request_.max_length =
        static_cast<std::int32_t>(object_.whole("max_length", 1, profile.position_table, profile.max_length));
  }

  void read_prompts() {
    if (!object_.has("prompt")) refuse_key(root, "expected 'prompt' or 'messages'");
    const Json& prompt = object_.at("prompt");
    const std::size_t count = prompt.is_array() ? prompt.size() : 1;
    if (count == 0) refuse_key(object_.place("prompt"), "expected at least one prompt");
    for (std::size_t i = 0; i < count; ++i) {
      request_.conversations.emplace_back();
      request_.places.emplace_back();
      const Entry system = entry("system", i, count);
      if (system.json != nullptr) add(system, Message::of_text(Role::system, text_of(system)));
      for (const Entry& image : conditioning(i, count)) {
        add(image, Message::of_image(Role::user, images_.read(*image.json, image.place, images_.conditioning_kind())));
      }
      const Entry user = entry("prompt", i, count);
      if (user.json == nullptr) refuse_key(user.place, "expected a text, but got null");
      add(user, Message::of_text(Role::user, text_of(user)));
      const Entry thought = entry("cot", i, count);
      if (thought.json != nullptr) add(thought, Message::of_text(Role::assistant, text_of(thought)));
      const Entry generated = entry("gen", i, count);
      if (generated.json != nullptr) {
        add(generated,
            Message::of_image(Role::assistant, images_.read(*generated.json, generated.place, ImageKind::generated)));
      }
    }
  }

  /// A value in the request and where it is; nullptr where it was left out.
  struct Entry {
    const Json* json = nullptr;
    std::string place;
  };

  /// What a key has for prompt i of `count`: an entry of its list, or its only value, which then is every prompt's.
  [[nodiscard]] Entry entry(const char* key, std::size_t i, std::size_t count) const {
    Entry result{nullptr, object_.place(key)};
    if (!object_.has(key)) return result;
    result.json = &object_.at(key);
    if (!result.json->is_array()) return result;
    if (result.json->size() != count) {
      refuse_key(result.place, "expected " + std::to_string(count) +
                                   " entries, one a prompt, or one value for all, "
                                   "but got " +
                                   std::to_string(result.json->size()) + " entries");
    }
    result = {&(*result.json)[i], result.place + "[" + std::to_string(i) + "]"};
    if (result.json->is_null()) result.json = nullptr;
    return result;
  }

  /// The conditioning images of prompt i: `cond` is a list of images for every prompt, or one such list a prompt.
  [[nodiscard]] std::vector<Entry> conditioning(std::size_t i, std::size_t count) const {
    if (!object_.has("cond")) return {};
    const Json* list = &object_.at("cond");
    std::string place = object_.place("cond");
    if (!list->is_array()) refuse_key(place, "expected a list of images, but got " + written(*list));
    bool is_nested = false;
    for (const Json& item : *list) is_nested = is_nested || item.is_array() || item.is_null();
    if (is_nested) {
      const Entry own = entry("cond", i, count);
      if (own.json == nullptr) return {};
      list = own.json;
      place = own.place;
      if (!list->is_array()) {
        refuse_key(place, "expected a list of images, as for the other prompts, but got " + written(*list));
      }
    }
    std::vector<Entry> images;
    for (std::size_t k = 0; k < list->size(); ++k) {
      images.push_back({&(*list)[k], place + "[" + std::to_string(k) + "]"});
    }
    return images;
  }

  [[nodiscard]] static std::string text_of(const Entry& entry) {
    if (!entry.json->is_string()) refuse_key(entry.place, "expected a text, but got " + written(*entry.json));
    return entry.json->get<std::string>();
  }

  void add(const Entry& entry, Message message) {
    request_.conversations.back().push_back(std::move(message));
    request_.places.back().push_back(entry.place);
  }

  void read_messages() {
    const Json& list = object_.at("messages");
    const std::string place = object_.place("messages");
    if (!list.is_array() || list.empty()) refuse_key(place, "expected a list of messages, but got " + written(list));
    if (!list[0].is_array()) return read_conversation(list, place);
    for (std::size_t i = 0; i < list.size(); ++i) {
      const std::string own = place + "[" + std::to_string(i) + "]";
      if (!list[i].is_array()) refuse_key(own, "expected a list of messages, but got " + written(list[i]));
      read_conversation(list[i], own);
    }
  }

  void read_conversation(const Json& list, const std::string& place) {
    if (list.empty()) refuse_key(place, "expected at least one message");
    request_.conversations.emplace_back();
    request_.places.emplace_back();
    for (std::size_t i = 0; i < list.size(); ++i) {
      const std::string own = place + "[" + std::to_string(i) + "]";
      add({&list[i], own}, read_message(list[i], own));
    }
  }

  [[nodiscard]] Message read_message(const Json& json, const std::string& where) const {
    const JsonObject object(json, where, {"role", "type", "content"});
    if (!object.has("role")) refuse_key(where, "expected 'role': system, user or assistant");
    constexpr Role roles[] = {Role::system, Role::user, Role::assistant};
    const Role role = roles[object.word("role", {"system", "user", "assistant"}, 0)];
    const std::size_t type =
        object.word("type", {"text", image_kinds[0], image_kinds[1], image_kinds[2], image_kinds[3]}, 0);
    if (!object.has("content")) refuse_key(where, "expected 'content'");
    if (type == 0) return Message::of_text(role, object.text("content"));
    const auto kind = static_cast<ImageKind>(type - 1);
    return Message::of_image(role, images_.read(object.at("content"), object.place("content"), kind));
  }

  const Json& json_;
  JsonObject object_;
  const Selection& selection_;
  ImageReader images_;
  SequenceRequest request_;
};

}  // namespace

SequenceRequest read_sequence_request(const std::string& text, Selection& selection, bool base_size_is_given) {
  const Json json = parse_json(text, root);
  return Reader(json, selection, base_size_is_given).read_all();
}

}  // namespace hunyuan_reso::cli
