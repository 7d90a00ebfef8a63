// SPDX-License-Identifier: MIT
// Messages as sections: both templates, chains of thought, unconditional rows, batches.
#include <hunyuan_reso/chat.hpp>

#include <doctest/doctest.h>

#include "support/random.hpp"

namespace hunyuan_reso_test {
namespace {

using namespace hunyuan_reso;

using Messages = std::vector<Message>;
using Texts = std::vector<std::string>;

std::vector<TokenId> encode_bytes(std::string_view text) {
  std::vector<TokenId> ids;
  for (const char c : text) ids.push_back(1000 + static_cast<unsigned char>(c));
  return ids;
}

/// Tags and bytes, so that a tag is one token.
std::vector<TokenId> encode(std::string_view text) {
  return with_special_tokens(profiles::instruct, encode_bytes)(text);
}

const Model& instruct = model_for<profiles::instruct>;

ImageInfo image(ImageKind kind) {
  ImageInfo info;
  info.kind = kind;
  info.image_token_length = has_vae_run(kind) ? 6 : 0;
  info.vit_token_length = has_vit_run(kind) ? 4 : 0;
  info.base_size = 1024;
  info.ratio_index = 16;
  return info;
}
Message image_message(Role role, ImageKind kind) { return Message::of_image(role, image(kind)); }
Message text_message(Role role, std::string text) { return Message::of_text(role, std::move(text)); }

/// Sections as texts; images by kind, texts that become <cfg> with a star in front.
Texts rendered(const Messages& messages, const Model& model, const ChatOptions& options, bool unconditional = false) {
  const auto sections = render_chat(model, messages, options, unconditional);
  if (!sections) return {std::string("error ") + hunyuan_reso::message(sections.error())};
  const char* kinds[] = {"[gen]", "[vae]", "[vit]", "[joint]"};
  Texts texts;
  for (const Section& section : *sections) {
    texts.push_back(section.is_image ? kinds[static_cast<std::size_t>(section.image.kind)]
                                     : (section.unconditional ? "*" : "") + section.text);
  }
  return texts;
}

ChatOptions gen_text(BotTask task, const TemplateTexts& texts = instruct_texts()) {
  ChatOptions options;
  options.texts = texts;
  options.mode = ChatMode::gen_text;
  options.bot_task = task;
  return options;
}
ChatOptions gen_image(const TemplateTexts& texts = instruct_texts()) {
  ChatOptions options;
  options.texts = texts;
  return options;
}

TEST_CASE("turns") {
  const Messages messages{text_message(Role::system, "S"), image_message(Role::user, ImageKind::cond_joint),
                          text_message(Role::user, "q"), text_message(Role::assistant, "a"),
                          image_message(Role::assistant, ImageKind::generated)};
  CHECK(rendered(messages, instruct, gen_image()) == Texts{"", "S", "\n\n", "User: ", "[joint]", "q", "\n\n",
                                                           "Assistant: ", "<answer>a</answer>", "<answer>", "[gen]",
                                                           "</answer>", "\n\n"});
  CHECK(rendered(messages, instruct, gen_image(), true) == Texts{"", "S", "\n\n", "User: ", "[joint]", "*q", "\n\n",
                                                                 "Assistant: ", "*<answer>a</answer>", "<answer>",
                                                                 "[gen]", "</answer>", "\n\n"});
  CHECK(rendered(messages, instruct, gen_image(pretrain_texts())) ==
        Texts{"", "S", "", "", "[joint]", "q", "", "", "a", "", "[gen]", "", ""});
  CHECK(rendered({text_message(Role::assistant, "a")}, model_for<profiles::base>, gen_image()) ==
        Texts{"Assistant: ", "a", "\n\n"});
  CHECK(rendered({image_message(Role::user, ImageKind::generated)}, instruct, gen_image()) ==
        Texts{"User: ", "[gen]", "\n\n"});
  CHECK(rendered({}, instruct, gen_image()).empty());
}

TEST_CASE("assistant prefixes") {
  const Messages user{text_message(Role::user, "q")};
  const Messages assistant{text_message(Role::user, "q"), text_message(Role::assistant, "a")};
  const auto last = [](const Messages& messages, BotTask task, const TemplateTexts& texts = instruct_texts()) {
    return rendered(messages, instruct, gen_text(task, texts)).back();
  };
  CHECK(last(user, BotTask::automatic) == "Assistant: ");
  CHECK(last(user, BotTask::image).empty());
  CHECK(last(user, BotTask::think) == "Assistant: <think>");
  CHECK(last(user, BotTask::think_recaption) == "Assistant: <think>");
  CHECK(last(user, BotTask::recaption) == "Assistant: <recaption>");
  CHECK(last(user, BotTask::img_ratio) == "Assistant: <answer><boi><img_size_1024>");
  CHECK(last(user, BotTask::img_ratio, pretrain_texts()) == "<boi><img_size_1024>");
  CHECK(last(user, BotTask::think, pretrain_texts()) == "<think>");
  // A turn that goes on has neither its suffix nor a second prefix.
  CHECK(last(assistant, BotTask::think) == "<think>");
  CHECK(rendered(assistant, instruct, gen_text(BotTask::automatic)) ==
        Texts{"User: ", "q", "\n\n", "Assistant: ", "<answer>a</answer>", ""});
  CHECK(rendered({}, instruct, gen_text(BotTask::automatic)) == Texts{"Assistant: "});
  ChatOptions none = gen_text(BotTask::think);
  none.add_assistant_prefix = false;
  CHECK(rendered(assistant, instruct, none).back() == "\n\n");
  // The size token is that of the model's base size, under the profile's own name for it.
  const ChatOptions ratio = gen_text(BotTask::img_ratio);
  CHECK(rendered(user, *Model::create(profiles::instruct, 512), ratio).back() ==
        "Assistant: <answer><boi><img_size_512>");
  ModelProfile larger = profiles::instruct;
  larger.size_tokens.append(12288, 131000);
  CHECK(rendered(user, *Model::create(larger, 12288), ratio).back() == "Assistant: <answer><boi><img_size_12288>");
}

// Python's str.split with a separator.
Texts split(const std::string& text, const std::string& separator) {
  Texts parts;
  std::size_t start = 0;
  for (std::size_t end = 0; (end = text.find(separator, start)) != std::string::npos; start = end + separator.size()) {
    parts.push_back(text.substr(start, end - start));
  }
  parts.push_back(text.substr(start));
  return parts;
}

/// The split in upstream's words, over whole copies.
void plain_chain(const std::string& text, bool drop_think, Texts& out) {
  const auto has = [&text](const char* tag) { return text.find(tag) != std::string::npos; };
  const bool thinks = has("<think>") && has("</think>");
  if (!thinks && !(has("<recaption>") && has("</recaption>"))) {
    if (!text.empty()) out.push_back(text);
    return;
  }
  const std::string open = thinks ? "<think>" : "<recaption>";
  const std::string close = thinks ? "</think>" : "</recaption>";
  plain_chain(split(text, open)[0], drop_think, out);
  if (!thinks || !drop_think) {
    out.push_back(open);
    out.push_back(split(split(text, open)[1], close)[0]);
    out.push_back(close);
  }
  plain_chain(split(text, close)[1], drop_think, out);
}

TEST_CASE("chains of thought, tags in any order") {
  Random random(41);
  const char* parts[] = {"<think>", "</think>", "<recaption>", "</recaption>", "a", "b ", "<answer>"};
  std::size_t split_texts = 0;
  for (int round = 0; round < 5000; ++round) {
    std::string text;
    for (std::uint64_t i = random.below(10); i != 0; --i) text += parts[random.below(7)];
    ChatOptions options = gen_image();
    options.drop_think = random.below(2) == 0;
    Texts expected{"Assistant: "};
    const auto has = [&text](const char* tag) { return text.find(tag) != std::string::npos; };
    if ((has("<think>") && has("</think>")) || (has("<recaption>") && has("</recaption>"))) {
      plain_chain(text, options.drop_think, expected);
      ++split_texts;
    } else {
      expected.push_back("<answer>" + text + "</answer>");
    }
    expected.push_back("\n\n");
    CHECK(rendered({text_message(Role::assistant, text)}, instruct, options) == expected);
  }
  CHECK(split_texts > 1000);
}

TEST_CASE("tags stay in an unconditional chain of thought") {
  const Messages messages{text_message(Role::assistant, "x<think>a</think>b<recaption>c</recaption>")};
  CHECK(rendered(messages, instruct, gen_image(), true) ==
        Texts{"Assistant: ", "*x", "<think>", "*a", "</think>", "*b", "<recaption>", "*c", "</recaption>", "\n\n"});
}

Messages random_conversation(Random& random) {
  const char* texts[] = {"", "q", "hello", "<think>t</think>rest", "<recaption>r</recaption>", "\n\n"};
  const Role roles[] = {Role::system, Role::user, Role::assistant};
  Messages messages;
  for (std::uint64_t i = random.below(7); i != 0; --i) {
    const Role role = roles[random.below(3)];
    if (role == Role::system || random.below(2) == 0) {
      messages.push_back(text_message(role, texts[random.below(6)]));
    } else {
      messages.push_back(image_message(role, static_cast<ImageKind>(random.below(4))));
    }
  }
  return messages;
}

TEST_CASE("unconditional rows are as long, with everything at the same places") {
  Random random(43);
  for (int round = 0; round < 2000; ++round) {
    const Messages messages = random_conversation(random);
    ChatOptions options =
        gen_text(static_cast<BotTask>(random.below(6)), random.below(2) == 0 ? pretrain_texts() : instruct_texts());
    options.mode = static_cast<ChatMode>(random.below(2));
    options.drop_think = random.below(2) == 0;
    const auto batch = encode_chat_batch(instruct, {messages}, options, encode, 2);
    if (messages.empty() && options.mode == ChatMode::gen_image) {
      CHECK(batch.error() == Errc::empty_sequence);
      continue;
    }
    REQUIRE(batch);
    REQUIRE(batch->rows.size() == 3);
    const TokenSequence& first = batch->rows[0];
    std::vector<TokenId> ids(static_cast<std::size_t>(first.length));
    CHECK(first.expand(ids.data(), ids.size()) == Errc::none);
    for (const TokenSequence& row : batch->rows) {
      CHECK(row.length == first.length);
      CHECK(!row.first_pad_position);
      CHECK(row.text_slices == first.text_slices);
      CHECK(row.gen_timestep_positions == first.gen_timestep_positions);
      CHECK(row.cond_timestep_positions == first.cond_timestep_positions);
      CHECK(row.joint_slices() == first.joint_slices());
      CHECK(row.image_runs.size() == first.image_runs.size());
      std::vector<TokenId> others(ids.size());
      CHECK(row.expand(others.data(), others.size()) == Errc::none);
      std::size_t wrong = 0;
      for (std::size_t i = 0; i < ids.size(); ++i) {
        const bool replaced = &row != &first && others[i] == tokens::cfg;
        if (others[i] != ids[i] && !replaced) ++wrong;
      }
      CHECK(wrong == 0);
    }
    std::vector<TokenId> second(ids.size());
    std::vector<TokenId> third(ids.size());
    CHECK(batch->rows[1].expand(second.data(), second.size()) == Errc::none);
    CHECK(batch->rows[2].expand(third.data(), third.size()) == Errc::none);
    CHECK(second == third);  // every pass after the first is unconditional
  }
}

TEST_CASE("batches of several conversations") {
  const Messages first{text_message(Role::user, "a")};
  const Messages second{text_message(Role::user, "bcd")};
  const ChatOptions options = gen_text(BotTask::automatic);
  const auto batch = encode_chat_batch(instruct, {first, second}, options, encode, 1);
  REQUIRE(batch);
  REQUIRE(batch->rows.size() == 4);  // both conditional, then both unconditional
  const std::int32_t lengths[] = {21, 23, 21, 23};
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(batch->rows[i].length == 23);
    CHECK(batch->rows[i].real_length() == lengths[i]);
    std::vector<TokenId> ids(23);
    CHECK(batch->rows[i].expand(ids.data(), ids.size()) == Errc::none);
    CHECK(ids[7] == (i >= 2 ? tokens::cfg : i == 0 ? 1000 + 'a' : 1000 + 'b'));
    CHECK((ids[22] == tokens::pad) == (i % 2 == 0));
  }
  CHECK(encode_chat_batch(instruct, {first, second}, options, encode, 0)->rows.size() == 2);
  CHECK(encode_chat_batch(instruct, {}, options, encode, 0).error() == Errc::empty_sequence);
  CHECK(encode_chat_batch(instruct, {first, second}, options, encode, 0, 23));
  const auto too_long = encode_chat_batch(instruct, {first, second}, options, encode, 0, 22);
  CHECK(too_long.error() == Errc::sequence_too_long);
  CHECK(too_long.position() == 23);
}

TEST_CASE("what a message must not hold") {
  const Message text = text_message(Role::user, "q");
  const auto refused = [&text](const Message& bad) { return render_chat(instruct, Messages{text, bad}, gen_image()); };
  const auto in_system = refused(image_message(Role::system, ImageKind::cond_vae));
  CHECK(in_system.error() == Errc::image_in_system_message);
  CHECK(in_system.position() == 1);
  const ImageKind kinds[] = {ImageKind::generated, ImageKind::cond_vae, ImageKind::cond_vit, ImageKind::cond_joint};
  for (const ImageKind kind : kinds) {
    CHECK(refused(image_message(Role::user, kind)));
    for (const ImageKind other : kinds) {
      const bool same = image(kind).image_token_length == image(other).image_token_length &&
                        image(kind).vit_token_length == image(other).vit_token_length;
      Message relabelled = image_message(Role::user, other);
      relabelled.image.kind = kind;
      const auto result = refused(relabelled);
      CHECK(result.error() == (same ? Errc::none : Errc::image_kind_mismatch));
      if (!same) CHECK(result.position() == 1);
    }
    Message negative = image_message(Role::user, kind);
    (kind == ImageKind::cond_vit ? negative.image.vit_token_length : negative.image.image_token_length) = -4;
    CHECK(refused(negative).error() == Errc::negative_length);
    CHECK(refused(negative).position() == 1);
  }
  const Model& panorama = model_for<profiles::panorama>;
  // A size or ratio without a token is the message's fault, too, wherever its section is.
  Message shape = image_message(Role::assistant, ImageKind::generated);
  shape.image.base_size = 960;
  const auto unknown_size = encode_chat_batch(instruct, {{text, shape}}, gen_image(), encode, 0);
  CHECK(unknown_size.error() == Errc::unknown_base_size);
  CHECK(unknown_size.position() == 1);
  shape.image.base_size = 1024;
  shape.image.ratio_index = 37;
  CHECK(refused(shape).error() == Errc::ratio_index_out_of_range);
  const auto unnamed = encode_chat_batch(panorama, {{text, text, shape}}, gen_image(), encode, 0);
  CHECK(unnamed.error() == Errc::ratio_token_id_unknown);
  CHECK(unnamed.position() == 2);
  shape.image.add_image_shape_token = false;
  CHECK(refused(shape));
  const auto sizeless =
      render_chat(*Model::create(profiles::instruct, 960), Messages{text, text}, gen_text(BotTask::img_ratio));
  CHECK(sizeless.error() == Errc::unknown_base_size);
  CHECK(sizeless.position() == 2);
  const auto batch = encode_chat_batch(instruct, {{text}, {text, image_message(Role::system, ImageKind::generated)}},
                                       gen_image(), encode, 0);
  CHECK(batch.error() == Errc::image_in_system_message);
  CHECK(batch.position() == 1);
}

TEST_CASE("roles by name") {
  CHECK(*parse_role("system") == Role::system);
  CHECK(*parse_role("user") == Role::user);
  CHECK(*parse_role("assistant") == Role::assistant);
  for (const char* name : {"", "User", "tool", "assistant "}) CHECK(parse_role(name).error() == Errc::unknown_role);
  static_assert(parse_role("robot").error() == Errc::unknown_role);
}

TEST_CASE("a template is data") {
  ChatOptions options = gen_text(BotTask::img_ratio);
  options.texts = {"/S", "U:", "/U", "A:", "/A", "<a>", "</a>"};
  const Messages messages{text_message(Role::system, "s"), text_message(Role::user, "u"),
                          text_message(Role::assistant, "a"), text_message(Role::user, "v")};
  CHECK(rendered(messages, instruct, options) ==
        Texts{"", "s", "/S", "U:", "u", "/U", "A:", "<a>a</a>", "/A", "U:", "v", "/U", "A:<a><boi><img_size_1024>"});
  options.texts = {nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr};  // as empty texts
  CHECK(rendered(messages, instruct, options) ==
        Texts{"", "s", "", "", "u", "", "", "a", "", "", "v", "", "<boi><img_size_1024>"});
  for (const ModelProfile* profile : profiles::all) {
    const ChatOptions own = ChatOptions::of(*profile, ChatMode::gen_text);
    CHECK(own.texts.answer == profile->template_texts.answer);
    CHECK(own.bot_task == profile->bot_task);
    CHECK(own.drop_think == profile->drop_think);
    CHECK(own.mode == ChatMode::gen_text);
  }
}

TEST_CASE("unconditional passes") {
  const std::vector<Messages> two{{text_message(Role::user, "a")}, {text_message(Role::user, "bcd")}};
  const auto rows = [&two](std::int32_t passes) {
    return encode_chat_batch(instruct, two, gen_text(BotTask::automatic), encode, passes);
  };
  CHECK(rows(-1).error() == Errc::count_out_of_range);
  CHECK(rows(0)->rows.size() == 2);
  const auto five = rows(4);
  REQUIRE(five);
  REQUIRE(five->rows.size() == 10);
  for (std::size_t i = 4; i < 10; ++i) {
    std::vector<TokenId> ids(static_cast<std::size_t>(five->length));
    std::vector<TokenId> first(ids.size());
    CHECK(five->rows[i].expand(ids.data(), ids.size()) == Errc::none);
    CHECK(five->rows[2 + i % 2].expand(first.data(), first.size()) == Errc::none);
    CHECK(ids == first);
  }
}

}  // namespace
}  // namespace hunyuan_reso_test
