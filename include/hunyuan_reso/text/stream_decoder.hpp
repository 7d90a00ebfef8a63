// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_TEXT_STREAM_DECODER_HPP
#define HUNYUAN_RESO_TEXT_STREAM_DECODER_HPP

#include "tokenizer.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {
namespace text {

/// Decodes ids one at a time, as they are generated. What feed() and finish() return is whole UTF-8, and together it is
/// what Tokenizer::decode gives for all the ids.
class StreamDecoder {
 public:
  explicit StreamDecoder(Tokenizer tokenizer, bool skip_special = false)
      : tokenizer_(std::move(tokenizer)), skip_special_(skip_special) {}

  /// The text that this id completes. A character whose last bytes are still to come waits for them.
  [[nodiscard]] std::string feed(TokenId id) {
    if (skip_special_ && tokenizer_.is_special(id)) return {};
    waiting_.append(tokenizer_.token_bytes(id));
    const std::size_t cut = cut_start();
    std::string text;
    detail::append_lossy(text, std::string_view(waiting_).substr(0, cut));
    waiting_.erase(0, cut);
    return text;
  }

  /// The rest: U+FFFD for a character that was not completed. Afterwards the decoder can be used anew.
  [[nodiscard]] std::string finish() {
    std::string text;
    detail::append_lossy(text, waiting_);
    waiting_.clear();
    return text;
  }

 private:
  /// Where the character starts that more bytes could complete; the end where there is none.
  [[nodiscard]] std::size_t cut_start() const noexcept {
    const unsigned char* p = reinterpret_cast<const unsigned char*>(waiting_.data());
    const std::size_t size = waiting_.size();
    for (std::size_t back = 1; back <= 3 && back <= size; ++back) {
      if (detail::is_continuation(p[size - back])) continue;
      return detail::step_utf8(p + size - back, back).is_cut ? size - back : size;
    }
    return size;
  }

  Tokenizer tokenizer_;
  bool skip_special_;
  std::string waiting_;
};

}  // namespace text
}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_TEXT_STREAM_DECODER_HPP
