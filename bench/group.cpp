// SPDX-License-Identifier: MIT
// Groups at run time: building one, and snapping in large ones. Floor of building: memcpy of a finished group.
#include <benchmark/benchmark.h>

#include <cstring>

#include <hunyuan_reso/model.hpp>

#include "support/check.hpp"
#include "support/data.hpp"
#include "support/plain_group.hpp"

namespace hunyuan_reso_bench {
namespace {

using namespace hunyuan_reso;

template <class Group>
void require_same_rows(const Group& group, const PlainGroup& plain) {
  require(group.size() == plain.rows().size(), "number of rows");
  for (std::size_t i = 0; i < group.size(); ++i) {
    require(group[i] == Resolution{plain.rows()[i].height, plain.rows()[i].width}, "rows");
  }
}

/// The spec comes in as data, so that nothing is computed at compile time.
void group_library(benchmark::State& state) {
  GroupSpec spec = profiles::instruct.group_spec(static_cast<std::int32_t>(state.range(0)), ExtraScaling::absolute);
  require_same_rows(*ResolutionGroup::create(spec), PlainGroup::of(spec));
  for (auto _ : state) {
    benchmark::DoNotOptimize(spec);
    benchmark::DoNotOptimize(ResolutionGroup::create(spec));
  }
  state.SetItemsProcessed(state.iterations());
}
void group_plain(benchmark::State& state) {
  GroupSpec spec = profiles::instruct.group_spec(static_cast<std::int32_t>(state.range(0)), ExtraScaling::absolute);
  for (auto _ : state) {
    benchmark::DoNotOptimize(spec);
    benchmark::DoNotOptimize(PlainGroup::of(spec));
  }
  state.SetItemsProcessed(state.iterations());
}
void group_floor_memcpy(benchmark::State& state) {
  ResolutionGroup from = *make_group(profiles::instruct, static_cast<std::int32_t>(state.range(0)));
  ResolutionGroup to = from;
  for (auto _ : state) {
    benchmark::DoNotOptimize(&from);
    std::memcpy(static_cast<void*>(&to), &from, sizeof to);
    benchmark::DoNotOptimize(&to);
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(sizeof to));
}

BENCHMARK(group_library)->Name("group/library")->Arg(1024);
BENCHMARK(group_plain)->Name("group/plain")->Arg(1024);
BENCHMARK(group_floor_memcpy)->Name("group/floor_memcpy")->Arg(1024);

// Groups of 33 to 1025 rows: base size 8192, 2 * 8192 / step + 1 rows.

using LargeGroup = BasicResolutionGroup<1025>;

GroupSpec spec_of_rows(std::int64_t rows) {
  return GroupSpec{}.with_base_size(8192).with_align(1).with_step(static_cast<std::int32_t>(2 * 8192 / (rows - 1)));
}

void scaling_group_library(benchmark::State& state) {
  GroupSpec spec = spec_of_rows(state.range(0));
  require_same_rows(*LargeGroup::create(spec), PlainGroup::of(spec));
  for (auto _ : state) {
    benchmark::DoNotOptimize(spec);
    benchmark::DoNotOptimize(LargeGroup::create(spec));
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
void scaling_group_plain(benchmark::State& state) {
  GroupSpec spec = spec_of_rows(state.range(0));
  for (auto _ : state) {
    benchmark::DoNotOptimize(spec);
    benchmark::DoNotOptimize(PlainGroup::of(spec));
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

constexpr std::size_t size_count = 4096;

void scaling_group_snap_library(benchmark::State& state) {
  const LargeGroup group = *LargeGroup::create(spec_of_rows(state.range(0)));
  const PlainGroup plain = PlainGroup::of(spec_of_rows(state.range(0)));
  const Sizes sizes = random_sizes(size_count);
  for (std::size_t i = 0; i < size_count; ++i) {
    require(group.snap({sizes.heights[i], sizes.widths[i]}) == plain.nearest(sizes.widths[i], sizes.heights[i]),
            "snap in a large group");
  }
  for (auto _ : state) {
    for (std::size_t i = 0; i < size_count; ++i) {
      benchmark::DoNotOptimize(group.snap({sizes.heights[i], sizes.widths[i]}));
    }
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
void scaling_group_snap_plain(benchmark::State& state) {
  const PlainGroup plain = PlainGroup::of(spec_of_rows(state.range(0)));
  const Sizes sizes = random_sizes(size_count);
  for (auto _ : state) {
    for (std::size_t i = 0; i < size_count; ++i) {
      benchmark::DoNotOptimize(plain.nearest(sizes.widths[i], sizes.heights[i]));
    }
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void row_counts(benchmark::internal::Benchmark* benchmark) {
  for (std::int64_t rows = 33; rows <= 1025; rows = 2 * rows - 1) benchmark->Arg(rows);
}

BENCHMARK(scaling_group_library)->Name("scaling_group/library")->Apply(row_counts);
BENCHMARK(scaling_group_plain)->Name("scaling_group/plain")->Apply(row_counts);
BENCHMARK(scaling_group_snap_library)->Name("scaling_group_snap/library")->Apply(row_counts);
BENCHMARK(scaling_group_snap_plain)->Name("scaling_group_snap/plain")->Apply(row_counts);

}  // namespace
}  // namespace hunyuan_reso_bench
