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

/// Before a member of a template into which types that live on the host only may be put: no warning about them then.
#if defined(__CUDACC__)
#define HUNYUAN_RESO_ANY_TYPE _Pragma("nv_exec_check_disable")
#else
#define HUNYUAN_RESO_ANY_TYPE
#endif

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {

using TokenId = std::int32_t;

/// Largest side of an image, in pixels, that the library takes.
inline constexpr std::int32_t max_side = 2147483647;

}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_DETAIL_CONFIG_HPP
