// SPDX-License-Identifier: MIT
#include "sequence_input.hpp"

#include <algorithm>

#include "common.hpp"

namespace hunyuan_reso_test {

using hunyuan_reso::BotTask;
using hunyuan_reso::ChatMode;
using hunyuan_reso::Errc;
using hunyuan_reso::ImageInfo;
using hunyuan_reso::ImageKind;
using hunyuan_reso::Message;
using hunyuan_reso::ModelProfile;
using hunyuan_reso::Result;
using hunyuan_reso::Role;
using hunyuan_reso::TokenId;

void only_known_keys(const Json& object, std::initializer_list<const char*> known, const std::string& what) {
  for (const auto& [key, value] : object.members()) {
    const auto is_key = [name = key](const char* text) { return name == text; };
    if (std::none_of(known.begin(), known.end(), is_key)) {
      throw NotApplicable{what + " has the key '" + key + "', which no test handles"};
    }
  }
}

bool given(const Json& object, const char* key) { return object.has(key) && !object[key].is_null(); }

bool flag(const Json& object, const char* key, bool absent) {
  return given(object, key) ? object[key].boolean() : absent;
}

StandInTokenizer::StandInTokenizer(const Json& special_tokens) {
  for (const auto& [name, id] : special_tokens.members()) names_.emplace_back(name, int32(id));
  std::stable_sort(names_.begin(), names_.end(),
                   [](const auto& a, const auto& b) { return a.first.size() > b.first.size(); });
}

std::vector<TokenId> StandInTokenizer::operator()(std::string_view text) const {
  std::vector<TokenId> ids;
  while (!text.empty()) {
    const auto starts = [text](const auto& name) { return text.substr(0, name.first.size()) == name.first; };
    const auto found = std::find_if(names_.begin(), names_.end(), starts);
    if (found != names_.end()) {
      ids.push_back(found->second);
      text.remove_prefix(found->first.size());
    } else {
      ids.push_back(1000 + static_cast<unsigned char>(text.front()));
      text.remove_prefix(1);
    }
  }
  return ids;
}

bool StandInTokenizer::has(const std::string& name) const {
  return std::any_of(names_.begin(), names_.end(), [&name](const auto& entry) { return entry.first == name; });
}

namespace {

/// The part of an image that goes through the VAE, or is generated.
void read_vae_part(const Json& image, ImageInfo& info) {
  only_known_keys(image,
                  {"kind", "token_height", "token_width", "image_height", "image_width", "image_token_length",
                   "base_size", "ratio_index", "add_timestep_token", "add_guidance_token", "add_timestep_r_token",
                   "use_front_boi_token", "add_image_shape_token", "ori_image_width", "ori_image_height"},
                  "the image");
  info.image_token_length = image["image_token_length"].integer();
  info.token_height = int32(image["token_height"]);
  info.token_width = int32(image["token_width"]);
  if (given(image, "image_height")) info.image_height = int32(image["image_height"]);
  if (given(image, "image_width")) info.image_width = int32(image["image_width"]);
  info.base_size = given(image, "base_size") ? int32(image["base_size"]) : 0;
  info.ratio_index = given(image, "ratio_index") ? static_cast<std::size_t>(int32(image["ratio_index"])) : 0;
  info.add_timestep_token = flag(image, "add_timestep_token", true);
  info.add_guidance_token = flag(image, "add_guidance_token", false);
  info.add_timestep_r_token = flag(image, "add_timestep_r_token", false);
  info.use_front_boi_token = flag(image, "use_front_boi_token", true);
  info.add_image_shape_token = flag(image, "add_image_shape_token", true);
}

void read_vit_part(const Json& image, ImageInfo& info) {
  only_known_keys(image,
                  {"token_height", "token_width", "image_height", "image_width", "image_token_length", "base_size",
                   "ratio_index", "ori_image_width", "ori_image_height"},
                  "the ViT image");
  info.vit_token_length = image["image_token_length"].integer();
  info.vit_token_height = int32(image["token_height"]);
  info.vit_token_width = int32(image["token_width"]);
}

BotTask bot_task(const std::string& name) {
  if (name == "auto") return BotTask::automatic;
  if (name == "image") return BotTask::image;
  if (name == "think") return BotTask::think;
  if (name == "recaption") return BotTask::recaption;
  if (name == "img_ratio") return BotTask::img_ratio;
  throw NotApplicable{"the bot task '" + name + "' has no enumerator for a prefix"};
}

/// A list, or one value in place of a list of one.
std::vector<Json> listed(const Json& value) { return value.is_array() ? value.elements() : std::vector<Json>{value}; }

/// The image of a name; upstream refuses None where an image must be.
ImageInfo image_of(const Json& name, const SequenceTables& tables) {
  if (name.is_null()) throw RefusedInput{"an image is null"};
  return tables.image(name.text());
}

/// The system text of sample i: one for all where it is no list.
void add_system(const Json& input, std::size_t i, std::vector<Message>& messages) {
  if (!given(input, "system")) return;
  const bool is_list = input["system"].is_array();
  if (is_list && i >= input["system"].size()) return;
  const Json text = is_list ? input["system"][i] : input["system"];
  if (!text.is_null() && !text.text().empty()) messages.push_back(Message::of_text(Role::system, text.text()));
}

/// The conditioning images of sample i: a list of names, or one name.
std::vector<Json> conditioning_names(const Json& input, std::size_t i, std::size_t samples) {
  if (!given(input, "cond")) return {};
  const std::vector<Json> list = listed(input["cond"]);
  const bool is_flat = !list.empty() && list.front().is_string();
  if (is_flat && samples == 1) return list;
  if (list.size() != samples) throw RefusedInput{"another number of lists of images than prompts"};
  return list[i].is_null() ? std::vector<Json>{} : listed(list[i]);
}

/// The image to generate for sample i; the last one stands for all further samples.
ImageInfo generated_image(const Json& input, std::size_t i, const SequenceTables& tables) {
  const std::vector<Json> list = listed(input["gen"]);
  return image_of(list[std::min(i, list.size() - 1)], tables);
}

std::vector<std::vector<Message>> conversations_of_prompts(const Json& input, const std::string& mode,
                                                           const SequenceTables& tables) {
  const std::vector<Json> prompts = listed(input["prompt"]);
  const std::vector<Json> cots = given(input, "cot") ? listed(input["cot"]) : std::vector<Json>{};
  if (given(input, "cot") && cots.size() != prompts.size()) {
    throw RefusedInput{"another number of chains of thought than prompts"};
  }
  // A text conversation ends before the image, whether one is described or not.
  const bool has_image = mode == "gen_image" && given(input, "gen") && listed(input["gen"]).size() != 0;
  std::vector<std::vector<Message>> conversations;
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    std::vector<Message> messages;
    add_system(input, i, messages);
    for (const Json& name : conditioning_names(input, i, prompts.size())) {
      messages.push_back(Message::of_image(Role::user, image_of(name, tables)));
    }
    messages.push_back(Message::of_text(Role::user, prompts[i].text()));
    if (!cots.empty() && !cots[i].is_null()) messages.push_back(Message::of_text(Role::assistant, cots[i].text()));
    if (has_image) messages.push_back(Message::of_image(Role::assistant, generated_image(input, i, tables)));
    conversations.push_back(messages);
  }
  return conversations;
}

/// A conversation in the OpenAI form. Upstream makes its pictures items of the assistant, in the order of `cond`.
std::vector<Message> openai_messages(const Json& list, const std::vector<Json>& images, const SequenceTables& tables) {
  std::vector<Message> messages;
  std::size_t image = 0;
  for (const Json& entry : list.elements()) {
    only_known_keys(entry, {"role", "content"}, "the message");
    const auto role = hunyuan_reso::parse_role(entry["role"].text());
    if (!role) throw RefusedInput{"a message has an unknown role"};
    if (entry["content"].is_string()) {
      messages.push_back(Message::of_text(*role, entry["content"].text()));
      continue;
    }
    if (!entry["content"].is_array()) throw RefusedInput{"the content of a message is neither text nor list"};
    for (const Json& item : entry["content"].elements()) {
      const std::string type = item["type"].text();
      if (type == "text") {
        messages.push_back(Message::of_text(*role, item["text"].text()));
      } else if (type == "image") {
        if (image >= images.size()) throw RefusedInput{"a message has an image that is not given"};
        messages.push_back(Message::of_image(Role::assistant, image_of(images[image++], tables)));
      } else {
        throw NotApplicable{"an item of the type '" + type + "'"};
      }
    }
  }
  return messages;
}

/// The roles and types that upstream recorded after its conversion are ours.
void require_same(const Json& inner, const std::vector<Message>& messages) {
  bool same = inner.is_array() && inner.size() == messages.size();
  for (std::size_t i = 0; same && i < messages.size(); ++i) {
    const auto role = hunyuan_reso::parse_role(inner[i]["role"].text());
    const auto kind = image_kind(inner[i]["type"].text());
    same = role && *role == messages[i].role && kind.has_value() == messages[i].is_image &&
           (!kind || *kind == messages[i].image.kind);
  }
  if (!same) throw NotApplicable{"the recorded inner messages are others than those converted here"};
}

void read_openai(const Json& entry, const std::string& mode, const SequenceTables& tables, ChatCall& call) {
  const Json input = entry["input"];
  const std::size_t samples = input["openai_messages"].size();
  for (std::size_t i = 0; i < samples; ++i) {
    std::vector<Message> messages =
        openai_messages(input["openai_messages"][i], conditioning_names(input, i, samples), tables);
    if (mode == "gen_image" && given(input, "gen")) {
      messages.push_back(Message::of_image(Role::assistant, generated_image(input, i, tables)));
    }
    if (given(entry, "inner_messages")) require_same(entry["inner_messages"][i], messages);
    call.conversations.push_back(messages);
  }
}

void read_conversations(const Json& entry, const std::string& mode, const SequenceTables& tables, ChatCall& call) {
  const Json input = entry["input"];
  if (given(input, "openai_messages")) {
    read_openai(entry, mode, tables, call);
  } else if (given(input, "messages")) {
    for (const Json& list : input["messages"].elements()) {
      const auto messages = messages_of(list, tables);
      if (!messages && call.refused == Errc::none) call.refused = messages.error();
      call.conversations.push_back(*messages);
    }
  } else {
    call.conversations = conversations_of_prompts(input, mode, tables);
  }
}

}  // namespace

SequenceTables::SequenceTables(const Json& root) : tokenizer_(root["special_tokens"]) {
  for (const auto& [name, image] : root["images"].members()) images_.emplace(name, image);
}

ImageInfo SequenceTables::image(const std::string& name) const {
  const auto found = images_.find(name);
  if (found == images_.end()) throw NotApplicable{"no image is called '" + name + "'"};
  const Json& image = found->second;
  const auto kind = image_kind(image["kind"].text());
  if (!kind) throw NotApplicable{"the image " + name + " is a text"};
  ImageInfo info;
  info.kind = *kind;
  if (info.kind == ImageKind::generated) {
    read_vae_part(image, info);
    return info;
  }
  only_known_keys(image, {"kind", "vae", "vit"}, "the image " + name);
  if (given(image, "vae")) read_vae_part(image["vae"], info);
  if (given(image, "vit")) read_vit_part(image["vit"], info);
  return info;
}

ModelProfile SequenceTables::profile(const std::string& release) const {
  ModelProfile profile = profile_of(release);
  if (release != "base") return profile;
  profile.ratio_tokens = {};
  for (std::size_t i = 0;; ++i) {
    const std::string name = "<img_ratio_" + std::to_string(i) + ">";
    if (!tokenizer_.has(name)) return profile;
    profile.ratio_tokens.append(tokenizer_(name).front());
  }
}

Result<ImageKind> image_kind(const std::string& type) {
  if (type == "text") return Errc::not_a_text;
  if (type == "gen_image") return ImageKind::generated;
  if (type == "cond_vae_image") return ImageKind::cond_vae;
  if (type == "cond_vit_image") return ImageKind::cond_vit;
  if (type == "cond_joint_image" || type == "joint_image") return ImageKind::cond_joint;  // the base release's name
  throw NotApplicable{"the type '" + type + "' has no enumerator"};
}

Result<std::vector<Message>> messages_of(const Json& list, const SequenceTables& tables) {
  std::vector<Message> messages;
  for (const Json& entry : list.elements()) {
    only_known_keys(entry, {"role", "type", "content"}, "the message");
    const auto kind = image_kind(entry["type"].text());
    const auto role = hunyuan_reso::parse_role(entry["role"].text());
    if (!role) return role.error();
    if (kind) {
      ImageInfo image = image_of(entry["content"], tables);
      image.kind = *kind;  // the message's own type, whatever the image is
      messages.push_back(Message::of_image(*role, image));
    } else {
      if (!entry["content"].is_string()) throw NotApplicable{"the content of a text message is no text"};
      messages.push_back(Message::of_text(*role, entry["content"].text()));
    }
  }
  return messages;
}

ChatCall chat_call_of(const Json& entry, const SequenceTables& tables, const std::string& absent_template,
                      const std::string& absent_mode) {
  const Json input = entry["input"];
  only_known_keys(input,
                  {"prompt", "system", "cot", "gen", "cond", "messages", "openai_messages", "mode", "template",
                   "bot_task", "cfg_factor", "drop_think", "max_length", "image_base_size", "add_assistant_prefix"},
                  "the input");
  ChatCall call;
  const std::string mode = given(input, "mode") ? input["mode"].text() : absent_mode;
  if (mode != "gen_image" && mode != "gen_text") throw NotApplicable{"the mode '" + mode + "' has no enumerator"};
  // Upstream asks for pretrain only; every other text is instruct.
  const bool is_pretrain = (given(input, "template") ? input["template"].text() : absent_template) == "pretrain";
  call.options.texts = is_pretrain ? hunyuan_reso::pretrain_texts() : hunyuan_reso::instruct_texts();
  call.options.mode =
      flag(input, "add_assistant_prefix", mode == "gen_text") ? ChatMode::gen_text : ChatMode::gen_image;
  call.options.drop_think = flag(input, "drop_think", false);
  if (given(input, "bot_task")) call.options.bot_task = bot_task(input["bot_task"].text());
  if (given(input, "image_base_size")) call.image_base_size = int32(input["image_base_size"]);
  if (given(input, "cfg_factor") && int32(input["cfg_factor"]) > 1) {
    call.unconditional_passes = int32(input["cfg_factor"]) - 1;
  }
  if (given(input, "max_length")) call.max_length = int32(input["max_length"]);
  read_conversations(entry, mode, tables, call);
  return call;
}

}  // namespace hunyuan_reso_test
