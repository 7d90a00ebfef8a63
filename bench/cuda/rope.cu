// SPDX-License-Identifier: MIT
// Tables of cos and sin from positions that are worked out on the device. The bound is writing them: 2 * 128 floats a
// token.
#include <cmath>

#include <hunyuan_reso/rope.hpp>

#include "../support/layout.hpp"
#include "common.hpp"

namespace hunyuan_reso_bench {
namespace {

using namespace hunyuan_reso;

constexpr int threads_per_block = 256;
constexpr std::int32_t head_dimension = 128;
constexpr int half = head_dimension / 2;
constexpr int threads_per_token = half / 4;  // each writes four columns, in both halves of both tables
constexpr std::int32_t length = 22800;
constexpr std::size_t batch = 64;  // sequences, so that the tables are many times the cache

struct Thetas {
  float of[half];
};

__global__ void __launch_bounds__(threads_per_block)
    write_positions(const __grid_constant__ RopeLayout layout, RopePosition* positions, std::size_t count) {
  const std::size_t stride = std::size_t{gridDim.x} * threads_per_block;
  for (std::size_t i = blockIdx.x * std::size_t{threads_per_block} + threadIdx.x; i < count; i += stride) {
    positions[i] = layout.position(static_cast<std::int32_t>(i % length));
  }
}

__global__ void __launch_bounds__(threads_per_block)
    write_table(const __grid_constant__ RopeLayout layout, const __grid_constant__ Thetas thetas, float4* cosines,
                float4* sines, std::uint32_t tokens) {
  constexpr std::uint32_t tokens_per_block = threads_per_block / threads_per_token;
  const int column = threadIdx.x % threads_per_token;  // of float4
  float theta[4];
#pragma unroll
  for (int k = 0; k < 4; ++k) theta[k] = thetas.of[4 * column + k];
  for (std::uint32_t token = blockIdx.x * tokens_per_block + threadIdx.x / threads_per_token; token < tokens;
       token += gridDim.x * tokens_per_block) {
    const RopePosition position = layout.position(static_cast<std::int32_t>(token % length));
    const auto y = static_cast<float>(position.y);
    const auto x = static_cast<float>(position.x);
    float4 c;
    float4 s;
    sincosf(__fmul_rn(y, theta[0]), &s.x, &c.x);
    sincosf(__fmul_rn(x, theta[1]), &s.y, &c.y);
    sincosf(__fmul_rn(y, theta[2]), &s.z, &c.z);
    sincosf(__fmul_rn(x, theta[3]), &s.w, &c.w);
    const std::size_t row = std::size_t{token} * (head_dimension / 4) + static_cast<std::size_t>(column);
    __stcs(cosines + row, c);
    __stcs(cosines + row + half / 4, c);
    __stcs(sines + row, s);
    __stcs(sines + row + half / 4, s);
  }
}

/// Floor: the same stores without the work.
__global__ void __launch_bounds__(threads_per_block) fill(float4* out, std::size_t count, float value) {
  const std::size_t stride = std::size_t{gridDim.x} * threads_per_block;
  for (std::size_t i = blockIdx.x * std::size_t{threads_per_block} + threadIdx.x; i < count; i += stride) {
    __stcs(out + i, make_float4(value, value, value, value));
  }
}

float largest_difference(const std::vector<float>& a, const float* b, std::size_t offset, std::size_t count) {
  float largest = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const float difference = std::fabs(a[offset + i] - b[i]);
    if (!(difference <= largest)) largest = difference;  // also NaN
  }
  return largest;
}

}  // namespace

void measure_rope(std::vector<Measurement>& results) {
  const std::vector<ImageRun> runs = image_runs(length);
  std::vector<RopeImage> images;
  for (const ImageRun& run : runs) images.push_back({run.slice.start, run.token_height, run.token_width});
  const RopeLayout layout = *RopeLayout::create(images.data(), images.size(), length);
  Thetas thetas{};
  require(write_rope_thetas(profiles::instruct, thetas.of, half) == Errc::none, "thetas");

  const std::size_t tokens = std::size_t{length} * batch;
  const std::size_t values = tokens * head_dimension;
  DeviceArray<RopePosition> positions(tokens);
  DeviceArray<float> cosines(values);
  DeviceArray<float> sines(values);
  auto* cosines4 = reinterpret_cast<float4*>(cosines.data());
  auto* sines4 = reinterpret_cast<float4*>(sines.data());
  const int position_blocks = blocks_that_fill(write_positions, threads_per_block);
  const int table_blocks = blocks_that_fill(write_table, threads_per_block);
  const int fill_blocks = blocks_that_fill(fill, threads_per_block);
  const auto write = [&] {
    write_table<<<table_blocks, threads_per_block>>>(layout, thetas, cosines4, sines4,
                                                     static_cast<std::uint32_t>(tokens));
  };

  // All positions equal to the host's; all of the table near the host's, which rounds the same angles' cos and sin.
  std::vector<RopePosition> expected(length);
  require(layout.write(expected.data(), expected.size()) == Errc::none, "positions");
  positions.poison(0x77);
  write_positions<<<position_blocks, threads_per_block>>>(layout, positions.data(), tokens);
  check(cudaDeviceSynchronize(), "write_positions");
  const std::vector<RopePosition> written = positions.download();
  for (std::size_t i = 0; i < tokens; ++i) require(written[i] == expected[i % length], "positions on the device");

  std::vector<float> expected_cosines(std::size_t{length} * head_dimension);
  std::vector<float> expected_sines(expected_cosines.size());
  require(write_rope_table(expected.data(), expected.size(), thetas.of, head_dimension, expected_cosines.data(),
                           expected_sines.data(), expected_sines.size()) == Errc::none,
          "table");
  cosines.poison(0xFF);  // NaN
  sines.poison(0xFF);
  write();
  check(cudaDeviceSynchronize(), "write_table");
  const std::vector<float> device_cosines = cosines.download();
  const std::vector<float> device_sines = sines.download();
  for (std::size_t row = 0; row < batch; ++row) {
    const std::size_t offset = row * expected_cosines.size();
    const float worst =
        std::max(largest_difference(device_cosines, expected_cosines.data(), offset, expected_cosines.size()),
                 largest_difference(device_sines, expected_sines.data(), offset, expected_sines.size()));
    require(worst < 5e-7F, "table on the device");
  }

  const auto items = static_cast<double>(tokens);
  const double bytes = 2.0 * static_cast<double>(values) * sizeof(float);
  Rounds rounds;
  rounds.add("cuda_rope_table", "library", tokens, items, bytes, write);
  rounds.add("cuda_rope_table", "floor_fill", tokens, items, bytes, [&] {
    fill<<<fill_blocks, threads_per_block>>>(cosines4, values / 4, 1.0F);
    fill<<<fill_blocks, threads_per_block>>>(sines4, values / 4, 2.0F);
  });
  rounds.add("cuda_rope_table", "floor_memset", tokens, items, bytes, [&] {
    check(cudaMemsetAsync(cosines.data(), 1, values * sizeof(float)), "memset");
    check(cudaMemsetAsync(sines.data(), 2, values * sizeof(float)), "memset");
  });
  rounds.run(results);
}

}  // namespace hunyuan_reso_bench
