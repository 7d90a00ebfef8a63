// SPDX-License-Identifier: MIT
// One size at a time: the same one again and again, random ones, and a chain in which each call waits for the one
// before.
#include <benchmark/benchmark.h>

#include <hunyuan_reso/model.hpp>

#include "support/check.hpp"
#include "support/data.hpp"
#include "support/plain_group.hpp"

namespace hunyuan_reso_bench {
namespace {

using namespace hunyuan_reso;

constexpr std::size_t count = 4096;  // of random sizes; 32 KiB

struct Setup {
  ResolutionGroup group = *make_group(profiles::instruct);
  PlainGroup plain = PlainGroup::of(profiles::instruct.group_spec(1024, ExtraScaling::absolute));
  Sizes sizes = random_sizes(count);

  Setup() {
    for (std::size_t i = 0; i < count; ++i) {
      require(group.snap({sizes.heights[i], sizes.widths[i]}) == plain.nearest(sizes.widths[i], sizes.heights[i]),
              "snap");
    }
  }
};

const Setup& setup() {
  static const Setup once;
  return once;
}

std::size_t snap(const ResolutionGroup& group, std::int32_t width, std::int32_t height) {
  return group.snap({height, width});
}
std::size_t snap(const PlainGroup& group, std::int32_t width, std::int32_t height) {
  return group.nearest(width, height);
}

template <class Group>
void snap_hot(benchmark::State& state, const Group& group) {
  std::int32_t width = 1600;
  std::int32_t height = 900;
  for (auto _ : state) {
    benchmark::DoNotOptimize(width);
    benchmark::DoNotOptimize(height);
    benchmark::DoNotOptimize(snap(group, width, height));
  }
  state.SetItemsProcessed(state.iterations());
}

template <class Group>
void snap_random(benchmark::State& state, const Group& group) {
  const Sizes& sizes = setup().sizes;
  for (auto _ : state) {
    for (std::size_t i = 0; i < count; ++i) {
      benchmark::DoNotOptimize(snap(group, sizes.widths[i], sizes.heights[i]));
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(count));
}

/// The answer enters the next question in a way that changes nothing, but that the compiler cannot see through and the
/// processor has to wait for.
template <class Group>
void snap_chain(benchmark::State& state, const Group& group) {
  const Sizes& sizes = setup().sizes;
  std::int32_t nothing = 0;
  for (auto _ : state) {
    for (std::size_t i = 0; i < count; ++i) {
      auto index = static_cast<std::int32_t>(snap(group, sizes.widths[i] + nothing, sizes.heights[i]));
      benchmark::DoNotOptimize(index);
      nothing = index >> 16;
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(count));
}

void snap_hot_library(benchmark::State& state) { snap_hot(state, setup().group); }
void snap_hot_plain(benchmark::State& state) { snap_hot(state, setup().plain); }
void snap_random_library(benchmark::State& state) { snap_random(state, setup().group); }
void snap_random_plain(benchmark::State& state) { snap_random(state, setup().plain); }
void snap_latency_library(benchmark::State& state) { snap_chain(state, setup().group); }
void snap_latency_plain(benchmark::State& state) { snap_chain(state, setup().plain); }

BENCHMARK(snap_hot_library)->Name("snap_hot/library")->Arg(1);
BENCHMARK(snap_hot_plain)->Name("snap_hot/plain")->Arg(1);
BENCHMARK(snap_random_library)->Name("snap_random/library")->Arg(count);
BENCHMARK(snap_random_plain)->Name("snap_random/plain")->Arg(count);
BENCHMARK(snap_latency_library)->Name("snap_latency/library")->Arg(count);
BENCHMARK(snap_latency_plain)->Name("snap_latency/plain")->Arg(count);

}  // namespace
}  // namespace hunyuan_reso_bench
