// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_DETAIL_SEARCH_HPP
#define HUNYUAN_RESO_DETAIL_SEARCH_HPP

#include "config.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {
namespace detail {

/// How many of `count` items, ascending by their member `begin`, begin at or before `place`. Binary search.
template <class Item>
[[nodiscard]] HUNYUAN_RESO_HD constexpr std::size_t count_begun(const Item* items, std::size_t count,
                                                                std::int32_t Item::*begin,
                                                                std::int32_t place) noexcept {
  std::size_t begun = 0;
  for (std::size_t stop = count; begun < stop;) {
    const std::size_t middle = begun + (stop - begun) / 2;
    if (items[middle].*begin <= place) {
      begun = middle + 1;
    } else {
      stop = middle;
    }
  }
  return begun;
}

}  // namespace detail
}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_DETAIL_SEARCH_HPP
