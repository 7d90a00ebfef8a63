// SPDX-License-Identifier: MIT
// Many sizes at once. Floor: a memcpy that moves as many bytes as snap_batch does, 9 a pair (4.5 read, 4.5 written; of
// snap_batch's, 8 are read and 1 is written).
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include <hunyuan_reso/model.hpp>
#include <hunyuan_reso/snap_batch.hpp>

#include "support/check.hpp"
#include "support/data.hpp"
#include "support/memory.hpp"
#include "support/plain_group.hpp"

namespace hunyuan_reso_bench {
namespace {

using namespace hunyuan_reso;

constexpr std::size_t bytes_per_pair = 2 * sizeof(std::int32_t) + sizeof(std::uint8_t);

/// Sizes of one batch with room for the answers. One at a time is held: the largest takes 2.25 GiB.
struct Batch {
  Sizes sizes;
  std::vector<std::uint8_t> indices;
};

const ResolutionGroup& group() {
  static const ResolutionGroup once = *make_group(profiles::instruct);
  return once;
}
const PlainGroup& plain_group() {
  static const PlainGroup once = PlainGroup::of(profiles::instruct.group_spec(1024, ExtraScaling::absolute));
  return once;
}

void check(const Batch& batch) {
  const std::size_t stride = batch.sizes.count() > std::size_t{1} << 20 ? 61 : 1;
  for (std::size_t i = 0; i < batch.sizes.count(); i += stride) {
    require(batch.indices[i] == plain_group().nearest(batch.sizes.widths[i], batch.sizes.heights[i]), "snap_batch");
  }
}

Batch& random_batch(std::size_t count) {
  static Batch batch;
  if (batch.sizes.count() == count) return batch;
  batch = Batch{};
  batch.sizes = random_sizes(count);
  batch.indices.assign(count, 99);
  snap_batch(group(), batch.sizes.widths.data(), batch.sizes.heights.data(), batch.indices.data(), count);
  check(batch);
  return batch;
}

/// All sizes next to a threshold, on either side: none that the table decides.
Batch& hard_batch(std::size_t count) {
  static Batch batch;
  if (batch.sizes.count() == count) return batch;
  batch = Batch{};
  Random random(seed);
  for (std::size_t i = 0; i < count; ++i) {
    const Resolution last = group().threshold(random.below(group().threshold_count())).last;
    const std::int32_t width = random_side(random);
    const std::int64_t height = std::int64_t{width} * last.height / last.width;
    batch.sizes.widths.push_back(width);
    batch.sizes.heights.push_back(static_cast<std::int32_t>(height + static_cast<std::int64_t>(random.below(2))));
  }
  batch.indices.assign(count, 99);
  snap_batch(group(), batch.sizes.widths.data(), batch.sizes.heights.data(), batch.indices.data(), count);
  check(batch);
  return batch;
}

void count_pairs(benchmark::State& state) {
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.SetBytesProcessed(state.iterations() * state.range(0) * static_cast<std::int64_t>(bytes_per_pair));
}

void library(benchmark::State& state, Batch& batch) {
  for (auto _ : state) {
    snap_batch(group(), batch.sizes.widths.data(), batch.sizes.heights.data(), batch.indices.data(),
               batch.sizes.count());
    benchmark::ClobberMemory();
  }
  count_pairs(state);
}

void plain(benchmark::State& state, Batch& batch) {
  for (auto _ : state) {
    for (std::size_t i = 0; i < batch.sizes.count(); ++i) {
      batch.indices[i] =
          static_cast<std::uint8_t>(plain_group().nearest(batch.sizes.widths[i], batch.sizes.heights[i]));
    }
    benchmark::ClobberMemory();
  }
  count_pairs(state);
}

void snap_batch_library(benchmark::State& state) {
  library(state, random_batch(static_cast<std::size_t>(state.range(0))));
}
/// With a table that was made before: short batches show what making one costs.
void snap_batch_with_table(benchmark::State& state) {
  Batch& batch = random_batch(static_cast<std::size_t>(state.range(0)));
  const SnapTable table = *SnapTable::create(group());
  for (auto _ : state) {
    snap_batch(table, batch.sizes.widths.data(), batch.sizes.heights.data(), batch.indices.data(), batch.sizes.count());
    benchmark::ClobberMemory();
  }
  count_pairs(state);
}
void snap_batch_plain(benchmark::State& state) { plain(state, random_batch(static_cast<std::size_t>(state.range(0)))); }

/// One call a size: what a program writes that has the library's group but not snap_batch.
void snap_batch_one_by_one(benchmark::State& state) {
  Batch& batch = random_batch(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    for (std::size_t i = 0; i < batch.sizes.count(); ++i) {
      const Resolution size{batch.sizes.heights[i], batch.sizes.widths[i]};
      batch.indices[i] = size.is_positive() ? static_cast<std::uint8_t>(group().snap(size)) : snap_refused;
    }
    benchmark::ClobberMemory();
  }
  count_pairs(state);
}

void copy_bytes(benchmark::State& state, std::size_t bytes) {
  const auto from = std::make_unique<char[]>(bytes);
  const auto to = std::make_unique<char[]>(bytes);
  std::memset(from.get(), 1, bytes);
  std::memset(to.get(), 2, bytes);
  for (auto _ : state) {
    std::memcpy(to.get(), from.get(), bytes);
    benchmark::DoNotOptimize(to.get());  // else nobody sees the copy, and clang leaves it out
    benchmark::ClobberMemory();
  }
  count_pairs(state);
}

void snap_batch_floor_traffic(benchmark::State& state) {
  copy_bytes(state, static_cast<std::size_t>(state.range(0)) * bytes_per_pair / 2);
}

void snap_batch_hard_library(benchmark::State& state) {
  library(state, hard_batch(static_cast<std::size_t>(state.range(0))));
}
void snap_batch_hard_plain(benchmark::State& state) {
  plain(state, hard_batch(static_cast<std::size_t>(state.range(0))));
}

void snap_histogram_library(benchmark::State& state) {
  const Batch& batch = random_batch(static_cast<std::size_t>(state.range(0)));
  std::uint64_t expected[ResolutionGroup::capacity()] = {};
  for (const std::uint8_t index : batch.indices) ++expected[index];
  const auto once = snap_histogram(group(), batch.sizes.widths.data(), batch.sizes.heights.data(), batch.sizes.count());
  require(std::equal(expected, expected + ResolutionGroup::capacity(), once.counts) && once.refused == 0, "histogram");
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        snap_histogram(group(), batch.sizes.widths.data(), batch.sizes.heights.data(), batch.sizes.count()));
  }
  count_pairs(state);
}
void snap_histogram_plain(benchmark::State& state) {
  const Batch& batch = random_batch(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    std::vector<std::uint64_t> counts(plain_group().rows().size());
    for (std::size_t i = 0; i < batch.sizes.count(); ++i) {
      ++counts[plain_group().nearest(batch.sizes.widths[i], batch.sizes.heights[i])];
    }
    benchmark::DoNotOptimize(counts.data());
  }
  count_pairs(state);
}

constexpr std::int64_t kibi = std::int64_t{1} << 10;
constexpr std::int64_t mebi = std::int64_t{1} << 20;

void batch_sizes(benchmark::internal::Benchmark* benchmark) { benchmark->Arg(kibi)->Arg(64 * kibi)->Arg(16 * mebi); }

/// Every fourth power of two, up to what fits into half of the memory. At 256 Mi: 2.25 GiB.
void scaling_sizes(benchmark::internal::Benchmark* benchmark) {
  for (std::int64_t count = kibi; count <= 256 * mebi; count *= 4) {
    if (static_cast<std::uint64_t>(count) * bytes_per_pair <= physical_memory() / 2) benchmark->Arg(count);
  }
}

BENCHMARK(snap_batch_library)->Name("snap_batch/library")->Apply(batch_sizes);
BENCHMARK(snap_batch_plain)->Name("snap_batch/plain")->Apply(batch_sizes);
BENCHMARK(snap_batch_one_by_one)->Name("snap_batch/one_by_one")->Apply(batch_sizes);
BENCHMARK(snap_batch_with_table)->Name("snap_batch/with_table")->Apply(batch_sizes);
BENCHMARK(snap_batch_floor_traffic)->Name("snap_batch/floor_traffic")->Apply(batch_sizes);
BENCHMARK(snap_batch_hard_library)->Name("snap_batch_hard/library")->Arg(64 * kibi);
BENCHMARK(snap_batch_hard_plain)->Name("snap_batch_hard/plain")->Arg(64 * kibi);
BENCHMARK(snap_histogram_library)->Name("snap_histogram/library")->Apply(batch_sizes);
BENCHMARK(snap_histogram_plain)->Name("snap_histogram/plain")->Apply(batch_sizes);
// Beside NumPy: see peer.sh.
BENCHMARK(snap_batch_library)->Name("peer_snap/library")->Arg(mebi);
BENCHMARK(snap_batch_one_by_one)->Name("peer_snap/one_by_one")->Arg(mebi);
BENCHMARK(snap_batch_plain)->Name("peer_snap/plain")->Arg(mebi);

BENCHMARK(snap_batch_library)->Name("scaling_snap_batch/library")->Apply(scaling_sizes);

}  // namespace
}  // namespace hunyuan_reso_bench
