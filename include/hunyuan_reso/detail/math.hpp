// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_DETAIL_MATH_HPP
#define HUNYUAN_RESO_DETAIL_MATH_HPP

// <cmath> costs more to compile than any header of this library; where the compiler has the functions built in, only
// their declarations are needed.
#include "config.hpp"
#if !defined(__GNUC__)
#include <cmath>  // cos, pow, sin
#endif

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {
namespace detail {

#if defined(__CUDA_ARCH__) || defined(__HIP_DEVICE_COMPILE__)
[[nodiscard]] HUNYUAN_RESO_HD inline double cosine(double x) noexcept { return ::cos(x); }
[[nodiscard]] HUNYUAN_RESO_HD inline double sine(double x) noexcept { return ::sin(x); }
[[nodiscard]] HUNYUAN_RESO_HD inline double power(double x, double y) noexcept { return ::pow(x, y); }
#elif defined(__GNUC__)
[[nodiscard]] HUNYUAN_RESO_HD inline double cosine(double x) noexcept { return __builtin_cos(x); }
[[nodiscard]] HUNYUAN_RESO_HD inline double sine(double x) noexcept { return __builtin_sin(x); }
[[nodiscard]] HUNYUAN_RESO_HD inline double power(double x, double y) noexcept { return __builtin_pow(x, y); }
#else
[[nodiscard]] HUNYUAN_RESO_HD inline double cosine(double x) noexcept { return std::cos(x); }
[[nodiscard]] HUNYUAN_RESO_HD inline double sine(double x) noexcept { return std::sin(x); }
[[nodiscard]] HUNYUAN_RESO_HD inline double power(double x, double y) noexcept { return std::pow(x, y); }
#endif

}  // namespace detail
}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_DETAIL_MATH_HPP
