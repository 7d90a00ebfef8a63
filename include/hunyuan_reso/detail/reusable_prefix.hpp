// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_DETAIL_REUSABLE_PREFIX_HPP
#define HUNYUAN_RESO_DETAIL_REUSABLE_PREFIX_HPP

#include "../sequence_types.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {
namespace detail {

[[nodiscard]] constexpr bool is_same_run(const ImageRun& a, const ImageRun& b) noexcept {
  return a.slice == b.slice && a.kind == b.kind && a.in_joint_block == b.in_joint_block &&
         a.token_height == b.token_height && a.token_width == b.token_width;
}

/// `length`, or where the first image begins that is not whole and the same in both. The two runs of a joint block are
/// one image.
template <class = void>
[[nodiscard]] std::int32_t cut_to_whole_images(const TokenLayout& a, const TokenLayout& b,
                                               std::int32_t length) noexcept {
  std::int32_t image_start = 0;
  for (std::size_t i = 0; i < a.image_runs.size(); ++i) {
    const ImageRun& run = a.image_runs[i];
    const bool continues_image = run.in_joint_block && run.kind == ImageRunKind::vit;
    if (!continues_image) image_start = run.slice.start;
    if (image_start >= length) break;
    const bool is_same = i < b.image_runs.size() && is_same_run(run, b.image_runs[i]) && run.slice.stop <= length;
    if (!is_same) return image_start;
  }
  return length;
}

/// Of `length` leading tokens with the same ids, those whose keys and values are the same, too.
template <class = void>
[[nodiscard]] std::int32_t whole_images_prefix(const TokenLayout& a, const TokenLayout& b,
                                               std::int32_t length) noexcept {
  if (a.real_length() < length) length = a.real_length();
  if (b.real_length() < length) length = b.real_length();
  const std::int32_t by_a = cut_to_whole_images(a, b, length);
  return cut_to_whole_images(b, a, by_a);
}

}  // namespace detail
}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_DETAIL_REUSABLE_PREFIX_HPP
