// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_EXPLORER_TOKENIZER_CACHE_HPP
#define HUNYUAN_RESO_EXPLORER_TOKENIZER_CACHE_HPP

#include <hunyuan_reso/text/tokenizer.hpp>

namespace hunyuan_reso::cli {

/// The tokenizer that load_tokenizer gave last; without tokens where there is none.
[[nodiscard]] const text::Tokenizer& kept_tokenizer();

}  // namespace hunyuan_reso::cli

#endif  // HUNYUAN_RESO_EXPLORER_TOKENIZER_CACHE_HPP
