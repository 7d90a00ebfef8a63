// SPDX-License-Identifier: MIT
// The ratio rules over the logits of the whole vocabulary. Floors: memset of the logits for the rule that rewrites them
// all, memcpy of the slices for the one that takes them out.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstring>
#include <unordered_set>

#include <hunyuan_reso/logits.hpp>

#include "support/check.hpp"
#include "support/data.hpp"

namespace hunyuan_reso_bench {
namespace {

using namespace hunyuan_reso;

constexpr std::size_t vocabulary = 133120;

const std::vector<float>& logits() {
  static const std::vector<float> once = [] {
    Random random(seed);
    std::vector<float> values(vocabulary);
    for (float& value : values) value = static_cast<float>(random.below(1 << 24)) / 1e6F - 8.0F;
    return values;
  }();
  return once;
}

std::unordered_set<TokenId> allowed_ids() {
  std::unordered_set<TokenId> ids;
  for (std::size_t i = 0; i < ratio_token_count(profiles::instruct); ++i) {
    ids.insert(*ratio_token_id(profiles::instruct, i));
  }
  return ids;
}

/// The best allowed id among all of the vocabulary.
TokenId plain_ratio(const std::unordered_set<TokenId>& allowed, const float* values) {
  TokenId best = -1;
  for (std::size_t i = 0; i < vocabulary; ++i) {
    const auto id = static_cast<TokenId>(i);
    if (allowed.count(id) == 0) continue;
    if (best < 0 || values[i] > values[static_cast<std::size_t>(best)]) best = id;
  }
  return best;
}

void ratio_logits_library(benchmark::State& state) {
  const Result<std::size_t> once = predict_ratio(profiles::instruct, logits().data(), vocabulary);
  require(*ratio_token_id(profiles::instruct, *once) == plain_ratio(allowed_ids(), logits().data()), "ratio");
  for (auto _ : state) {
    benchmark::DoNotOptimize(predict_ratio(profiles::instruct, logits().data(), vocabulary));
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations());
}
void ratio_logits_plain(benchmark::State& state) {
  const std::unordered_set<TokenId> allowed = allowed_ids();
  for (auto _ : state) benchmark::DoNotOptimize(plain_ratio(allowed, logits().data()));
  state.SetItemsProcessed(state.iterations());
}
void ratio_logits_floor_memcpy(benchmark::State& state) {
  float compact[RatioTokens::capacity];
  const std::size_t bytes = ratio_token_count(profiles::instruct) * sizeof(float);
  for (auto _ : state) {
    std::memcpy(compact, logits().data() + 128044, bytes);
    benchmark::DoNotOptimize(compact);
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes));
}

void count_logits(benchmark::State& state) {
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(vocabulary * sizeof(float)));
}

void mask_logits_library(benchmark::State& state) {
  const RatioSlices slices = ratio_slices(profiles::instruct);
  const std::unordered_set<TokenId> allowed = allowed_ids();
  std::vector<float> values = logits();
  require(mask_logits(values.data(), vocabulary, slices.slices, slices.count) == Errc::none, "mask");
  for (std::size_t i = 0; i < vocabulary; ++i) {
    const float expected = allowed.count(static_cast<TokenId>(i)) != 0 ? logits()[i] : lowest_logit;
    require(std::memcmp(&values[i], &expected, sizeof expected) == 0, "masked logits");
  }
  for (auto _ : state) {
    benchmark::DoNotOptimize(mask_logits(values.data(), vocabulary, slices.slices, slices.count));
    benchmark::DoNotOptimize(values.data());
    benchmark::ClobberMemory();
  }
  count_logits(state);
}
void mask_logits_plain(benchmark::State& state) {
  const std::unordered_set<TokenId> allowed = allowed_ids();
  std::vector<float> values = logits();
  for (auto _ : state) {
    for (std::size_t i = 0; i < vocabulary; ++i) {
      if (allowed.count(static_cast<TokenId>(i)) == 0) values[i] = lowest_logit;
    }
    benchmark::DoNotOptimize(values.data());
    benchmark::ClobberMemory();
  }
  count_logits(state);
}
void mask_logits_floor_memset(benchmark::State& state) {
  std::vector<float> values = logits();
  for (auto _ : state) {
    std::memset(values.data(), 1, vocabulary * sizeof(float));
    benchmark::DoNotOptimize(values.data());
    benchmark::ClobberMemory();
  }
  count_logits(state);
}

/// The greatest of all logits.
void argmax_library(benchmark::State& state) {
  const auto best = static_cast<std::size_t>(std::max_element(logits().begin(), logits().end()) - logits().begin());
  require(*argmax_logit(logits().data(), vocabulary) == best, "argmax");
  for (auto _ : state) benchmark::DoNotOptimize(argmax_logit(logits().data(), vocabulary));
  count_logits(state);
}
void argmax_plain(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(std::max_element(logits().begin(), logits().end()));
  count_logits(state);
}
void argmax_floor_memcpy(benchmark::State& state) {
  std::vector<float> copy(vocabulary);
  for (auto _ : state) {
    std::memcpy(copy.data(), logits().data(), vocabulary * sizeof(float));
    benchmark::DoNotOptimize(copy.data());
    benchmark::ClobberMemory();
  }
  count_logits(state);
}

BENCHMARK(ratio_logits_library)->Name("ratio_logits/library")->Arg(vocabulary);
BENCHMARK(ratio_logits_plain)->Name("ratio_logits/plain")->Arg(vocabulary);
BENCHMARK(ratio_logits_floor_memcpy)->Name("ratio_logits/floor_memcpy")->Arg(vocabulary);
BENCHMARK(mask_logits_library)->Name("mask_logits/library")->Arg(vocabulary);
BENCHMARK(mask_logits_plain)->Name("mask_logits/plain")->Arg(vocabulary);
BENCHMARK(mask_logits_floor_memset)->Name("mask_logits/floor_memset")->Arg(vocabulary);
BENCHMARK(argmax_library)->Name("argmax/library")->Arg(vocabulary);
BENCHMARK(argmax_plain)->Name("argmax/plain")->Arg(vocabulary);
BENCHMARK(argmax_floor_memcpy)->Name("argmax/floor_memcpy")->Arg(vocabulary);

}  // namespace
}  // namespace hunyuan_reso_bench
