// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_DETAIL_FLOAT_ORDER_HPP
#define HUNYUAN_RESO_DETAIL_FLOAT_ORDER_HPP

#include "config.hpp"

// Reading the bits of a float in a constant expression needs a builtin; without it the answer is the same, at run time.
#if defined(__has_builtin)
#if __has_builtin(__builtin_bit_cast)
#define HUNYUAN_RESO_HAS_BIT_CAST 1
#endif
#elif defined(_MSC_VER) && _MSC_VER >= 1927
#define HUNYUAN_RESO_HAS_BIT_CAST 1
#endif
#if !defined(HUNYUAN_RESO_HAS_BIT_CAST)
#include <cstring>  // memcpy
#endif

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {
namespace detail {

/// The bits of a value, read as another type.
template <class To, class From>
[[nodiscard]] HUNYUAN_RESO_HD constexpr To bits_of(const From& from) noexcept {
  static_assert(sizeof(To) == sizeof(From), "the types must have the same size");
#if defined(HUNYUAN_RESO_HAS_BIT_CAST)
  return __builtin_bit_cast(To, from);
#else
  To to{};
  std::memcpy(&to, &from, sizeof to);
  return to;
#endif
}

/// A whole number that orders floats, infinities included, NaN above all, both zeros equal. Comparing floats directly
/// would not survive -ffast-math, which lets a compiler assume that there is no NaN.
template <class Integer, class Unsigned, class Float>
[[nodiscard]] HUNYUAN_RESO_HD constexpr Integer order_by_bits(Float value, Integer infinity) noexcept {
  constexpr auto sign = static_cast<Unsigned>(Unsigned{1} << (8 * sizeof(Unsigned) - 1));
  const auto bits = bits_of<Unsigned>(value);
  const auto magnitude = static_cast<Integer>(bits & static_cast<Unsigned>(~sign));
  const Integer order = (bits & sign) != 0 ? -magnitude : magnitude;
  return magnitude > infinity ? infinity + 1 : order;
}

// The orders of infinity; only NaN lies above.
inline constexpr std::int32_t infinite_float_order = 0x7F800000;
inline constexpr std::int64_t infinite_double_order = 0x7FF0000000000000;

/// float as it is, double as it is, anything else converted to float.
template <class Float>
struct FloatOrder {
  [[nodiscard]] HUNYUAN_RESO_HD static constexpr std::int32_t of(const Float& value) noexcept {
    return order_by_bits<std::int32_t, std::uint32_t>(static_cast<float>(value), infinite_float_order);
  }
};
template <>
struct FloatOrder<double> {
  [[nodiscard]] HUNYUAN_RESO_HD static constexpr std::int64_t of(double value) noexcept {
    return order_by_bits<std::int64_t, std::uint64_t>(value, infinite_double_order);
  }
};

template <class Float>
[[nodiscard]] HUNYUAN_RESO_HD constexpr auto float_order(const Float& value) noexcept {
  return FloatOrder<Float>::of(value);
}

/// Whether a number is above zero and finite, under any flags.
[[nodiscard]] HUNYUAN_RESO_HD inline bool is_positive_and_finite(double value) noexcept {
  const std::int64_t order = float_order(value);
  return order > 0 && order < infinite_double_order;
}

}  // namespace detail
}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_DETAIL_FLOAT_ORDER_HPP
