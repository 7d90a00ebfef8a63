// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_CHAT_HPP
#define HUNYUAN_RESO_CHAT_HPP

#include "sequence.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {

/// Who speaks in a message.
enum class Role : std::uint8_t { system, user, assistant };

/// "system", "user" or "assistant"; Errc::unknown_role for any other text.
[[nodiscard]] constexpr Result<Role> parse_role(std::string_view text) noexcept {
  if (text == "system") return Role::system;
  if (text == "user") return Role::user;
  if (text == "assistant") return Role::assistant;
  return Errc::unknown_role;
}

/// One item of a conversation: a text, or an image of the kind that its ImageInfo says.
struct Message {
  Role role = Role::user;
  std::string text;
  bool is_image = false;
  ImageInfo image{};

  template <class = void>  // see sequence.hpp
  [[nodiscard]] static Message of_text(Role role, std::string text) {
    Message message;
    message.role = role;
    message.text = std::move(text);
    return message;
  }
  template <class = void>  // see sequence.hpp
  [[nodiscard]] static Message of_image(Role role, const ImageInfo& image) {
    Message message;
    message.role = role;
    message.is_image = true;
    message.image = image;
    return message;
  }
};

/// Whether the sequence ends with an image to denoise or with a prefix for the model to continue.
enum class ChatMode : std::uint8_t { gen_image, gen_text };

/// How messages become sections.
struct ChatOptions {
  TemplateTexts texts = instruct_texts();
  ChatMode mode = ChatMode::gen_image;
  bool drop_think = false;                ///< leave <think> .. </think> of assistant texts out
  BotTask bot_task = BotTask::automatic;  ///< gen_text: what the assistant is to begin with
  bool add_assistant_prefix = true;       ///< gen_text: whether it begins at all

  /// The profile's own template and task, for one mode.
  [[nodiscard]] static constexpr ChatOptions of(const ModelProfile& profile, ChatMode mode) noexcept {
    ChatOptions options;
    options.texts = profile.template_texts;
    options.mode = mode;
    options.drop_think = profile.drop_think;
    options.bot_task = profile.bot_task;
    return options;
  }
};

namespace detail {

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

/// A text of a template; nullptr stands for none.
[[nodiscard]] constexpr std::string_view template_text(const char* text) noexcept {
  return text == nullptr ? std::string_view{} : std::string_view(text);
}

/// Why an image cannot be part of a conversation, or Errc::none: as image_error, and its runs must not be empty.
[[nodiscard]] constexpr Errc message_image_error(const ModelProfile& profile, const ImageInfo& image) noexcept {
  const Errc error = image_error(profile, image);
  if (error != Errc::none) return error;
  const bool has_runs = has_vae_run(image.kind) == (image.image_token_length > 0) &&
                        has_vit_run(image.kind) == (image.vit_token_length > 0);
  return has_runs ? Errc::none : Errc::image_kind_mismatch;
}

/// Appends messages of one row as sections. Messages: a random-access container of Message.
template <class Messages>
class ChatRenderer {
 public:
  ChatRenderer(const Model& model, const ChatOptions& options, bool unconditional)
      : model_(model), options_(options), texts_(options.texts), unconditional_(unconditional) {}

  [[nodiscard]] Result<std::vector<Section>> render(const Messages& messages) && {
    const std::size_t count = messages.size();
    sections_.reserve(3 * count + 1);
    for (std::size_t i = 0; i < count; ++i) {
      const Message& message = messages[i];
      if (i == 0 || messages[i - 1].role != message.role) add_fixed(before(message.role));
      const Errc error = add_message(message);
      if (error != Errc::none) return {error, i};
      if (i + 1 == count || messages[i + 1].role != message.role) add_fixed(after(message.role));
    }
    if (options_.mode == ChatMode::gen_text && options_.add_assistant_prefix) {
      const bool goes_on = count != 0 && messages[count - 1].role == Role::assistant;
      const Errc error = add_assistant_prefix(goes_on);
      if (error != Errc::none) return {error, count};
    }
    return std::move(sections_);
  }

 private:
  [[nodiscard]] std::string_view before(Role role) const noexcept {
    if (role == Role::user) return template_text(texts_.before_user);
    return role == Role::assistant ? template_text(texts_.before_assistant) : std::string_view{};
  }
  [[nodiscard]] std::string_view after(Role role) const noexcept {
    if (role == Role::user) return template_text(texts_.after_user);
    return template_text(role == Role::assistant ? texts_.after_assistant : texts_.after_system);
  }

  void add_fixed(std::string_view text) { sections_.push_back(Section::of_text(std::string(text))); }
  void add_spoken(std::string text) { sections_.push_back(Section::of_text(std::move(text), unconditional_)); }

  [[nodiscard]] Errc add_message(const Message& message) {
    if (!message.is_image) {
      add_text(message);
      return Errc::none;
    }
    if (message.role == Role::system) return Errc::image_in_system_message;
    const Errc error = message_image_error(model_.profile, message.image);
    if (error != Errc::none) return error;
    const bool is_answer = message.role == Role::assistant && message.image.kind == ImageKind::generated;
    if (is_answer) add_fixed(template_text(texts_.answer));
    sections_.push_back(Section::of_image(message.image));
    if (is_answer) add_fixed(template_text(texts_.end_answer));
    return Errc::none;
  }

  void add_text(const Message& message) {
    if (message.role == Role::system) {
      add_fixed(message.text);
    } else if (message.role == Role::user) {
      add_spoken(message.text);
    } else if (think_tags.is_in(message.text) || recaption_tags.is_in(message.text)) {
      add_chain_of_thought(message.text);
    } else if (model_.profile.bare_assistant_text) {
      add_spoken(message.text);
    } else {
      std::string text(template_text(texts_.answer));
      add_spoken(text.append(message.text).append(template_text(texts_.end_answer)));
    }
  }

  /// What stands before the opening tag, the pair, what stands after the closing tag.
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

  /// Role prefix and opening tag are one text, as upstream encodes them.
  [[nodiscard]] Errc add_assistant_prefix(bool goes_on) {
    if (goes_on) sections_.pop_back();  // the turn's suffix
    std::string prefix(goes_on ? std::string_view{} : template_text(texts_.before_assistant));
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
        const Result<TokenId> size = size_token_id(model_.profile, model_.group.base_size());
        if (!size) return size.error();
        const Result<TokenText> size_text = token_text(model_.profile, *size);
        if (!size_text) return size_text.error();
        prefix.append(template_text(texts_.answer)).append("<boi>").append(size_text->view());
        break;
      }
    }
    add_fixed(prefix);
    return Errc::none;
  }

  const Model& model_;
  ChatOptions options_;
  TemplateTexts texts_;
  bool unconditional_;
  std::vector<Section> sections_;
};

}  // namespace detail

/// The sections of one row. `messages`: a vector, array or span of Message. `unconditional`: user and assistant text
/// becomes <cfg>, token by token, so that the row is as long as the conditional one. The prefix of BotTask::img_ratio
/// ends in the <img_size_N> of the model's base size. Tags and special tokens stand in the sections as text, joined
/// with what upstream encodes together with them ("Assistant: <think>"): the encoder must map them (see
/// with_special_tokens). An error's position() is the number of the message at fault, counted from 0 (the number of
/// messages for the assistant prefix): Errc::image_in_system_message, image_kind_mismatch (a run without tokens, too),
/// and those of build_sequence for images.
template <class Messages>
[[nodiscard]] Result<std::vector<Section>> render_chat(const Model& model, const Messages& messages,
                                                       const ChatOptions& options, bool unconditional = false) {
  return detail::ChatRenderer<Messages>(model, options, unconditional).render(messages);
}

/// Encodes a batch of conversations: one conditional row each, then `unconditional_passes` times one unconditional row
/// each, all padded on the right to the longest (upstream encodes only the first conversation; here every one is).
/// `max_length`: a longer row is Errc::sequence_too_long, its length in position(). Errc::rows_differ has the row in
/// position(), Errc::count_out_of_range stands for a negative number of passes. Other errors: position() is the message
/// at fault in the first conversation that has one.
template <class Encode>
[[nodiscard]] Result<TokenBatch> encode_chat_batch(const Model& model,
                                                   const std::vector<std::vector<Message>>& conversations,
                                                   const ChatOptions& options, Encode&& encode,
                                                   std::int32_t unconditional_passes,
                                                   Result<std::int32_t> max_length = Errc::not_given) {
  if (unconditional_passes < 0) return Errc::count_out_of_range;
  SequenceOptions sequence_options;
  sequence_options.max_length = max_length;
  std::vector<TokenSequence> rows;
  for (int pass = 0; pass < 2 && pass <= unconditional_passes; ++pass) {
    for (const std::vector<Message>& conversation : conversations) {
      Result<std::vector<Section>> sections = render_chat(model, conversation, options, pass > 0);
      if (!sections) return {sections.error(), sections.position()};
      Result<TokenSequence> row = build_sequence(model.profile, *sections, encode, sequence_options);
      if (!row) return {row.error(), row.position()};
      rows.push_back(*std::move(row));
    }
  }
  const std::size_t count = rows.size() / 2;  // further passes repeat the unconditional rows
  for (std::int32_t pass = 1; pass < unconditional_passes; ++pass) {
    for (std::size_t i = 0; i < count; ++i) rows.push_back(rows[count + i]);
  }
  return make_batch(model.profile, std::move(rows));
}

}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_CHAT_HPP
