// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_DETAIL_CONFIG_HPP
#define HUNYUAN_RESO_DETAIL_CONFIG_HPP

#include <cstddef>  // size_t
#include <cstdint>  // int32_t

#include "../version.hpp"

/// Marks what runs on a GPU too; empty where no device compiler looks.
#if defined(__CUDACC__) || defined(__HIPCC__)
#define HUNYUAN_RESO_HD __host__ __device__
#else
#define HUNYUAN_RESO_HD
#endif

namespace hunyuan_reso {
inline namespace v0_1 {

using TokenId = std::int32_t;

/// What a function with a plain return value (device code) gives where a host function gives an empty optional.
inline constexpr TokenId invalid_token_id = -1;

/// Largest side of an image, in pixels, that the library takes.
inline constexpr std::int32_t max_side = 2147483647;

}  // namespace v0_1
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_DETAIL_CONFIG_HPP
