// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_TEXT_DETAIL_RANK_LOADER_HPP
#define HUNYUAN_RESO_TEXT_DETAIL_RANK_LOADER_HPP

#include "tokenizer_model.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {
namespace text {
namespace detail {

/// A tiktoken rank file into a model: lines of a token in base64, a space and its rank, which is its id. Any two tokens
/// merge whose bytes together are a token, and a word that is a token stays one.
class RankLoader {
 public:
  RankLoader(std::string_view file, TokenizerModel& model) : file_(file), model_(&model) {}

  [[nodiscard]] TextError load() {
    if (file_.size() > max_file) return TextError{TextErrc::out_of_range, max_file, "a file of more than 1 GiB"};
    Vocabulary& vocabulary = model_->bpe.vocabulary;
    vocabulary.reserve((std::min)(file_.size() / 16, std::size_t{1} << 18U), file_.size() / 2);
    while (at_ < file_.size()) {
      if (!read_line()) return std::move(error_);
    }
    model_->bpe.ignore_merges = true;
    model_->bpe.finish();
    for (const TokenId id : model_->bpe.byte_ids) {
      if (id == no_id) return TextError{TextErrc::missing, file_.size(), "expected a rank for each of the 256 bytes"};
    }
    add_merges();
    return TextError{};
  }

 private:
  static constexpr std::size_t max_file = std::size_t{1} << 30U;
  static constexpr std::size_t max_length = 1024;

  [[nodiscard]] bool fail(TextErrc code, const char* what) {
    error_ = TextError{code, at_, what};
    return false;
  }

  [[nodiscard]] static int base64_digit(char c) noexcept {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
  }

  [[nodiscard]] bool is_line_end(std::size_t at) const noexcept {
    return at == file_.size() || file_[at] == '\n' || file_[at] == '\r';
  }

  [[nodiscard]] bool read_line() {
    if (is_line_end(at_)) {
      ++at_;
      return true;
    }
    const std::size_t line = at_;
    Vocabulary& vocabulary = model_->bpe.vocabulary;
    const std::size_t start = vocabulary.bytes().size();
    if (!read_token(vocabulary.bytes())) return false;
    const std::size_t length = vocabulary.bytes().size() - start;
    if (length == 0 || length > max_length) return fail(TextErrc::out_of_range, "a token: expected 1 to 1024 bytes");
    if (at_ == file_.size() || file_[at_] != ' ') return fail(TextErrc::syntax, "expected a space after the token");
    ++at_;
    TokenId rank = 0;
    if (!read_rank(rank)) return false;
    switch (vocabulary.add(start, TokenKind::bytes, rank)) {
      case Vocabulary::Added::yes:
        return true;
      case Vocabulary::Added::token_twice:
        at_ = line;
        return fail(TextErrc::duplicate, "the token stands twice");
      case Vocabulary::Added::id_twice:
        break;
    }
    at_ = line;
    return fail(TextErrc::duplicate, "two tokens have this rank");
  }

  [[nodiscard]] bool read_token(std::string& out) {
    std::uint32_t bits = 0;
    std::uint32_t count = 0;
    std::size_t digits = 0;
    for (; at_ < file_.size() && base64_digit(file_[at_]) >= 0; ++at_, ++digits) {
      bits = (bits << 6U | static_cast<std::uint32_t>(base64_digit(file_[at_]))) & 0xFFFFU;
      count += 6;
      if (count < 8) continue;
      count -= 8;
      out.push_back(static_cast<char>(static_cast<unsigned char>(bits >> count & 0xFFU)));
    }
    for (; digits % 4 != 0 && at_ < file_.size() && file_[at_] == '='; ++digits) ++at_;
    const bool has_rest = (bits & ((1U << count) - 1)) != 0;
    return (digits % 4 == 0 && !has_rest) || fail(TextErrc::syntax, "expected base64");
  }

  [[nodiscard]] bool read_rank(TokenId& rank) {
    const std::size_t start = at_;
    for (; !is_line_end(at_); ++at_) {
      if (file_[at_] < '0' || file_[at_] > '9') return fail(TextErrc::syntax, "expected a rank in decimal digits");
      rank = rank * 10 + (file_[at_] - '0');
      if (rank > Vocabulary::max_id) return fail(TextErrc::out_of_range, "a rank above 2097150");
    }
    return at_ != start || fail(TextErrc::syntax, "expected a rank");
  }

  void add_merges() {
    const Vocabulary& vocabulary = model_->bpe.vocabulary;
    MergeTable& merges = model_->bpe.merges;
    merges.reserve(2 * vocabulary.count());
    std::vector<TokenId> results(vocabulary.id_end(), no_id);
    for (TokenId id = 0; static_cast<std::size_t>(id) < results.size(); ++id) {
      if (vocabulary.kind(id) == TokenKind::absent) continue;
      results[static_cast<std::size_t>(id)] = id;
      const std::string_view bytes = vocabulary.token(id);
      for (std::size_t i = 1; i < bytes.size(); ++i) {
        const TokenId left = vocabulary.find(bytes.substr(0, i), TokenKind::bytes);
        if (left == no_id) continue;
        const TokenId right = vocabulary.find(bytes.substr(i), TokenKind::bytes);
        if (right != no_id) merges.add(left, right, static_cast<std::uint32_t>(id));
      }
    }
    merges.set_results(std::move(results));
  }

  std::string_view file_;
  TokenizerModel* model_;
  std::size_t at_ = 0;
  TextError error_;
};

}  // namespace detail
}  // namespace text
}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_TEXT_DETAIL_RANK_LOADER_HPP
