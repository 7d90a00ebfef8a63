// SPDX-License-Identifier: MIT
// Messages as sections (sequence.md, section 2): both templates, chains of thought, unconditional rows, batches.
#include <hunyuan_reso/chat_template.hpp>
#include <hunyuan_reso/result.hpp>

#include <doctest/doctest.h>

#include "support/random.hpp"

namespace hunyuan_reso_test {
namespace {

using namespace hunyuan_reso;

using Messages = std::vector<Message>;
using Texts = std::vector<std::string>;

/// Tags and bytes, so that a tag is one token.
std::vector<TokenId> encode(std::string_view text) {
  std::vector<TokenId> ids;
  while (!text.empty()) {
    const std::size_t end = text.find('>') + 1;
    const auto special = text[0] == '<' && end != 0 ? find_token(text.substr(0, end)) : std::nullopt;
    ids.push_back(special ? *special : 1000 + static_cast<unsigned char>(text[0]));
    text.remove_prefix(special ? end : 1);
  }
  return ids;
}

ImageBlock image(SectionKind kind) {
  ImageBlock block;
  const bool vae = kind != SectionKind::cond_vit_image;
  const bool vit = kind == SectionKind::cond_vit_image || kind == SectionKind::cond_joint_image;
  block.token_length = vae ? 6 : 0;
  block.vit_token_length = vit ? 4 : 0;
  block.base_size = 1024;
  block.ratio_index = 16;
  return block;
}
Message image_message(Role role, SectionKind kind) { return Message::of_image(role, kind, image(kind)); }
Message text_message(Role role, std::string text) { return Message::of_text(role, std::move(text)); }

/// Sections as texts; images by kind, texts that become <cfg> with a star in front.
Texts rendered(const Messages& messages, const ModelProfile& profile, const ChatOptions& options,
               bool unconditional = false) {
  const auto sections = render_chat(messages, profile, options, unconditional);
  if (!sections) return {std::string("error ") + std::string(hunyuan_reso::message(sections.error()))};
  const char* kinds[] = {"", "[gen]", "[vae]", "[vit]", "[joint]"};
  Texts texts;
  for (const Section& section : *sections) {
    const bool is_text = section.kind == SectionKind::text;
    texts.push_back(is_text ? (section.unconditional ? "*" : "") + section.text
                            : kinds[static_cast<std::size_t>(section.kind)]);
  }
  return texts;
}

ChatOptions gen_text(BotTask task, ChatTemplate chat_template = ChatTemplate::instruct) {
  ChatOptions options;
  options.chat_template = chat_template;
  options.mode = ChatMode::gen_text;
  options.bot_task = task;
  return options;
}
ChatOptions gen_image(ChatTemplate chat_template = ChatTemplate::instruct) {
  ChatOptions options;
  options.chat_template = chat_template;
  return options;
}

TEST_CASE("turns") {
  const Messages messages{text_message(Role::system, "S"), image_message(Role::user, SectionKind::cond_joint_image),
                          text_message(Role::user, "q"), text_message(Role::assistant, "a"),
                          image_message(Role::assistant, SectionKind::gen_image)};
  CHECK(rendered(messages, profiles::instruct, gen_image()) == Texts{"", "S", "\n\n", "User: ", "[joint]", "q", "\n\n",
                                                                     "Assistant: ", "<answer>a</answer>", "<answer>",
                                                                     "[gen]", "</answer>", "\n\n"});
  CHECK(rendered(messages, profiles::instruct, gen_image(), true) == Texts{"", "S", "\n\n", "User: ", "[joint]", "*q",
                                                                           "\n\n", "Assistant: ", "*<answer>a</answer>",
                                                                           "<answer>", "[gen]", "</answer>", "\n\n"});
  CHECK(rendered(messages, profiles::instruct, gen_image(ChatTemplate::pretrain)) ==
        Texts{"", "S", "", "", "[joint]", "q", "", "", "a", "", "[gen]", "", ""});
  CHECK(rendered({text_message(Role::assistant, "a")}, profiles::base, gen_image()) ==
        Texts{"Assistant: ", "a", "\n\n"});
  CHECK(rendered({image_message(Role::user, SectionKind::gen_image)}, profiles::instruct, gen_image()) ==
        Texts{"User: ", "[gen]", "\n\n"});
  CHECK(rendered({}, profiles::instruct, gen_image()).empty());
}

TEST_CASE("assistant prefixes") {
  const Messages user{text_message(Role::user, "q")};
  const Messages assistant{text_message(Role::user, "q"), text_message(Role::assistant, "a")};
  const auto last = [](const Messages& messages, BotTask task, ChatTemplate chat_template = ChatTemplate::instruct) {
    return rendered(messages, profiles::instruct, gen_text(task, chat_template)).back();
  };
  CHECK(last(user, BotTask::automatic) == "Assistant: ");
  CHECK(last(user, BotTask::image).empty());
  CHECK(last(user, BotTask::think) == "Assistant: <think>");
  CHECK(last(user, BotTask::think_recaption) == "Assistant: <think>");
  CHECK(last(user, BotTask::recaption) == "Assistant: <recaption>");
  CHECK(last(user, BotTask::img_ratio) == "Assistant: <answer><boi><img_size_1024>");
  CHECK(last(user, BotTask::img_ratio, ChatTemplate::pretrain) == "<boi><img_size_1024>");
  CHECK(last(user, BotTask::think, ChatTemplate::pretrain) == "<think>");
  // A turn that goes on has neither its suffix nor a second prefix.
  CHECK(last(assistant, BotTask::think) == "<think>");
  CHECK(rendered(assistant, profiles::instruct, gen_text(BotTask::automatic)) ==
        Texts{"User: ", "q", "\n\n", "Assistant: ", "<answer>a</answer>", ""});
  CHECK(rendered({}, profiles::instruct, gen_text(BotTask::automatic)) == Texts{"Assistant: "});
  ChatOptions none = gen_text(BotTask::think);
  none.add_assistant_prefix = false;
  CHECK(rendered(assistant, profiles::instruct, none).back() == "\n\n");
  ChatOptions other_size = gen_text(BotTask::img_ratio);
  other_size.base_size = 512;
  CHECK(rendered(user, profiles::instruct, other_size).back() == "Assistant: <answer><boi><img_size_512>");
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

/// The split as section 2 words it, over whole copies.
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
    CHECK(rendered({text_message(Role::assistant, text)}, profiles::instruct, options) == expected);
  }
  CHECK(split_texts > 1000);
}

TEST_CASE("tags stay in an unconditional chain of thought") {
  const Messages messages{text_message(Role::assistant, "x<think>a</think>b<recaption>c</recaption>")};
  CHECK(rendered(messages, profiles::instruct, gen_image(), true) ==
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
      messages.push_back(image_message(role, static_cast<SectionKind>(1 + random.below(4))));
    }
  }
  return messages;
}

TEST_CASE("unconditional rows are as long, with everything at the same places") {
  Random random(43);
  for (int round = 0; round < 2000; ++round) {
    const Messages messages = random_conversation(random);
    ChatOptions options = gen_text(static_cast<BotTask>(random.below(6)), static_cast<ChatTemplate>(random.below(2)));
    options.mode = static_cast<ChatMode>(random.below(2));
    options.drop_think = random.below(2) == 0;
    const auto batch = encode_chat_batch({messages}, profiles::instruct, options, encode, 2);
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
      CHECK(row.first_pad_position == -1);
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
  const auto batch = encode_chat_batch({first, second}, profiles::instruct, options, encode, 1);
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
  CHECK(encode_chat_batch({first, second}, profiles::instruct, options, encode, 0)->rows.size() == 2);
  CHECK(encode_chat_batch({}, profiles::instruct, options, encode, 0).error() == Errc::empty_sequence);
  CHECK(encode_chat_batch({first, second}, profiles::instruct, options, encode, 0, 23));
  const auto too_long = encode_chat_batch({first, second}, profiles::instruct, options, encode, 0, 22);
  CHECK(too_long.error() == Errc::sequence_too_long);
  CHECK(too_long.position() == 23);
}

TEST_CASE("what a message must not hold") {
  const Message text = text_message(Role::user, "q");
  const auto refused = [&text](const Message& bad) {
    return render_chat(Messages{text, bad}, profiles::instruct, gen_image());
  };
  const auto in_system = refused(image_message(Role::system, SectionKind::cond_vae_image));
  CHECK(in_system.error() == Errc::image_in_system_message);
  CHECK(in_system.position() == 1);
  const SectionKind kinds[] = {SectionKind::gen_image, SectionKind::cond_vae_image, SectionKind::cond_vit_image,
                               SectionKind::cond_joint_image};
  for (const SectionKind kind : kinds) {
    CHECK(refused(image_message(Role::user, kind)));
    for (const SectionKind other : kinds) {
      const bool same = image(kind).token_length == image(other).token_length &&
                        image(kind).vit_token_length == image(other).vit_token_length;
      const auto result = refused(Message::of_image(Role::user, kind, image(other)));
      CHECK(result.error() == (same ? Errc::none : Errc::image_kind_mismatch));
      if (!same) CHECK(result.position() == 1);
    }
  }
  // A size or ratio without a token is the message's fault, too, wherever its section is.
  Message shape = image_message(Role::assistant, SectionKind::gen_image);
  shape.image.base_size = 960;
  const auto unknown_size = encode_chat_batch({{text, shape}}, profiles::instruct, gen_image(), encode, 0);
  CHECK(unknown_size.error() == Errc::unknown_base_size);
  CHECK(unknown_size.position() == 1);
  shape.image.base_size = 1024;
  shape.image.ratio_index = 37;
  CHECK(refused(shape).error() == Errc::ratio_index_out_of_range);
  const auto unnamed = encode_chat_batch({{text, text, shape}}, profiles::panorama, gen_image(), encode, 0);
  CHECK(unnamed.error() == Errc::ratio_token_id_unknown);
  CHECK(unnamed.position() == 2);
  shape.image.add_image_shape_token = false;
  CHECK(refused(shape));
  ChatOptions options = gen_text(BotTask::img_ratio);
  options.base_size = 960;
  const auto sizeless = render_chat(Messages{text, text}, profiles::instruct, options);
  CHECK(sizeless.error() == Errc::unknown_base_size);
  CHECK(sizeless.position() == 2);
  const auto batch = encode_chat_batch({{text}, {text, image_message(Role::system, SectionKind::gen_image)}},
                                       profiles::instruct, gen_image(), encode, 0);
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

TEST_CASE("requests as messages") {
  ImageRequest request;
  request.prompt = "p";
  CHECK(make_messages(request).size() == 1);
  request.system = "s";
  request.conditioning_images = {image_message(Role::assistant, SectionKind::cond_vae_image)};
  request.has_chain_of_thought = true;
  request.has_image = true;
  request.image = image(SectionKind::gen_image);
  CHECK(rendered(make_messages(request), profiles::instruct, gen_image()) ==
        Texts{"", "s", "\n\n", "User: ", "[vae]", "p", "\n\n", "Assistant: ", "<answer></answer>", "<answer>", "[gen]",
              "</answer>", "\n\n"});
  const ChatOptions options = ChatOptions::of(profiles::instruct, ChatMode::gen_text);
  CHECK(options.bot_task == BotTask::think_recaption);
  CHECK(ChatOptions::of(profiles::base, ChatMode::gen_image).chat_template == ChatTemplate::pretrain);
}

}  // namespace
}  // namespace hunyuan_reso_test
