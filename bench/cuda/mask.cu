// SPDX-License-Identifier: MIT
// The mask inside a kernel shaped like attention: for every query the sum of exp(q * k) over the keys that it sees,
// with q and k scalars, so that the mask is as large a part of the work as it can be. Without a mask; with allows() for
// every pair; with allowed_end() once a row and a comparison a pair; with the loop ending there; with a dense mask of
// bytes.
#include <cmath>

#include <hunyuan_reso/attention.hpp>

#include "../support/layout.hpp"
#include "common.hpp"

namespace hunyuan_reso_bench {
namespace {

using namespace hunyuan_reso;

constexpr int threads_per_block = 256;
constexpr std::int32_t length = 22800;  // a multiple of 4
static_assert(length % 4 == 0);

// A mask gives a row of itself; a row says of four keys, from `key` on, which ones the query sees.

struct NoMask {
  struct Row {
    __device__ uchar4 four(std::int32_t) const { return make_uchar4(1, 1, 1, 1); }
  };
  __device__ Row row(std::int32_t) const { return {}; }
};

struct Predicate {
  AttentionLayout layout;
  struct Row {
    const AttentionLayout& layout;
    std::int32_t query;
    __device__ uchar4 four(std::int32_t key) const {
      return make_uchar4(layout.allows(query, key), layout.allows(query, key + 1), layout.allows(query, key + 2),
                         layout.allows(query, key + 3));
    }
  };
  __device__ Row row(std::int32_t query) const { return {layout, query}; }
};

struct RowEnd {
  AttentionLayout layout;
  struct Row {
    std::int32_t end;
    __device__ uchar4 four(std::int32_t key) const {
      return make_uchar4(key < end, key + 1 < end, key + 2 < end, key + 3 < end);
    }
  };
  __device__ Row row(std::int32_t query) const { return {layout.allowed_end(query)}; }
};

struct DenseMask {
  const std::uint8_t* bytes;
  struct Row {
    const std::uint8_t* bytes;
    __device__ uchar4 four(std::int32_t key) const { return __ldcs(reinterpret_cast<const uchar4*>(bytes + key)); }
  };
  __device__ Row row(std::int32_t query) const {
    return {bytes + std::size_t{static_cast<std::uint32_t>(query)} * length};
  }
};

/// The sum of the block's values, in its first thread.
__device__ float sum_of_block(float value) {
  __shared__ float partial[threads_per_block / 32];
  for (int offset = 16; offset != 0; offset /= 2) value += __shfl_down_sync(0xFFFFFFFF, value, offset);
  if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = value;
  __syncthreads();
  if (threadIdx.x < 32) {
    value = threadIdx.x < threads_per_block / 32 ? partial[threadIdx.x] : 0.0F;
    for (int offset = 4; offset != 0; offset /= 2) value += __shfl_down_sync(0xFFFFFFFF, value, offset);
  }
  return value;
}

/// One block a query, which looks at every key.
template <class Mask>
__global__ void __launch_bounds__(threads_per_block)
    row_sums(const __grid_constant__ Mask mask, const float* queries, const float* keys, float* sums) {
  const auto query = static_cast<std::int32_t>(blockIdx.x);
  const float q = queries[query];
  const auto row = mask.row(query);
  float sum = 0;
  for (auto key = static_cast<std::int32_t>(4 * threadIdx.x); key < length; key += 4 * threads_per_block) {
    const float4 k = *reinterpret_cast<const float4*>(keys + key);
    const uchar4 seen = row.four(key);
    sum += seen.x != 0 ? __expf(q * k.x) : 0.0F;
    sum += seen.y != 0 ? __expf(q * k.y) : 0.0F;
    sum += seen.z != 0 ? __expf(q * k.z) : 0.0F;
    sum += seen.w != 0 ? __expf(q * k.w) : 0.0F;
  }
  sum = sum_of_block(sum);
  if (threadIdx.x == 0) sums[query] = sum;
}

/// The loop ends with the row, so that no key in it is compared: what an attention kernel does with its tiles.
__global__ void __launch_bounds__(threads_per_block)
    row_sums_to_end(const __grid_constant__ AttentionLayout layout, const float* queries, const float* keys,
                    float* sums) {
  const auto query = static_cast<std::int32_t>(blockIdx.x);
  const float q = queries[query];
  const std::int32_t end = layout.allowed_end(query);
  const std::int32_t whole = end / 4 * 4;
  float sum = 0;
  for (auto key = static_cast<std::int32_t>(4 * threadIdx.x); key < whole; key += 4 * threads_per_block) {
    const float4 k = *reinterpret_cast<const float4*>(keys + key);
    sum += __expf(q * k.x) + __expf(q * k.y) + __expf(q * k.z) + __expf(q * k.w);
  }
  const std::int32_t last = whole + static_cast<std::int32_t>(threadIdx.x);
  if (last < end) sum += __expf(q * keys[last]);
  sum = sum_of_block(sum);
  if (threadIdx.x == 0) sums[query] = sum;
}

}  // namespace

void measure_mask(std::uint64_t seed, std::vector<Measurement>& results) {
  const std::vector<ImageRun> runs = image_runs(length);
  const AttentionLayout layout = *AttentionLayout::create(profiles::instruct, runs.data(), runs.size());
  std::vector<float> queries(length);
  std::vector<float> keys(length);
  for (std::size_t i = 0; i < queries.size(); ++i) {
    queries[i] = static_cast<float>(random_bits(seed, 2 * i) >> 40) * 1e-7F - 0.8F;
    keys[i] = static_cast<float>(random_bits(seed, 2 * i + 1) >> 40) * 1e-7F - 0.8F;
  }
  std::vector<std::uint8_t> dense(std::size_t{length} * length);
  require(layout.write_mask(length, dense.data(), dense.size()) == Errc::none, "mask");

  // Right answers in binary64; a row without a mask, too.
  std::vector<double> expected(length);
  std::vector<double> expected_without(length);
  on_all_processors(length, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      for (std::size_t j = 0; j < std::size_t{length}; ++j) {
        const double value = std::exp(static_cast<double>(queries[i]) * static_cast<double>(keys[j]));
        expected_without[i] += value;
        if (layout.allows(static_cast<std::int32_t>(i), static_cast<std::int32_t>(j))) expected[i] += value;
      }
    }
  });

  double allowed = 0;
  for (std::int32_t i = 0; i < length; ++i) allowed += layout.allowed_end(i);
  std::printf("mask: %.1f %% of the pairs are allowed\n", 100 * allowed / (static_cast<double>(length) * length));

  const DeviceArray<float> device_queries(queries);
  const DeviceArray<float> device_keys(keys);
  const DeviceArray<std::uint8_t> device_dense(dense);
  DeviceArray<float> sums(length);
  Rounds rounds;
  const auto measure = [&](const char* variant, const std::vector<double>& right, auto kernel, auto mask,
                           double bytes) {
    const auto launch = [&] {
      kernel<<<length, threads_per_block>>>(mask, device_queries.data(), device_keys.data(), sums.data());
    };
    sums.poison(0xFF);  // NaN
    launch();
    check(cudaGetLastError(), variant);
    check(cudaDeviceSynchronize(), variant);
    const std::vector<float> answers = sums.download();
    for (std::size_t i = 0; i < answers.size(); ++i) {
      require(std::fabs(answers[i] - right[i]) <= 2e-5 * right[i], variant);
    }
    const double pairs = static_cast<double>(length) * length;
    rounds.add("cuda_mask", variant, std::size_t{length}, pairs, bytes,
               [kernel, mask, &device_queries, &device_keys, &sums] {
                 kernel<<<length, threads_per_block>>>(mask, device_queries.data(), device_keys.data(), sums.data());
               });
  };
  measure("library", expected, row_sums_to_end, layout, 0);
  measure("compared", expected, row_sums<RowEnd>, RowEnd{layout}, 0);
  measure("allows", expected, row_sums<Predicate>, Predicate{layout}, 0);
  measure("plain", expected, row_sums<DenseMask>, DenseMask{device_dense.data()}, static_cast<double>(length) * length);
  measure("floor_no_mask", expected_without, row_sums<NoMask>, NoMask{}, 0);
  rounds.run(results);
}

}  // namespace hunyuan_reso_bench
