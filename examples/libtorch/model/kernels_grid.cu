// SPDX-License-Identifier: MIT
// The kernels between convolutions, over grids with their channels last: group norm in patch_embed, final_layer and the
// autoencoder, and what the autoencoder adds. Floors at 3.0 TB/s, as in kernels.cu.
#include "model/kernels_device.cuh"

namespace hunyuan_generate::kernels {
namespace {

constexpr int norm_groups = 32, norm_threads = 512, norm_places = 64;  // places: of a thread in the sums

// Threads side by side have neighbouring channels, so that a block reads whole rows of places.
struct NormBlock {
  int chunks, lanes;  // chunks of 8 channels; places side by side
  __host__ __device__ explicit NormBlock(std::int64_t channels)
      : chunks(static_cast<int>(channels / 8)), lanes(norm_threads / chunks) {}
  __host__ __device__ std::int64_t places() const { return std::int64_t{lanes} * norm_places; }
};

// Sums of each group over a block's places: sums [batch, blocks, groups, 2]. x read once: of a picture of 64 x 64
// places and 4096 channels in two rows 67 MB, 0.022 ms.
template <class T>
__global__ void __launch_bounds__(norm_threads)
    group_sums_kernel(const T* x, const T* added, GroupNormShape s, double* sums) {
  extern __shared__ float shared[];  // [lanes][channels], twice
  const NormBlock block(s.channels);
  const int chunk = static_cast<int>(threadIdx.x) % block.chunks, lane = static_cast<int>(threadIdx.x) / block.chunks;
  const std::int64_t first = blockIdx.x * block.places(), last = min(first + block.places(), s.places);
  const int channels = static_cast<int>(s.channels);
  float sum[8] = {}, squares[8] = {}, more[8] = {};
  if (added != nullptr) load8(added + chunk * 8, more);
#pragma unroll 4
  for (std::int64_t p = first + lane; lane < block.lanes && p < last; p += block.lanes) {
    float v[8];
    load8(x + (blockIdx.y * s.places + p) * s.channels + chunk * 8, v);
#pragma unroll
    for (int i = 0; i < 8; ++i) v[i] += more[i], sum[i] += v[i], squares[i] += v[i] * v[i];
  }
  float* const second = shared + block.lanes * channels;
  if (lane < block.lanes) {
#pragma unroll
    for (int i = 0; i < 8; ++i) {
      shared[lane * channels + chunk * 8 + i] = sum[i];
      second[lane * channels + chunk * 8 + i] = squares[i];
    }
  }
  __syncthreads();
  // A warp a group, 16 warps: lane by lane, then over the warp.
  const int width = channels / norm_groups;
  for (int group = static_cast<int>(threadIdx.x / 32); group < norm_groups; group += norm_threads / 32) {
    double total = 0, total_squares = 0;
    for (int i = static_cast<int>(threadIdx.x % 32); i < block.lanes * width; i += 32) {
      const int at = (i / width) * channels + group * width + i % width;
      total += shared[at];
      total_squares += second[at];
    }
#pragma unroll
    for (int offset = 16; offset > 0; offset /= 2) {
      total += __shfl_xor_sync(~0U, total, offset);
      total_squares += __shfl_xor_sync(~0U, total_squares, offset);
    }
    if (threadIdx.x % 32 == 0) {
      double* const to = sums + ((std::int64_t{blockIdx.y} * gridDim.x + blockIdx.x) * norm_groups + group) * 2;
      to[0] = total, to[1] = total_squares;
    }
  }
}

// Mean and 1 / standard deviation of each group: moments [batch, groups, 2]. One warp a group.
__global__ void group_moments_kernel(const double* sums, GroupNormShape s, std::int64_t blocks, double* moments) {
  double total = 0, total_squares = 0;
  for (std::int64_t i = threadIdx.x; i < blocks; i += 32) {
    const double* const from = sums + ((blockIdx.y * blocks + i) * norm_groups + blockIdx.x) * 2;
    total += from[0], total_squares += from[1];
  }
#pragma unroll
  for (int offset = 16; offset > 0; offset /= 2) {
    total += __shfl_xor_sync(~0U, total, offset);
    total_squares += __shfl_xor_sync(~0U, total_squares, offset);
  }
  if (threadIdx.x != 0) return;
  const double count = static_cast<double>(s.places) * static_cast<double>(s.channels / norm_groups);
  const double mean = total / count, variance = fmax(total_squares / count - mean * mean, 0.0);
  double* const to = moments + (blockIdx.y * norm_groups + blockIdx.x) * 2;
  to[0] = mean, to[1] = 1 / sqrt(variance + static_cast<double>(s.eps));
}

// x read, the result written: 134 MB, 0.045 ms.
template <class T>
__global__ void __launch_bounds__(norm_threads)
    group_apply_kernel(const T* __restrict__ x, const T* added, const float* gamma, const float* beta,
                       const float* scale_shift, GroupNormShape s, const double* moments, T* __restrict__ out) {
  const NormBlock block(s.channels);
  const int chunk = static_cast<int>(threadIdx.x) % block.chunks, lane = static_cast<int>(threadIdx.x) / block.chunks;
  const std::int64_t first = blockIdx.x * block.places(), last = min(first + block.places(), s.places);
  const int width = static_cast<int>(s.channels) / norm_groups;
  float slope[8], offset[8], more[8] = {};
  if (added != nullptr) load8(added + chunk * 8, more);
#pragma unroll
  for (int i = 0; i < 8; ++i) {
    const int channel = chunk * 8 + i;
    const double* const moment = moments + (blockIdx.y * norm_groups + channel / width) * 2;
    slope[i] = static_cast<float>(moment[1]) * gamma[channel];
    offset[i] = beta[channel] - static_cast<float>(moment[0]) * slope[i];
    if (scale_shift != nullptr) {
      const float* const modulation = scale_shift + blockIdx.y * 2 * s.channels + channel;
      slope[i] *= 1 + modulation[0];
      offset[i] = offset[i] * (1 + modulation[0]) + modulation[s.channels];
    }
    offset[i] += more[i] * slope[i];
  }
#pragma unroll 4
  for (std::int64_t p = first + lane; lane < block.lanes && p < last; p += block.lanes) {
    const std::int64_t at = (blockIdx.y * s.places + p) * s.channels + chunk * 8;
    float v[8];
    load8(x + at, v);
#pragma unroll
    for (int i = 0; i < 8; ++i) {
      v[i] = v[i] * slope[i] + offset[i];
      if (s.silu) v[i] = silu(v[i]);
    }
    store8(v, out + at);
  }
}

// All read once, the result written: for 128 channels at 1024 x 1024 pixels and four frames 3.2 GB, 1.1 ms.
template <class T>
__global__ void __launch_bounds__(256)
    add_bias_kernel(const T* a, const T* b, const T* bias, std::int64_t chunks, int channel_chunks, T* out) {
  const std::int64_t chunk = std::int64_t{blockIdx.x} * 256 + threadIdx.x;
  if (chunk >= chunks) return;
  float x[8], y[8], added[8];
  load8(a + chunk * 8, x);
  load8(b + chunk * 8, y);
  load8(bias + chunk % channel_chunks * 8, added);
#pragma unroll
  for (int i = 0; i < 8; ++i) x[i] += y[i] + added[i];
  store8(x, out + chunk * 8);
}

// The convolution's result read, as much written, x beside it: to 512 channels at 512 x 512 and four frames 2.4 GB,
// 0.8 ms. A thread has eight channels of one place of the result.
template <class T>
__global__ void __launch_bounds__(256)
    expand_channels_kernel(const T* moved, const T* bias, const T* x, ExpandShape s, T* out) {
  const int chunks = static_cast<int>(s.channels / 8), source = static_cast<int>(s.source);
  const std::int64_t at = std::int64_t{blockIdx.x} * 256 + threadIdx.x;
  const std::int64_t places = s.batch * s.time * s.frames * s.height * 2 * s.width * 2;
  if (at >= places * chunks) return;
  std::int64_t rest = at / chunks;
  const std::int64_t column = rest % (2 * s.width), row = rest / (2 * s.width) % (2 * s.height);
  rest /= 4 * s.width * s.height;
  const std::int64_t time = rest % (s.time * s.frames), batch = rest / (s.time * s.frames);
  const int part = static_cast<int>((time % s.frames * 2 + row % 2) * 2 + column % 2);
  const int first = part * static_cast<int>(s.channels) + static_cast<int>(at % chunks) * 8;  // channel of `moved`
  const std::int64_t place = ((batch * s.time + time / s.frames) * s.height + row / 2) * s.width + column / 2;
  const int all = static_cast<int>(s.channels * 4 * s.frames), copies = all / source;
  float value[8], added[8];
  load8(moved + place * all + first, value);
  load8(bias + first, added);
#pragma unroll
  for (int i = 0; i < 8; ++i) value[i] += added[i] + widen(x[place * source + (first + i) / copies]);
  store8(value, out + at * 8);
}

std::int64_t norm_blocks(const GroupNormShape& s) {
  const std::int64_t each = NormBlock(s.channels).places();
  return (s.places + each - 1) / each;
}

}  // namespace

std::int64_t group_norm_work(const GroupNormShape& shape) {
  return shape.batch * norm_groups * 2 * (norm_blocks(shape) + 1);
}

namespace {

template <class T>
void group_norm_of(const void* x, const void* added, const float* gamma, const float* beta, const float* scale_shift,
                   const GroupNormShape& shape, double* work, void* out, Stream stream) {
  const NormBlock block(shape.channels);
  const std::int64_t blocks = norm_blocks(shape);
  const dim3 grid(blocks_of(blocks), blocks_of(shape.batch));
  double* const moments = work + shape.batch * norm_groups * 2 * blocks;
  const auto bytes = static_cast<std::size_t>(block.lanes * shape.channels) * 2 * sizeof(float);
  group_sums_kernel<T>
      <<<grid, norm_threads, bytes, stream>>>(static_cast<const T*>(x), static_cast<const T*>(added), shape, work);
  group_moments_kernel<<<dim3(norm_groups, grid.y), 32, 0, stream>>>(work, shape, blocks, moments);
  group_apply_kernel<T><<<grid, norm_threads, 0, stream>>>(static_cast<const T*>(x), static_cast<const T*>(added),
                                                           gamma, beta, scale_shift, shape, moments,
                                                           static_cast<T*>(out));
}

}  // namespace

void group_norm(const void* x, const void* added, const float* gamma, const float* beta, const float* scale_shift,
                const GroupNormShape& shape, double* work, void* out, Stream stream) {
  (shape.half ? group_norm_of<__half> : group_norm_of<Bf16>)(x, added, gamma, beta, scale_shift, shape, work, out,
                                                             stream);
}

void add_bias(const void* a, const void* b, const void* bias, std::int64_t places, std::int64_t channels, bool half,
              void* out, Stream stream) {
  const std::int64_t chunks = places * channels / 8;
  const auto launch = [&](auto type) {
    using T = decltype(type);
    add_bias_kernel<<<blocks_of((chunks + 255) / 256), 256, 0, stream>>>(
        static_cast<const T*>(a), static_cast<const T*>(b), static_cast<const T*>(bias), chunks,
        static_cast<int>(channels / 8), static_cast<T*>(out));
  };
  half ? launch(__half()) : launch(Bf16());
}

void expand_channels(const void* moved, const void* bias, const void* x, const ExpandShape& shape, bool half, void* out,
                     Stream stream) {
  const std::int64_t count = shape.batch * shape.time * shape.frames * shape.height * shape.width * shape.channels / 2;
  const auto launch = [&](auto type) {
    using T = decltype(type);
    expand_channels_kernel<<<blocks_of((count + 255) / 256), 256, 0, stream>>>(
        static_cast<const T*>(moved), static_cast<const T*>(bias), static_cast<const T*>(x), shape,
        static_cast<T*>(out));
  };
  half ? launch(__half()) : launch(Bf16());
}

}  // namespace hunyuan_generate::kernels
