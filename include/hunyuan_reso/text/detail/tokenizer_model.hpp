// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_TEXT_DETAIL_TOKENIZER_MODEL_HPP
#define HUNYUAN_RESO_TEXT_DETAIL_TOKENIZER_MODEL_HPP

#include "../added_tokens.hpp"
#include "../bpe.hpp"
#include "../byte_level.hpp"
#include "../normalize.hpp"
#include "../pattern.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {
namespace text {
namespace detail {

/// One cut of a text into pieces.
struct SplitStep {
  Pattern pattern;
  bool keeps_matches = true;
  bool keeps_gaps = true;  ///< what lies between two matches
};

/// What a loader makes of its file; encodes and decodes, and does not change afterwards.
struct TokenizerModel {
  BpeModel bpe;
  Vocabulary extra;  ///< added tokens that the model's vocabulary lacks
  std::vector<AddedToken> added;
  AddedTokenMatcher raw_matcher;         ///< added tokens that are looked for in the text as it is
  AddedTokenMatcher normalized_matcher;  ///< and those in the normalized text
  std::unique_ptr<NfcNormalizer> normalizer;
  std::vector<SplitStep> steps;
  std::size_t prefix_step = no_prefix;  ///< before which step a piece gets a leading space, where it has none

  static constexpr std::size_t no_prefix = ~std::size_t{0};

  /// Fills the matchers from `added`; special tokens come first, as in the reference.
  void fill_matchers() {
    for (const bool special : {true, false}) {
      for (const AddedToken& token : added) {
        if (token.special != special) continue;
        (token.normalized ? normalized_matcher : raw_matcher).add(token.content, token);
      }
    }
  }

  void encode(std::string_view text, std::vector<TokenId>& out) const {
    std::string repaired;
    if (valid_prefix(text) != text.size()) {
      append_lossy(repaired, text);
      text = repaired;
    }
    Run run{out, {}, {}, {}, std::vector<PatternScratch>(steps.size())};
    raw_matcher.split(
        text, [&](std::string_view part) { encode_part(part, run); }, [&](TokenId id) { out.push_back(id); });
  }

  /// The token's kind, and its bytes or its text; `absent` for an id that is no token.
  [[nodiscard]] TokenKind find_token(TokenId id, std::string_view& token) const noexcept {
    const Vocabulary& home = extra.kind(id) != TokenKind::absent ? extra : bpe.vocabulary;
    const TokenKind kind = home.kind(id);
    if (kind != TokenKind::absent) token = home.token(id);
    return kind;
  }

  [[nodiscard]] TokenId find_id(std::string_view token, TokenKind kind) const noexcept {
    const TokenId id = extra.find(token, kind);
    return id != no_id ? id : bpe.vocabulary.find(token, kind);
  }

 private:
  /// The memory of one call.
  struct Run {
    std::vector<TokenId>& out;
    std::string normalized;
    std::string prefixed;
    BpeScratch bpe;
    std::vector<PatternScratch> patterns;
  };

  void encode_part(std::string_view part, Run& run) const {
    if (normalizer) part = normalizer->normalize(part, run.normalized);
    normalized_matcher.split(
        part, [&](std::string_view piece) { encode_piece(piece, 0, run); }, [&](TokenId id) { run.out.push_back(id); });
  }

  /// At most 16 steps deep.
  void encode_piece(std::string_view piece, std::size_t step, Run& run) const {
    if (step == prefix_step && piece[0] != ' ') {
      run.prefixed.assign(1, ' ');
      run.prefixed.append(piece.data(), piece.size());
      piece = run.prefixed;
    }
    if (step == steps.size()) return bpe.encode(piece, run.out, run.bpe);
    const SplitStep& split = steps[step];
    split.pattern.split(piece, run.patterns[step], [&](std::size_t start, std::size_t end, bool is_match) {
      if (is_match ? split.keeps_matches : split.keeps_gaps)
        encode_piece(piece.substr(start, end - start), step + 1, run);
    });
  }
};

}  // namespace detail
}  // namespace text
}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_TEXT_DETAIL_TOKENIZER_MODEL_HPP
