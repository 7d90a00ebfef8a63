// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_PROFILE_TYPES_HPP
#define HUNYUAN_RESO_PROFILE_TYPES_HPP

#include "group_spec.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {

/// What `A:B` means in an image_size argument. It changed between the releases.
enum class RatioOrder : std::uint8_t { width_height, height_width };

/// Which encoders conditioning images go through. The published checkpoints use vae_vit with joint_full.
enum class ConditioningImageType : std::uint8_t { vae, vit, vae_vit };

/// How conditioning images attend and are placed.
enum class ConditioningAttention : std::uint8_t { causal, full, joint_full, full_causal };

/// Whether the base of the rotary angles is rescaled for images larger than those of the training. Untrained, off in
/// every published checkpoint; ways of ports, of which one author reports that `area` works at 2048 x 2048.
enum class RopeScaling : std::uint8_t {
  none,
  area,           ///< by the area of the largest grid over that of the trained square
  area_by_sigma,  ///< the same, less as the noise falls: the angles change with every step, so each must feed all
                  ///< tokens
};

/// What the text stage is asked to do.
enum class BotTask : std::uint8_t { automatic, image, think, recaption, think_recaption, img_ratio };

/// Published ids of the special tokens that stand alone; one vocabulary for all published checkpoints.
namespace tokens {
inline constexpr TokenId eos = 127957;                // <|endoftext|>
inline constexpr TokenId bos = 127958;                // <|startoftext|>
inline constexpr TokenId boi = 128000, eoi = 128001;  // begin and end of an image
inline constexpr TokenId img = 128006;                // one cell of an image
inline constexpr TokenId pad = 128009;
inline constexpr TokenId cfg = 128010;  // stands for dropped text in the unconditional row
inline constexpr TokenId timestep = 128017;
inline constexpr TokenId recaption = 128018, end_recaption = 128019;
inline constexpr TokenId think = 128023, end_think = 128024;
inline constexpr TokenId answer = 128025, end_answer = 128026;
inline constexpr TokenId joint_img_sep = 128077;  // between the VAE and the ViT run of a joint block
inline constexpr TokenId guidance = 130082;
inline constexpr TokenId timestep_r = 130107;
inline constexpr TokenId first_size = 128034;   // <img_size_256>
inline constexpr TokenId first_ratio = 128044;  // <img_ratio_0>; ratios go on elsewhere from 33 on: see RatioTokens
}  // namespace tokens

/// The ids that the library writes and reads in a checkpoint's sequences.
struct SpecialTokens {
  TokenId eos = tokens::eos, bos = tokens::bos, pad = tokens::pad;
  TokenId boi = tokens::boi, eoi = tokens::eoi, img = tokens::img;
  TokenId cfg = tokens::cfg;
  TokenId timestep = tokens::timestep, guidance = tokens::guidance, timestep_r = tokens::timestep_r;
  TokenId joint_img_sep = tokens::joint_img_sep;
  TokenId think = tokens::think, end_think = tokens::end_think;
  TokenId recaption = tokens::recaption, end_recaption = tokens::end_recaption;
  TokenId answer = tokens::answer, end_answer = tokens::end_answer;
};

/// The tokens <img_size_N>: base sizes N in pixels, ascending, each with its id.
struct SizeTokens {
  static constexpr std::size_t capacity = 16;

  std::int32_t base_sizes[capacity]{};
  TokenId ids[capacity]{};
  std::size_t count = 0;  ///< more than `capacity` after too many appends: ModelProfile::check then refuses

  /// How many it holds: `count`, but no more than `capacity`.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr std::size_t size() const noexcept {
    return count < capacity ? count : capacity;
  }
  /// Adds a token at its place in the order.
  constexpr void append(std::int32_t base_size, TokenId id) noexcept {
    if (count < capacity) {
      std::size_t place = count;
      for (; place > 0 && base_sizes[place - 1] > base_size; --place) {
        base_sizes[place] = base_sizes[place - 1];
        ids[place] = ids[place - 1];
      }
      base_sizes[place] = base_size;
      ids[place] = id;
    }
    if (count <= capacity) ++count;
  }
};

[[nodiscard]] constexpr SizeTokens published_size_tokens() noexcept {
  SizeTokens result;
  const std::int32_t ladder[] = {256, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144, 8192};
  for (std::size_t i = 0; i < sizeof(ladder) / sizeof(ladder[0]); ++i) {
    result.append(ladder[i], tokens::first_size + static_cast<TokenId>(i));
  }
  return result;
}

/// The tokens <img_ratio_i>: ids[i] is that of ratio index i. Ids need not be contiguous, and any of them may be
/// unknown.
struct RatioTokens {
  static constexpr std::size_t capacity = published_group_capacity;
  static constexpr TokenId unknown = -1;  ///< in no published source: the caller must supply it

  TokenId ids[capacity]{};
  std::size_t count = 0;  ///< more than `capacity` after too many appends: ModelProfile::check then refuses

  /// How many it holds: `count`, but no more than `capacity`.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr std::size_t size() const noexcept {
    return count < capacity ? count : capacity;
  }
  /// Appends `number` tokens with the ids first_id, first_id + 1 ..
  constexpr void append(TokenId first_id, std::size_t number) noexcept {
    for (std::size_t i = 0; i < number && count <= capacity; ++i) {
      const std::int64_t id = first_id + static_cast<std::int64_t>(i);
      append(id > max_side ? unknown : static_cast<TokenId>(id));
    }
  }
  constexpr void append(TokenId id) noexcept {
    if (count < capacity) ids[count] = id;
    if (count <= capacity) ++count;
  }
};

/// A special token that the published vocabulary does not have.
struct FurtherToken {
  const char* text = "";  ///< for example "<my_token>"; must outlive the profile
  TokenId id = 0;

  /// The text; an empty one for nullptr, which ModelProfile::check refuses.
  [[nodiscard]] constexpr const char* text_or_empty() const noexcept { return text == nullptr ? "" : text; }
};

struct FurtherTokens {
  static constexpr std::size_t capacity = 8;

  FurtherToken items[capacity]{};
  std::size_t count = 0;  ///< more than `capacity` after too many appends: ModelProfile::check then refuses

  /// How many it holds: `count`, but no more than `capacity`.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr std::size_t size() const noexcept {
    return count < capacity ? count : capacity;
  }
  constexpr void append(const char* text, TokenId id) noexcept {
    if (count < capacity) items[count] = {text, id};
    if (count <= capacity) ++count;
  }
};

/// What a chat template puts around messages; nullptr stands for no text. The two estimates serve plans that are made
/// without an encoder.
struct TemplateTexts {
  const char* after_system = "";
  const char* before_user = "";
  const char* after_user = "";
  const char* before_assistant = "";
  const char* after_assistant = "";
  const char* answer = "";
  const char* end_answer = "";
  std::int32_t token_estimate = 0;      ///< tokens of all these texts in a conversation of one turn
  std::int32_t tokens_after_image = 0;  ///< how many of them follow the generated image

  /// Whether an answer has a tag of its own.
  [[nodiscard]] constexpr bool has_answer() const noexcept { return answer != nullptr && *answer != '\0'; }
};

/// The template of the base checkpoint: no text at all.
[[nodiscard]] constexpr TemplateTexts pretrain_texts() noexcept { return {}; }

/// The template of the Instruct family.
[[nodiscard]] constexpr TemplateTexts instruct_texts() noexcept {
  return {"\n\n", "User: ", "\n\n", "Assistant: ", "\n\n", "<answer>", "</answer>", 12, 2};
}

/// How a text stage finds the ratio.
enum class RatioRule : std::uint8_t {
  none,       ///< the size is explicit, so its ratio token is pinned; or no image is asked for
  one_pass,   ///< a forward pass over a prompt that ends in <img_size_B>; the best of the ratio tokens
  free_pass,  ///< the same, but the best token of the whole vocabulary; TextStageRules::ratio_fallback if it is no
              ///< ratio
  masked,     ///< after <img_size_B> in the generated text only ratio tokens are possible
  in_text,    ///< the text may end in a ratio token by itself
};

/// A token that the rules of a text stage name.
enum class StageToken : std::uint8_t {
  eos,
  boi,
  end_think,
  recaption,
  end_recaption,
  answer,  ///< left out where the template has no answer tag
  end_answer,
  size,       ///< the <img_size_B> of the request
  any_ratio,  ///< every ratio token of the profile that has an id
};

struct StageTokens {
  static constexpr std::size_t capacity = 4;

  StageToken items[capacity]{};
  std::uint8_t count = 0;

  constexpr void append(StageToken token) noexcept {
    if (count < capacity) items[count++] = token;
  }
};

/// "After this token, force those."
struct StageTransitionRule {
  StageToken after = StageToken::eos;
  StageTokens forced{};
};

/// What the text stage does for one task, with a size that is given or one that is `auto`.
struct TextStageRule {
  static constexpr std::size_t max_transitions = 2;

  BotTask task = BotTask::image;
  bool ratio_is_auto = false;
  BotTask prompt_task = BotTask::image;  ///< the task whose opening ends the prompt
  bool generates_text = false;
  RatioRule ratio_rule = RatioRule::none;
  StageTokens stops{};
  StageTransitionRule transitions[max_transitions]{};
  std::uint8_t transition_count = 0;

  constexpr TextStageRule stop(StageToken token) const noexcept {
    TextStageRule rule = *this;
    rule.stops.append(token);
    return rule;
  }
  constexpr TextStageRule after(StageToken token, StageTokens forced) const noexcept {
    TextStageRule rule = *this;
    if (rule.transition_count < max_transitions) rule.transitions[rule.transition_count++] = {token, forced};
    return rule;
  }
};

/// All tasks of a release. A task that is not listed is not supported.
struct TextStageRules {
  static constexpr std::size_t capacity = 12;

  TextStageRule rules[capacity]{};
  std::size_t count = 0;
  /// The ratio index where the model answers with a token that is no ratio; an error stands for "that is an error".
  Result<std::size_t> ratio_fallback = Errc::not_a_ratio_token;

  constexpr void append(const TextStageRule& rule) noexcept {
    if (count < capacity) rules[count++] = rule;
  }
};

/// The rules of the Instruct family (release of January 2026): one generation, in which tokens are forced.
[[nodiscard]] constexpr TextStageRules instruct_text_stage() noexcept {
  using Task = BotTask;
  using Token = StageToken;
  const StageTokens recaption{{Token::recaption}, 1};
  const StageTokens image{{Token::answer, Token::boi, Token::size}, 3};
  TextStageRules stage;
  const bool given_and_auto[] = {false, true};
  for (const bool is_auto : given_and_auto) {
    const RatioRule alone = is_auto ? RatioRule::one_pass : RatioRule::none;
    const Task alone_task = is_auto ? Task::img_ratio : Task::image;
    const Token alone_stop = is_auto ? Token::any_ratio : Token::eos;
    stage.append(TextStageRule{Task::automatic, is_auto, Task::automatic, true}.stop(Token::eos));
    stage.append(TextStageRule{Task::image, is_auto, alone_task, false, alone}.stop(alone_stop));
    stage.append(TextStageRule{Task::img_ratio, is_auto, alone_task, false, alone}.stop(alone_stop));
  }
  const auto thinks = [](Task task, bool is_auto, Task prompt) {
    return TextStageRule{task, is_auto, prompt, true, is_auto ? RatioRule::masked : RatioRule::none};
  };
  stage.append(thinks(Task::think, false, Task::think).stop(Token::end_think).stop(Token::end_recaption));
  stage.append(thinks(Task::think, true, Task::think).after(Token::end_think, image).stop(Token::any_ratio));
  stage.append(thinks(Task::recaption, false, Task::recaption).stop(Token::end_recaption));
  stage.append(
      thinks(Task::recaption, true, Task::recaption).after(Token::end_recaption, image).stop(Token::any_ratio));
  const TextStageRule both_given = thinks(Task::think_recaption, false, Task::think).after(Token::end_think, recaption);
  const TextStageRule both_auto = thinks(Task::think_recaption, true, Task::think).after(Token::end_think, recaption);
  stage.append(both_given.stop(Token::end_recaption));
  stage.append(both_auto.after(Token::end_recaption, image).stop(Token::any_ratio));
  return stage;
}

/// The rules of the base release: generations of their own for the text and for the ratio, and nothing forced.
[[nodiscard]] constexpr TextStageRules base_text_stage() noexcept {
  using Task = BotTask;
  using Token = StageToken;
  TextStageRules stage;
  stage.ratio_fallback = std::size_t{16};  // 1:1
  const bool given_and_auto[] = {false, true};
  for (const bool is_auto : given_and_auto) {
    const RatioRule ratio = is_auto ? RatioRule::free_pass : RatioRule::none;
    const Task alone_task = is_auto ? Task::img_ratio : Task::image;
    const RatioRule in_text = is_auto ? RatioRule::in_text : RatioRule::none;
    stage.append(TextStageRule{Task::automatic, is_auto, Task::automatic, true, in_text}
                     .stop(Token::eos)
                     .stop(is_auto ? Token::any_ratio : Token::boi));
    const Token alone_stop = is_auto ? Token::any_ratio : Token::eos;
    stage.append(TextStageRule{Task::image, is_auto, alone_task, false, ratio}.stop(alone_stop));
    stage.append(TextStageRule{Task::img_ratio, is_auto, alone_task, false, ratio}.stop(alone_stop));
    const Task thinking[] = {Task::think, Task::recaption};
    for (const Task task : thinking) {
      const TextStageRule rule{task, is_auto, task, true, ratio};
      stage.append(rule.stop(Token::end_recaption).stop(Token::end_answer).stop(Token::eos));
    }
  }
  return stage;
}

}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_PROFILE_TYPES_HPP
