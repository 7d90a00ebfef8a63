// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_CLI_MASK_PICTURE_HPP
#define HUNYUAN_RESO_CLI_MASK_PICTURE_HPP

#include <hunyuan_reso/attention.hpp>
#include <string>

namespace hunyuan_reso::cli {

/// Room for every image of a long history.
using SequenceAttention = BasicAttentionLayout<4096>;

/// The attention mask of a sequence as lines of signs: queries downwards, keys to the right; '#' where all keys of a
/// field are seen by all of its queries, '.' where none is, '+' in between.
[[nodiscard]] std::string mask_picture(const SequenceAttention& attention, std::int32_t length,
                                       const std::string& indent);

}  // namespace hunyuan_reso::cli

#endif  // HUNYUAN_RESO_CLI_MASK_PICTURE_HPP
