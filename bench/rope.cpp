// SPDX-License-Identifier: MIT
// Rotary positions of a whole sequence, and the tables of cos and sin from them. Floor: memset of as many bytes.
#include <benchmark/benchmark.h>

#include <cmath>
#include <cstring>
#include <memory>

#include <hunyuan_reso/rope.hpp>

#include "support/check.hpp"
#include "support/layout.hpp"

namespace hunyuan_reso_bench {
namespace {

using namespace hunyuan_reso;

std::vector<RopeImage> images_of(std::int32_t length) {
  std::vector<RopeImage> images;
  for (const ImageRun& run : image_runs(length)) images.push_back({run.slice.start, run.token_height, run.token_width});
  return images;
}

RopeLayout layout_of(std::int32_t length) {
  const std::vector<RopeImage> images = images_of(length);
  return *RopeLayout::create(images.data(), images.size(), length);
}

/// Which image holds the token, and where in its grid: asked for every token, as a port of the published formula does.
RopePosition plain_position(const std::vector<RopeImage>& images, std::int32_t index) {
  for (const RopeImage& image : images) {
    const std::int32_t cells = image.token_height * image.token_width;
    if (index < image.start || index >= image.start + cells) continue;
    const std::int32_t cell = index - image.start;
    const double top = image.start + (cells - image.token_height) / 2.0;
    const double left = image.start + (cells - image.token_width) / 2.0;
    const std::int32_t row = cell / image.token_width;
    return {static_cast<std::int32_t>(top + row), static_cast<std::int32_t>(left + cell - row * image.token_width)};
  }
  return {index, index};
}

void count_positions(benchmark::State& state) {
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.SetBytesProcessed(state.iterations() * state.range(0) * static_cast<std::int64_t>(sizeof(RopePosition)));
}

void rope_positions_library(benchmark::State& state) {
  const auto length = static_cast<std::int32_t>(state.range(0));
  const RopeLayout layout = layout_of(length);
  const std::vector<RopeImage> images = images_of(length);
  std::vector<RopePosition> positions(static_cast<std::size_t>(length));
  require(layout.write(positions.data(), positions.size()) == Errc::none, "positions");
  for (std::int32_t i = 0; i < length; ++i) {
    require(positions[static_cast<std::size_t>(i)] == plain_position(images, i), "positions");
  }
  for (auto _ : state) {
    benchmark::DoNotOptimize(layout.write(positions.data(), positions.size()));
    benchmark::DoNotOptimize(positions.data());
    benchmark::ClobberMemory();
  }
  count_positions(state);
}

/// position() for every token, as a kernel does.
void rope_positions_one_by_one(benchmark::State& state) {
  const auto length = static_cast<std::int32_t>(state.range(0));
  const RopeLayout layout = layout_of(length);
  std::vector<RopePosition> positions(static_cast<std::size_t>(length));
  for (auto _ : state) {
    for (std::int32_t i = 0; i < length; ++i) positions[static_cast<std::size_t>(i)] = layout.position(i);
    benchmark::DoNotOptimize(positions.data());
    benchmark::ClobberMemory();
  }
  count_positions(state);
}

void rope_positions_plain(benchmark::State& state) {
  const auto length = static_cast<std::int32_t>(state.range(0));
  const std::vector<RopeImage> images = images_of(length);
  for (auto _ : state) {
    std::vector<RopePosition> positions;
    for (std::int32_t i = 0; i < length; ++i) positions.push_back(plain_position(images, i));
    benchmark::DoNotOptimize(positions.data());
    benchmark::ClobberMemory();
  }
  count_positions(state);
}

void rope_positions_floor_memset(benchmark::State& state) {
  std::vector<RopePosition> positions(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    std::memset(static_cast<void*>(positions.data()), 1, positions.size() * sizeof(RopePosition));
    benchmark::DoNotOptimize(positions.data());
    benchmark::ClobberMemory();
  }
  count_positions(state);
}

constexpr std::int32_t head_dimension = 128;

/// One row of cos and one of sin a token; what takes the time is cos and sin themselves.
void rope_table_library(benchmark::State& state) {
  const auto length = static_cast<std::size_t>(state.range(0));
  const RopeLayout layout = layout_of(static_cast<std::int32_t>(state.range(0)));
  std::vector<RopePosition> positions(length);
  float thetas[head_dimension / 2];
  require(layout.write(positions.data(), length) == Errc::none, "positions");
  require(write_rope_thetas(profiles::instruct, thetas, head_dimension / 2) == Errc::none, "thetas");
  std::vector<float> cosines(length * head_dimension);
  std::vector<float> sines(length * head_dimension);
  for (auto _ : state) {
    benchmark::DoNotOptimize(write_rope_table(positions.data(), length, thetas, head_dimension, cosines.data(),
                                              sines.data(), cosines.size()));
    benchmark::DoNotOptimize(cosines.data());
    benchmark::DoNotOptimize(sines.data());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.SetBytesProcessed(state.iterations() * state.range(0) * head_dimension * 2 *
                          static_cast<std::int64_t>(sizeof(float)));
}

/// std::cos and std::sin on floats for every element, both halves computed.
void rope_table_plain(benchmark::State& state) {
  const auto length = static_cast<std::size_t>(state.range(0));
  const std::vector<RopeImage> images = images_of(static_cast<std::int32_t>(state.range(0)));
  std::vector<float> cosines(length * head_dimension);
  std::vector<float> sines(length * head_dimension);
  for (auto _ : state) {
    for (std::size_t i = 0; i < length; ++i) {
      const RopePosition position = plain_position(images, static_cast<std::int32_t>(i));
      for (std::int32_t d = 0; d < head_dimension; ++d) {
        const std::int32_t k = d % (head_dimension / 2);
        const float theta = 1.0F / std::pow(10000.0F, 2.0F * static_cast<float>(k) / head_dimension);
        const float angle = static_cast<float>(k % 2 == 0 ? position.y : position.x) * theta;
        cosines[i * head_dimension + static_cast<std::size_t>(d)] = std::cos(angle);
        sines[i * head_dimension + static_cast<std::size_t>(d)] = std::sin(angle);
      }
    }
    benchmark::DoNotOptimize(cosines.data());
    benchmark::DoNotOptimize(sines.data());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void lengths(benchmark::internal::Benchmark* benchmark) {
  for (const std::int64_t length : sequence_lengths) benchmark->Arg(length);
}

BENCHMARK(rope_positions_library)->Name("rope_positions/library")->Apply(lengths);
BENCHMARK(rope_positions_one_by_one)->Name("rope_positions/one_by_one")->Apply(lengths);
BENCHMARK(rope_positions_plain)->Name("rope_positions/plain")->Apply(lengths);
BENCHMARK(rope_positions_floor_memset)->Name("rope_positions/floor_memset")->Apply(lengths);
BENCHMARK(rope_table_library)->Name("rope_table/library")->Arg(4096);
BENCHMARK(rope_table_plain)->Name("rope_table/plain")->Arg(4096);

}  // namespace
}  // namespace hunyuan_reso_bench
