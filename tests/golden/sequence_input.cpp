// SPDX-License-Identifier: MIT
#include "sequence_input.hpp"

#include <algorithm>
#include <stdexcept>

#include "common.hpp"

namespace hunyuan_reso_test {

using hunyuan_reso::BotTask;
using hunyuan_reso::ChatMode;
using hunyuan_reso::ChatTemplate;
using hunyuan_reso::ImageBlock;
using hunyuan_reso::Message;
using hunyuan_reso::ModelProfile;
using hunyuan_reso::Role;
using hunyuan_reso::SectionKind;
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
ImageBlock vae_part(const Json& image) {
  only_known_keys(image,
                  {"kind", "token_height", "token_width", "image_height", "image_width", "image_token_length",
                   "base_size", "ratio_index", "add_timestep_token", "add_guidance_token", "add_timestep_r_token",
                   "use_front_boi_token", "add_image_shape_token", "ori_image_width", "ori_image_height"},
                  "the image");
  ImageBlock block;
  block.token_length = int32(image["image_token_length"]);
  block.token_height = int32(image["token_height"]);
  block.token_width = int32(image["token_width"]);
  block.base_size = given(image, "base_size") ? int32(image["base_size"]) : 0;
  block.ratio_index = given(image, "ratio_index") ? static_cast<std::size_t>(int32(image["ratio_index"])) : 0;
  block.add_timestep_token = flag(image, "add_timestep_token", true);
  block.add_guidance_token = flag(image, "add_guidance_token", false);
  block.add_timestep_r_token = flag(image, "add_timestep_r_token", false);
  block.use_front_boi_token = flag(image, "use_front_boi_token", true);
  block.add_image_shape_token = flag(image, "add_image_shape_token", true);
  return block;
}

void add_vit_part(const Json& image, ImageBlock& block) {
  only_known_keys(image,
                  {"token_height", "token_width", "image_height", "image_width", "image_token_length", "base_size",
                   "ratio_index", "ori_image_width", "ori_image_height"},
                  "the ViT image");
  block.vit_token_length = int32(image["image_token_length"]);
  block.vit_token_height = int32(image["token_height"]);
  block.vit_token_width = int32(image["token_width"]);
}

BotTask bot_task(const std::string& name) {
  if (name == "auto") return BotTask::automatic;
  if (name == "image") return BotTask::image;
  if (name == "think") return BotTask::think;
  if (name == "recaption") return BotTask::recaption;
  if (name == "img_ratio") return BotTask::img_ratio;
  throw NotApplicable{"the bot task '" + name + "' has no enumerator for a prefix"};
}

/// The i-th element, if the list is there and long enough and has no null there.
bool element_given(const Json& input, const char* key, std::size_t i) {
  return given(input, key) && i < input[key].size() && !input[key][i].is_null();
}

std::vector<std::vector<Message>> conversations_of_prompts(const Json& input, const std::string& mode,
                                                           const SequenceTables& tables) {
  std::vector<std::vector<Message>> conversations;
  for (std::size_t i = 0; i < input["prompt"].size(); ++i) {
    hunyuan_reso::ImageRequest request;
    request.prompt = input["prompt"][i].text();
    if (element_given(input, "system", i)) request.system = input["system"][i].text();
    if (element_given(input, "cond", i)) {
      for (const Json& name : input["cond"][i].elements()) {
        const NamedImage image = tables.image(name.text());
        request.conditioning_images.push_back(Message::of_image(Role::user, image.kind, image.block));
      }
    }
    request.has_chain_of_thought = element_given(input, "cot", i);
    if (request.has_chain_of_thought) request.chain_of_thought = input["cot"][i].text();
    // A text conversation ends before the image, whether one is described or not.
    request.has_image = mode == "gen_image" && given(input, "gen") && input["gen"].size() != 0;
    if (request.has_image) {
      const std::size_t last = input["gen"].size() - 1;
      const Json& name = input["gen"][i < last ? i : last];
      request.image = tables.image(name.text()).block;
    }
    conversations.push_back(hunyuan_reso::make_messages(request));
  }
  return conversations;
}

/// The texts of a conversation in the OpenAI form, in order.
std::vector<std::string> openai_texts(const Json& messages) {
  std::vector<std::string> texts;
  for (const Json& message : messages.elements()) {
    if (message["content"].is_string()) {
      texts.push_back(message["content"].text());
      continue;
    }
    for (const Json& item : message["content"].elements()) {
      if (item["type"].text() == "text") texts.push_back(item["text"].text());
    }
  }
  return texts;
}

/// Roles and types as upstream converted them; texts and images in the order they came in.
std::vector<Message> openai_messages(const Json& inner, const Json& outer, const Json* images,
                                     const SequenceTables& tables) {
  const std::vector<std::string> texts = openai_texts(outer);
  std::size_t text = 0;
  std::size_t image = 0;
  std::vector<Message> messages;
  for (const Json& entry : inner.elements()) {
    const auto role = hunyuan_reso::parse_role(entry["role"].text());
    if (!role) throw NotApplicable{"the recorded inner messages have an unknown role"};
    const SectionKind kind = section_kind(entry["type"].text());
    if (kind == SectionKind::text) {
      messages.push_back(Message::of_text(*role, texts.at(text++)));
    } else {
      if (images == nullptr) throw std::runtime_error("inner_messages has an image, the input has none");
      messages.push_back(Message::of_image(*role, kind, tables.image((*images)[image++].text()).block));
    }
  }
  return messages;
}

void read_conversations(const Json& entry, const std::string& mode, const SequenceTables& tables, ChatCall& call) {
  const Json input = entry["input"];
  if (given(input, "openai_messages")) {
    if (!given(entry, "inner_messages")) {
      throw NotApplicable{"refused while converting from the OpenAI form, which this library does not do"};
    }
    if (!entry["inner_messages"].is_array()) throw NotApplicable{"inner_messages is no list"};
    for (std::size_t i = 0; i < entry["inner_messages"].size(); ++i) {
      const bool has_images = element_given(input, "cond", i);
      const Json images = has_images ? input["cond"][i] : input;
      call.conversations.push_back(openai_messages(entry["inner_messages"][i], input["openai_messages"][i],
                                                   has_images ? &images : nullptr, tables));
    }
  } else if (given(input, "messages")) {
    for (const Json& list : input["messages"].elements()) {
      const auto messages = messages_of(list, tables);
      if (!messages && call.refused == hunyuan_reso::Errc::none) call.refused = messages.error();
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

NamedImage SequenceTables::image(const std::string& name) const {
  const auto found = images_.find(name);
  if (found == images_.end()) throw NotApplicable{"no image is called '" + name + "'"};
  const Json& image = found->second;
  NamedImage result;
  result.kind = section_kind(image["kind"].text());
  if (result.kind == SectionKind::gen_image) {
    result.block = vae_part(image);
    return result;
  }
  only_known_keys(image, {"kind", "vae", "vit"}, "the image " + name);
  if (given(image, "vae")) result.block = vae_part(image["vae"]);
  if (given(image, "vit")) add_vit_part(image["vit"], result.block);
  return result;
}

ModelProfile SequenceTables::profile(const std::string& release) const {
  ModelProfile profile = profile_of(release);
  if (release != "base") return profile;
  for (hunyuan_reso::RatioTokenRange& range : profile.ratio_tokens) range = {};
  std::size_t used = 0;
  for (std::size_t i = 0;; ++i) {
    const std::string name = "<img_ratio_" + std::to_string(i) + ">";
    if (!tokenizer_.has(name)) return profile;
    const TokenId id = tokenizer_(name).front();
    hunyuan_reso::RatioTokenRange* last = used == 0 ? nullptr : &profile.ratio_tokens[used - 1];
    if (last != nullptr && last->first_id + static_cast<TokenId>(last->count) == id) {
      ++last->count;
    } else if (used < ModelProfile::max_ratio_token_ranges) {
      profile.ratio_tokens[used++] = {i, 1, id};
    } else {
      throw NotApplicable{"the table has more ranges of ratio tokens than a profile"};
    }
  }
}

SectionKind section_kind(const std::string& type) {
  if (type == "text") return SectionKind::text;
  if (type == "gen_image") return SectionKind::gen_image;
  if (type == "cond_vae_image") return SectionKind::cond_vae_image;
  if (type == "cond_vit_image") return SectionKind::cond_vit_image;
  if (type == "cond_joint_image") return SectionKind::cond_joint_image;
  throw NotApplicable{"the type '" + type + "' has no enumerator"};
}

hunyuan_reso::Result<std::vector<Message>> messages_of(const Json& list, const SequenceTables& tables) {
  std::vector<Message> messages;
  for (const Json& entry : list.elements()) {
    only_known_keys(entry, {"role", "type", "content"}, "the message");
    const SectionKind kind = section_kind(entry["type"].text());
    const auto role = hunyuan_reso::parse_role(entry["role"].text());
    if (!role) return role.error();
    if (!entry["content"].is_string()) throw NotApplicable{"the content of a message is no text"};
    if (kind == SectionKind::text) {
      messages.push_back(Message::of_text(*role, entry["content"].text()));
    } else {
      messages.push_back(Message::of_image(*role, kind, tables.image(entry["content"].text()).block));
    }
  }
  return messages;
}

ChatCall chat_call_of(const Json& entry, const SequenceTables& tables, ChatTemplate absent_template,
                      const std::string& absent_mode) {
  const Json input = entry["input"];
  only_known_keys(input,
                  {"prompt", "system", "cot", "gen", "cond", "messages", "openai_messages", "mode", "template",
                   "bot_task", "cfg_factor", "drop_think", "max_length", "image_base_size", "add_assistant_prefix"},
                  "the input");
  ChatCall call;
  const std::string mode = given(input, "mode") ? input["mode"].text() : absent_mode;
  if (mode != "gen_image" && mode != "gen_text") throw NotApplicable{"the mode '" + mode + "' has no enumerator"};
  read_conversations(entry, mode, tables, call);
  call.options.chat_template = absent_template;
  if (given(input, "template")) {  // upstream asks for pretrain only; every other text is instruct
    call.options.chat_template =
        input["template"].text() == "pretrain" ? ChatTemplate::pretrain : ChatTemplate::instruct;
  }
  call.options.mode =
      flag(input, "add_assistant_prefix", mode == "gen_text") ? ChatMode::gen_text : ChatMode::gen_image;
  call.options.drop_think = flag(input, "drop_think", false);
  if (given(input, "bot_task")) call.options.bot_task = bot_task(input["bot_task"].text());
  if (given(input, "image_base_size")) {
    call.options.base_size = call.image_base_size = int32(input["image_base_size"]);
  }
  if (given(input, "cfg_factor") && int32(input["cfg_factor"]) > 1) {
    call.unconditional_passes = int32(input["cfg_factor"]) - 1;
  }
  if (given(input, "max_length")) call.max_length = int32(input["max_length"]);
  return call;
}

}  // namespace hunyuan_reso_test
