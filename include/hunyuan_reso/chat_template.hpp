// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_CHAT_TEMPLATE_HPP
#define HUNYUAN_RESO_CHAT_TEMPLATE_HPP

#include "sequence.hpp"

namespace hunyuan_reso {
inline namespace v0_1 {

/// Who speaks in a message.
enum class Role : std::uint8_t { system, user, assistant };

/// "system", "user" or "assistant"; Errc::unknown_role for any other text.
[[nodiscard]] constexpr Result<Role> parse_role(std::string_view text) noexcept {
  if (text == "system") return Role::system;
  if (text == "user") return Role::user;
  if (text == "assistant") return Role::assistant;
  return Errc::unknown_role;
}

/// One item of a conversation: a text, an image to generate or generated, or a conditioning image.
struct Message {
  Role role = Role::user;
  SectionKind kind = SectionKind::text;
  std::string text;
  ImageBlock image{};

  [[nodiscard]] static Message of_text(Role role, std::string text) {
    Message message;
    message.role = role;
    message.text = std::move(text);
    return message;
  }
  [[nodiscard]] static Message of_image(Role role, SectionKind kind, const ImageBlock& image) {
    Message message;
    message.role = role;
    message.kind = kind;
    message.image = image;
    return message;
  }
};

/// Whether the sequence ends with an image to denoise or with a prefix for the model to continue.
enum class ChatMode : std::uint8_t { gen_image, gen_text };

/// How messages become sections.
struct ChatOptions {
  ChatTemplate chat_template = ChatTemplate::instruct;
  ChatMode mode = ChatMode::gen_image;
  bool drop_think = false;                ///< leave <think> .. </think> of assistant texts out
  BotTask bot_task = BotTask::automatic;  ///< gen_text: what the assistant is to begin with
  bool add_assistant_prefix = true;       ///< gen_text: whether it begins at all
  std::int32_t base_size = 1024;  ///< gen_text with BotTask::img_ratio: N of the <img_size_N> that ends the prefix

  /// The profile's own template and task, for one mode.
  [[nodiscard]] static constexpr ChatOptions of(const ModelProfile& profile, ChatMode mode) noexcept {
    ChatOptions options;
    options.chat_template = profile.chat_template;
    options.mode = mode;
    options.drop_think = profile.drop_think;
    options.bot_task = profile.bot_task;
    return options;
  }
};

namespace detail {

/// What stands around messages (sequence.md, section 2).
struct TemplateTexts {
  std::string_view after_system{};
  std::string_view before_user{}, after_user{};
  std::string_view before_assistant{}, after_assistant{};
  std::string_view answer{}, end_answer{};

  [[nodiscard]] constexpr std::string_view before(Role role) const noexcept {
    return role == Role::user ? before_user : role == Role::assistant ? before_assistant : std::string_view{};
  }
  [[nodiscard]] constexpr std::string_view after(Role role) const noexcept {
    return role == Role::user ? after_user : role == Role::assistant ? after_assistant : after_system;
  }
};

[[nodiscard]] constexpr TemplateTexts template_texts(ChatTemplate chat_template) noexcept {
  if (chat_template == ChatTemplate::pretrain) return {};
  return {"\n\n", "User: ", "\n\n", "Assistant: ", "\n\n", "<answer>", "</answer>"};
}

/// A pair of tags of a chain of thought. A text has the pair when both tags stand in it, in any order (upstream).
struct TagPair {
  std::string_view open;
  std::string_view close;

  [[nodiscard]] constexpr bool is_in(std::string_view text) const noexcept {
    return text.find(open) != std::string_view::npos && text.find(close) != std::string_view::npos;
  }
};
inline constexpr TagPair think_tags{"<think>", "</think>"};
inline constexpr TagPair recaption_tags{"<recaption>", "</recaption>"};

/// The part of `text` after the first `separator`, up to the next one; empty where there is none.
[[nodiscard]] constexpr std::string_view second_part(std::string_view text, std::string_view separator) noexcept {
  const std::size_t first = text.find(separator);
  if (first == std::string_view::npos) return {};
  text.remove_prefix(first + separator.size());
  return text.substr(0, text.find(separator));
}

/// Appends messages of one row as sections. Messages: a random-access container of Message.
template <class Messages>
class ChatRenderer {
 public:
  ChatRenderer(const ModelProfile& profile, const ChatOptions& options, bool unconditional)
      : profile_(profile),
        options_(options),
        texts_(template_texts(options.chat_template)),
        unconditional_(unconditional) {}

  [[nodiscard]] Result<std::vector<Section>> render(const Messages& messages) && {
    for (std::size_t i = 0; i < messages.size(); ++i) {
      const Message& message = messages[i];
      if (i == 0 || messages[i - 1].role != message.role) add_fixed(texts_.before(message.role));
      const Errc error = add_message(message);
      if (error != Errc::none) return {error, i};
      if (i + 1 == messages.size() || messages[i + 1].role != message.role) add_fixed(texts_.after(message.role));
    }
    if (options_.mode == ChatMode::gen_text && options_.add_assistant_prefix) {
      const bool goes_on = !messages.empty() && messages.back().role == Role::assistant;
      const Errc error = add_assistant_prefix(goes_on);
      if (error != Errc::none) return {error, messages.size()};
    }
    return std::move(sections_);
  }

 private:
  void add_fixed(std::string_view text) { sections_.push_back(Section::of_text(std::string(text))); }
  void add_spoken(std::string text) { sections_.push_back(Section::of_text(std::move(text), unconditional_)); }

  [[nodiscard]] Errc add_message(const Message& message) {
    if (message.kind == SectionKind::text) {
      add_text(message);
      return Errc::none;
    }
    if (message.role == Role::system) return Errc::image_in_system_message;
    const bool needs_vae = message.kind != SectionKind::cond_vit_image;
    const bool needs_vit = message.kind == SectionKind::cond_vit_image || message.kind == SectionKind::cond_joint_image;
    const bool fits =
        needs_vae == (message.image.token_length > 0) && needs_vit == (message.image.vit_token_length > 0);
    if (!fits) return Errc::image_kind_mismatch;
    if (needs_vae && message.image.add_image_shape_token) {
      const Errc error = shape_error(profile_, message.image);
      if (error != Errc::none) return error;
    }
    const bool is_answer = message.role == Role::assistant && message.kind == SectionKind::gen_image;
    if (is_answer) add_fixed(texts_.answer);
    sections_.push_back(Section::of_image(message.kind, message.image));
    if (is_answer) add_fixed(texts_.end_answer);
    return Errc::none;
  }

  void add_text(const Message& message) {
    if (message.role == Role::system) {
      add_fixed(message.text);
    } else if (message.role == Role::user) {
      add_spoken(message.text);
    } else if (think_tags.is_in(message.text) || recaption_tags.is_in(message.text)) {
      add_chain_of_thought(message.text);
    } else if (profile_.bare_assistant_text) {
      add_spoken(message.text);
    } else {
      add_spoken(std::string(texts_.answer).append(message.text).append(texts_.end_answer));
    }
  }

  /// sequence.md, section 2: what stands before the opening tag, the pair, what stands after the closing tag.
  void add_chain_of_thought(std::string_view text) {
    const bool thinks = think_tags.is_in(text);
    if (!thinks && !recaption_tags.is_in(text)) {
      if (!text.empty()) add_spoken(std::string(text));
      return;
    }
    const TagPair tags = thinks ? think_tags : recaption_tags;
    add_chain_of_thought(text.substr(0, text.find(tags.open)));
    if (!thinks || !options_.drop_think) {
      const std::string_view opened = second_part(text, tags.open);
      add_fixed(tags.open);
      add_spoken(std::string(opened.substr(0, opened.find(tags.close))));
      add_fixed(tags.close);
    }
    add_chain_of_thought(second_part(text, tags.close));
  }

  [[nodiscard]] Errc add_assistant_prefix(bool goes_on) {
    if (goes_on) sections_.pop_back();  // the turn's suffix
    std::string prefix(goes_on ? std::string_view{} : texts_.before_assistant);
    switch (options_.bot_task) {
      case BotTask::automatic:
        break;
      case BotTask::image:
        prefix.clear();
        break;
      case BotTask::think:
      case BotTask::think_recaption:
        prefix.append(think_tags.open);
        break;
      case BotTask::recaption:
        prefix.append(recaption_tags.open);
        break;
      case BotTask::img_ratio: {
        const TokenId size = size_token_id_or_invalid(options_.base_size);
        if (size == invalid_token_id) return Errc::unknown_base_size;
        prefix.append(texts_.answer).append("<boi>").append(token_text(size).view());
        break;
      }
    }
    add_fixed(prefix);
    return Errc::none;
  }

  const ModelProfile& profile_;
  ChatOptions options_;
  TemplateTexts texts_;
  bool unconditional_;
  std::vector<Section> sections_;
};

}  // namespace detail

/// The sections of one row. `messages`: a vector, array or span of Message. `unconditional`: user and assistant text
/// becomes <cfg>, token by token, so that the row is as long as the conditional one. An error's position() is the
/// number of the message at fault, counted from 0 (the number of messages for the assistant prefix):
/// Errc::image_in_system_message, image_kind_mismatch, unknown_base_size, ratio_index_out_of_range,
/// ratio_token_id_unknown.
template <class Messages>
[[nodiscard]] Result<std::vector<Section>> render_chat(const Messages& messages, const ModelProfile& profile,
                                                       const ChatOptions& options, bool unconditional = false) {
  return detail::ChatRenderer<Messages>(profile, options, unconditional).render(messages);
}

/// The usual conversation for one image.
struct ImageRequest {
  std::string prompt;
  std::string system;                        ///< empty: no system message
  std::vector<Message> conditioning_images;  ///< their role and text are ignored
  bool has_chain_of_thought = false;
  std::string chain_of_thought;  ///< the assistant's text before the image, if there is one
  bool has_image = false;
  ImageBlock image{};  ///< the image to generate, if the sequence has one already
};

/// System text, conditioning images, prompt, chain of thought, image, in this order.
[[nodiscard]] inline std::vector<Message> make_messages(const ImageRequest& request) {
  std::vector<Message> messages;
  if (!request.system.empty()) messages.push_back(Message::of_text(Role::system, request.system));
  for (const Message& image : request.conditioning_images) {
    messages.push_back(Message::of_image(Role::user, image.kind, image.image));
  }
  messages.push_back(Message::of_text(Role::user, request.prompt));
  if (request.has_chain_of_thought) messages.push_back(Message::of_text(Role::assistant, request.chain_of_thought));
  if (request.has_image) {
    messages.push_back(Message::of_image(Role::assistant, SectionKind::gen_image, request.image));
  }
  return messages;
}

/// Encodes a batch of conversations: one conditional row each, then, `unconditional_passes` times, one unconditional
/// row each, all padded on the right to the longest (upstream encodes only the first conversation; here every one is).
/// `max_length`: a longer row is Errc::sequence_too_long, its length in position(); -1: none. Errc::rows_differ has the
/// row in position(). Other errors: position() is the message at fault in the first conversation that has one.
template <class Encode>
[[nodiscard]] Result<TokenBatch> encode_chat_batch(const std::vector<std::vector<Message>>& conversations,
                                                   const ModelProfile& profile, const ChatOptions& options,
                                                   Encode&& encode, std::int32_t unconditional_passes,
                                                   std::int32_t max_length = -1) {
  SequenceOptions sequence_options;
  sequence_options.max_length = max_length;
  std::vector<TokenSequence> rows;
  for (std::int32_t pass = 0; pass <= unconditional_passes; ++pass) {
    for (const std::vector<Message>& conversation : conversations) {
      Result<std::vector<Section>> sections = render_chat(conversation, profile, options, pass > 0);
      if (!sections) return {sections.error(), sections.position()};
      Result<TokenSequence> row = build_sequence(*sections, profile, encode, sequence_options);
      if (!row) return {row.error(), row.position()};
      rows.push_back(*std::move(row));
    }
  }
  return make_batch(std::move(rows));
}

}  // namespace v0_1
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_CHAT_TEMPLATE_HPP
