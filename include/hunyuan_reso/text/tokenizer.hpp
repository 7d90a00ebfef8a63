// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_TEXT_TOKENIZER_HPP
#define HUNYUAN_RESO_TEXT_TOKENIZER_HPP

#include <memory>  // shared_ptr

#include "detail/json_loader.hpp"
#include "detail/rank_loader.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {
namespace text {

/// A special token of a rank file, which does not list them.
struct SpecialToken {
  std::string_view content;
  TokenId id = -1;
};

/// Byte-level BPE: text to the ids that the reference library gives with add_special_tokens = false, and back.
///
/// Made from a user's file; a file that asks for anything this class does not do is refused by name. A copy shares the
/// tables. Const functions may run in several threads at once. An object without a file (a default one, or that of a
/// refused file) has no tokens: it encodes every text to nothing.
class Tokenizer {
 public:
  Tokenizer() = default;

  /// From the content of a Hugging Face tokenizer.json. The text is not kept.
  [[nodiscard]] static TextResult<Tokenizer> from_json(std::string_view file) {
    Tokenizer made;
    const auto tables = std::make_shared<Tables>();
    TextError error = detail::JsonLoader(file, tables->model, tables->differences).load();
    if (error) return error;
    tables->note_special();
    made.tables_ = tables;
    return made;
  }

  /// From the content of a tiktoken rank file, with the split pattern and the special tokens that belong to it. All
  /// special tokens are found in a text, as with allowed_special = "all". For an error in the pattern the position is
  /// in the pattern, for one in a special token it is the token's index.
  [[nodiscard]] static TextResult<Tokenizer> from_tiktoken(std::string_view ranks, std::string_view pattern,
                                                           const std::vector<SpecialToken>& specials = {}) {
    Tokenizer made;
    const auto tables = std::make_shared<Tables>();
    detail::TokenizerModel& model = tables->model;
    detail::SplitStep step;
    step.keeps_gaps = false;  // tiktoken drops what the pattern does not match
    TextResult<Pattern> compiled = Pattern::compile(pattern, PatternDialect::fancy);
    if (!compiled) return compiled.error();
    step.pattern = *std::move(compiled);
    model.steps.push_back(std::move(step));
    TextError error = detail::RankLoader(ranks, model).load();
    if (error) return error;
    for (std::size_t i = 0; i < specials.size(); ++i) {
      if (!add_special(model, specials[i])) {
        return TextError{TextErrc::duplicate, i,
                         "a special token: expected UTF-8, and a text and an id that no other has"};
      }
    }
    model.fill_matchers();
    tables->has_ranks = true;
    tables->note_special();
    made.tables_ = tables;
    return made;
  }

  /// The ids of `text`. Bytes that are not UTF-8 count as U+FFFD, one for each maximal part.
  [[nodiscard]] std::vector<TokenId> encode(std::string_view text) const {
    std::vector<TokenId> ids;
    encode(text, ids);
    return ids;
  }
  /// Appends them.
  void encode(std::string_view text, std::vector<TokenId>& ids) const {
    if (tables_ != nullptr) tables_->model.encode(text, ids);
  }
  /// What the chat template and the sequences call for a text.
  [[nodiscard]] std::vector<TokenId> operator()(std::string_view text) const { return encode(text); }

  /// The text of ids, in UTF-8: what is none of it becomes U+FFFD. An id that is no token is passed over.
  [[nodiscard]] std::string decode(const TokenId* ids, std::size_t count, bool skip_special = false) const {
    std::string bytes;
    for (std::size_t i = 0; i < count; ++i) {
      if (!skip_special || !is_special(ids[i])) bytes.append(token_bytes(ids[i]));
    }
    if (detail::valid_prefix(bytes) == bytes.size()) return bytes;
    std::string text;
    detail::append_lossy(text, bytes);
    return text;
  }
  [[nodiscard]] std::string decode(const std::vector<TokenId>& ids, bool skip_special = false) const {
    return decode(ids.data(), ids.size(), skip_special);
  }

  /// The bytes that a token adds to a text; empty for an id that is no token.
  [[nodiscard]] std::string_view token_bytes(TokenId id) const noexcept {
    std::string_view token;
    if (tables_ != nullptr) (void)tables_->model.find_token(id, token);
    return token;
  }

  /// The token as the file writes it, "\u0120the" for " the"; from a rank file, its bytes. Empty for no token.
  [[nodiscard]] std::string id_to_token(TokenId id) const {
    std::string_view token;
    if (tables_ == nullptr) return {};
    const detail::TokenKind kind = tables_->model.find_token(id, token);
    if (kind != detail::TokenKind::bytes || tables_->has_ranks) return std::string(token);
    std::string written;
    detail::append_byte_characters(written, token);
    return written;
  }

  /// The id of a token as the file writes it; -1 for none. Serves verify_vocabulary as its lookup.
  [[nodiscard]] TokenId token_to_id(std::string_view token) const {
    if (tables_ == nullptr) return detail::no_id;
    if (tables_->has_ranks) return tables_->model.find_id(token, detail::TokenKind::bytes);
    if (detail::valid_prefix(token) != token.size()) return detail::no_id;
    std::string bytes;
    if (detail::append_token_bytes(bytes, token)) return tables_->model.find_id(bytes, detail::TokenKind::bytes);
    return tables_->model.find_id(token, detail::TokenKind::text);
  }

  /// Whether an id is that of an added token with the flag special.
  [[nodiscard]] bool is_special(TokenId id) const noexcept {
    return tables_ != nullptr && id >= 0 && static_cast<std::size_t>(id) < tables_->is_special.size() &&
           tables_->is_special[static_cast<std::size_t>(id)];
  }

  /// Tokens, added ones included.
  [[nodiscard]] std::size_t vocabulary_size() const noexcept {
    return tables_ == nullptr ? 0 : tables_->model.bpe.vocabulary.count() + tables_->model.extra.count();
  }
  /// One more than the highest id.
  [[nodiscard]] TokenId id_end() const noexcept {
    if (tables_ == nullptr) return 0;
    return static_cast<TokenId>((std::max)(tables_->model.bpe.vocabulary.id_end(), tables_->model.extra.id_end()));
  }
  [[nodiscard]] const std::vector<AddedToken>& added_tokens() const { return tables().model.added; }
  /// Added tokens that the file writes with other ids than they get: the reference library takes a token's id from
  /// model.vocab, or counts up from the vocabulary's size.
  [[nodiscard]] const std::vector<AddedTokenIdDifference>& id_differences() const { return tables().differences; }

 private:
  struct Tables {
    detail::TokenizerModel model;
    std::vector<AddedTokenIdDifference> differences;
    std::vector<bool> is_special;
    bool has_ranks = false;

    void note_special() {
      for (const AddedToken& token : model.added) {
        const std::size_t index = static_cast<std::size_t>(token.id);
        if (index >= is_special.size()) is_special.resize(index + 1, false);
        is_special[index] = token.special;
      }
    }
  };

  [[nodiscard]] static bool add_special(detail::TokenizerModel& model, const SpecialToken& special) {
    const bool is_utf8 = detail::valid_prefix(special.content) == special.content.size();
    if (special.content.empty() || !is_utf8 || special.id < 0 || special.id > detail::Vocabulary::max_id) return false;
    if (model.bpe.vocabulary.kind(special.id) != detail::TokenKind::absent) return false;
    const std::size_t start = model.extra.bytes().size();
    model.extra.bytes().append(special.content.data(), special.content.size());
    if (model.extra.add(start, detail::TokenKind::bytes, special.id) != detail::Vocabulary::Added::yes) return false;
    AddedToken token;
    token.content.assign(special.content.data(), special.content.size());
    token.id = special.id;
    token.special = true;
    model.added.push_back(std::move(token));
    return true;
  }

  [[nodiscard]] const Tables& tables() const {
    static const Tables empty;
    return tables_ == nullptr ? empty : *tables_;
  }

  std::shared_ptr<const Tables> tables_;
};

}  // namespace text
}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_TEXT_TOKENIZER_HPP
