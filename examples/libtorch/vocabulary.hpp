// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_VOCABULARY_HPP
#define HUNYUAN_GENERATE_VOCABULARY_HPP

#include <cstdint>     // int64_t
#include <filesystem>  // path
#include <hunyuan_reso/tokens.hpp>
#include <unordered_map>  // unordered_map

namespace hunyuan_generate {

/// Between the published token ids, in which the whole pipeline thinks, and the numbers that a checkpoint uses.
/// They are the same unless the checkpoint's folder has a special_tokens.json: test checkpoints have a vocabulary of a
/// few hundred tokens, and one size token, <img_size_B> of their own base size B, which stands for the published
/// <img_size_1024>.
class Vocabulary {
 public:
  /// The first published id that the `bytes` encoder uses for text.
  static constexpr hunyuan_reso::TokenId first_text_id = 1000;

  /// The published numbering for a vocabulary of `size` tokens.
  explicit Vocabulary(std::int64_t size) : size_(size) {}
  /// Reads `folder`/special_tokens.json where there is one; throws Error when it is malformed.
  Vocabulary(std::int64_t size, const std::filesystem::path& folder, std::int64_t image_base_size);

  [[nodiscard]] bool is_published() const noexcept { return to_model_.empty(); }
  /// The checkpoint's id; throws Error naming the token when the checkpoint does not have it.
  [[nodiscard]] std::int64_t to_model(hunyuan_reso::TokenId token) const;
  /// The published id, or invalid_token_id.
  [[nodiscard]] hunyuan_reso::TokenId to_published(std::int64_t id) const;
  /// The base size to write into sequences: the published one, or 1024 for a checkpoint with its own size token.
  [[nodiscard]] std::int32_t base_size_of_tokens(std::int32_t base_size) const;

 private:
  std::int64_t size_;
  std::int64_t text_start_ = 0;
  std::int64_t own_base_size_ = 0;
  std::unordered_map<hunyuan_reso::TokenId, std::int64_t> to_model_;
  std::unordered_map<std::int64_t, hunyuan_reso::TokenId> to_published_;
};

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_VOCABULARY_HPP
