// SPDX-License-Identifier: MIT
// What the kernels' files have in common; included by them only.
#ifndef HUNYUAN_GENERATE_KERNELS_DEVICE_CUH
#define HUNYUAN_GENERATE_KERNELS_DEVICE_CUH

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include "model/kernels.hpp"

namespace hunyuan_generate::kernels {
namespace {

using Bf16 = __nv_bfloat16;

// Eight numbers of 16 bits, moved by one access.
template <class T>
struct alignas(16) Eight {
  T value[8];
};

__device__ float widen(Bf16 x) { return __bfloat162float(x); }
__device__ float widen(__half x) { return __half2float(x); }
__device__ void narrow(float x, Bf16& to) { to = __float2bfloat16_rn(x); }
__device__ void narrow(float x, __half& to) { to = __float2half_rn(x); }
// What ATen gives for an intermediate of this type: later operations start from the rounded number.
__device__ float rounded(float x) { return __bfloat162float(__float2bfloat16_rn(x)); }

__device__ float silu(float x) { return x / (1 + expf(-x)); }

template <class T>
__device__ void load8(const T* from, float (&to)[8]) {
  const Eight<T> pack = *reinterpret_cast<const Eight<T>*>(from);
#pragma unroll
  for (int i = 0; i < 8; ++i) to[i] = widen(pack.value[i]);
}

template <class T>
__device__ void store8(const float (&from)[8], T* to) {
  Eight<T> pack;
#pragma unroll
  for (int i = 0; i < 8; ++i) narrow(from[i], pack.value[i]);
  *reinterpret_cast<Eight<T>*>(to) = pack;
}

inline unsigned blocks_of(std::int64_t count) { return static_cast<unsigned>(count); }

}  // namespace
}  // namespace hunyuan_generate::kernels

#endif  // HUNYUAN_GENERATE_KERNELS_DEVICE_CUH
