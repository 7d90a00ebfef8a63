// SPDX-License-Identifier: MIT
// The dense mask of a sequence, a byte a pair, and the count of its pairs. Floor: memset of as many bytes.
#include <benchmark/benchmark.h>

#include <cstring>
#include <memory>

#include <hunyuan_reso/attention.hpp>

#include "support/check.hpp"
#include "support/layout.hpp"

namespace hunyuan_reso_bench {
namespace {

using namespace hunyuan_reso;

AttentionLayout layout_of(std::int32_t length) {
  const std::vector<ImageRun> runs = image_runs(length);
  return *AttentionLayout::create(profiles::instruct, runs.data(), runs.size());
}

/// Causal, or both in the same slice: every slice is asked for every element.
bool plain_allows(const std::vector<Slice>& slices, std::int32_t query, std::int32_t key) {
  if (key <= query) return true;
  for (const Slice& slice : slices) {
    if (query >= slice.start && query < slice.stop && key >= slice.start && key < slice.stop) return true;
  }
  return false;
}

void plain_write(const std::vector<Slice>& slices, std::int32_t length, std::uint8_t* out) {
  for (std::int32_t query = 0; query < length; ++query) {
    for (std::int32_t key = 0; key < length; ++key) *out++ = plain_allows(slices, query, key) ? 1 : 0;
  }
}

struct Mask {
  std::size_t count;
  std::unique_ptr<std::uint8_t[]> bytes;

  explicit Mask(std::int64_t length)
      : count(static_cast<std::size_t>(length * length)), bytes(new std::uint8_t[count]) {
    std::memset(bytes.get(), 77, count);
  }
};

void count_pairs(benchmark::State& state) {
  state.SetItemsProcessed(state.iterations() * state.range(0) * state.range(0));
  state.SetBytesProcessed(state.iterations() * state.range(0) * state.range(0));
}

void mask_library(benchmark::State& state) {
  const auto length = static_cast<std::int32_t>(state.range(0));
  const AttentionLayout layout = layout_of(length);
  Mask mask(length);
  if (length <= 4096) {
    Mask other(length);
    plain_write({layout.begin(), layout.end()}, length, other.bytes.get());
    require(layout.write_mask(length, mask.bytes.get(), mask.count) == Errc::none &&
                std::memcmp(mask.bytes.get(), other.bytes.get(), mask.count) == 0,
            "mask");
  }
  for (auto _ : state) {
    benchmark::DoNotOptimize(layout.write_mask(length, mask.bytes.get(), mask.count));
    benchmark::DoNotOptimize(mask.bytes.get());
    benchmark::ClobberMemory();
  }
  count_pairs(state);
}

/// allows() for every element, as a kernel without a mask does.
void mask_predicate(benchmark::State& state) {
  const auto length = static_cast<std::int32_t>(state.range(0));
  const AttentionLayout layout = layout_of(length);
  Mask mask(length);
  for (auto _ : state) {
    std::uint8_t* out = mask.bytes.get();
    for (std::int32_t query = 0; query < length; ++query) {
      for (std::int32_t key = 0; key < length; ++key) *out++ = layout.allows(query, key) ? 1 : 0;
    }
    benchmark::DoNotOptimize(mask.bytes.get());
    benchmark::ClobberMemory();
  }
  count_pairs(state);
}

void mask_plain(benchmark::State& state) {
  const auto length = static_cast<std::int32_t>(state.range(0));
  const AttentionLayout layout = layout_of(length);
  const std::vector<Slice> slices(layout.begin(), layout.end());
  Mask mask(length);
  for (auto _ : state) {
    plain_write(slices, length, mask.bytes.get());
    benchmark::DoNotOptimize(mask.bytes.get());
    benchmark::ClobberMemory();
  }
  count_pairs(state);
}

void mask_floor_memset(benchmark::State& state) {
  Mask mask(state.range(0));
  for (auto _ : state) {
    std::memset(mask.bytes.get(), 1, mask.count);
    benchmark::DoNotOptimize(mask.bytes.get());
    benchmark::ClobberMemory();
  }
  count_pairs(state);
}

void all_lengths(benchmark::internal::Benchmark* benchmark) {
  for (const std::int64_t length : sequence_lengths) benchmark->Arg(length);
}
void short_lengths(benchmark::internal::Benchmark* benchmark) { benchmark->Arg(1024)->Arg(4096)->Arg(8192); }

BENCHMARK(mask_library)->Name("mask/library")->Apply(all_lengths);
BENCHMARK(mask_predicate)->Name("mask/predicate")->Apply(short_lengths);
BENCHMARK(mask_plain)->Name("mask/plain")->Apply(short_lengths);
BENCHMARK(mask_floor_memset)->Name("mask/floor_memset")->Apply(all_lengths);

}  // namespace
}  // namespace hunyuan_reso_bench
