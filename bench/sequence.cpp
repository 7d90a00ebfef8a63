// SPDX-License-Identifier: MIT
// Token sequences: sections to runs, runs to ids. Floors: memcpy and memset of as many ids.
#include <benchmark/benchmark.h>

#include <cstring>
#include <memory>

#include <hunyuan_reso/sequence.hpp>

#include "support/check.hpp"
#include "support/data.hpp"
#include "support/layout.hpp"

namespace hunyuan_reso_bench {
namespace {

using namespace hunyuan_reso;

const std::vector<TokenId>& no_encoder(std::string_view) {
  static const std::vector<TokenId> nothing;
  return nothing;
}

/// Text as ids already (the tokenizer is not what is measured), one conditioning image, text, and the image to
/// generate; `length` tokens in all.
std::vector<Section> sections_of(std::int32_t length) {
  std::int32_t side = 64;
  while (2 * side * side > length) side /= 2;
  ImageInfo generated = *image_info_of_row(model_for<profiles::instruct>, 16);  // the square
  ImageInfo conditioning = generated;
  conditioning.kind = ImageKind::cond_vae;
  generated.token_height = generated.token_width = side;
  generated.image_token_length = std::int64_t{side} * side;
  conditioning.token_height = conditioning.token_width = side / 2;
  conditioning.image_token_length = std::int64_t{side} * side / 4;
  const std::int32_t text = length - 1 - side * side - side * side / 4 - 2 * 5;
  Random random(seed);
  std::vector<Section> sections;
  for (const std::int32_t part : {text / 2, text - text / 2}) {
    Section section;
    for (std::int32_t i = 0; i < part; ++i) section.tokens.push_back(static_cast<TokenId>(random.below(127957)));
    sections.push_back(section);
    sections.push_back(sections.size() == 1 ? Section::of_image(conditioning) : Section::of_image(generated));
  }
  return sections;
}

/// ids.push_back for every token, and the positions that an engine needs.
struct PlainSequence {
  std::vector<TokenId> ids;
  std::vector<std::int32_t> timestep_positions;
  std::vector<Slice> image_slices;
};

PlainSequence plain_build(const std::vector<Section>& sections) {
  PlainSequence sequence;
  sequence.ids.push_back(tokens::bos);
  for (const Section& section : sections) {
    if (!section.is_image) {
      for (const TokenId id : section.tokens) sequence.ids.push_back(id);
      continue;
    }
    sequence.ids.push_back(tokens::boi);
    sequence.ids.push_back(*size_token_id(profiles::instruct, section.image.base_size));
    sequence.ids.push_back(*ratio_token_id(profiles::instruct, section.image.ratio_index));
    sequence.timestep_positions.push_back(static_cast<std::int32_t>(sequence.ids.size()));
    sequence.ids.push_back(tokens::timestep);
    const auto start = static_cast<std::int32_t>(sequence.ids.size());
    for (std::int32_t i = 0; i < section.image.image_token_length; ++i) sequence.ids.push_back(tokens::img);
    sequence.image_slices.push_back({start, static_cast<std::int32_t>(sequence.ids.size())});
    sequence.ids.push_back(tokens::eoi);
  }
  return sequence;
}

TokenSequence build(const std::vector<Section>& sections) {
  return *build_sequence(profiles::instruct, sections, no_encoder);
}

void require_same(const TokenSequence& sequence, const PlainSequence& plain) {
  std::vector<TokenId> ids(static_cast<std::size_t>(sequence.length));
  require(sequence.expand(ids.data(), ids.size()) == Errc::none && ids == plain.ids, "ids");
  require(sequence.cond_timestep_positions[0] == plain.timestep_positions[0] &&
              sequence.gen_timestep_positions[0] == plain.timestep_positions[1] &&
              sequence.image_runs[0].slice == plain.image_slices[0] &&
              sequence.image_runs[1].slice == plain.image_slices[1],
          "recorded positions");
}

void count_ids(benchmark::State& state) {
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.SetBytesProcessed(state.iterations() * state.range(0) * static_cast<std::int64_t>(sizeof(TokenId)));
}

void sequence_build_library(benchmark::State& state) {
  const std::vector<Section> sections = sections_of(static_cast<std::int32_t>(state.range(0)));
  require_same(build(sections), plain_build(sections));
  require(build(sections).length == state.range(0), "length");
  for (auto _ : state) {
    const TokenSequence sequence = build(sections);
    benchmark::DoNotOptimize(sequence.runs.data());
  }
  count_ids(state);
}
void sequence_build_plain(benchmark::State& state) {
  const std::vector<Section> sections = sections_of(static_cast<std::int32_t>(state.range(0)));
  for (auto _ : state) {
    const PlainSequence sequence = plain_build(sections);
    benchmark::DoNotOptimize(sequence.ids.data());
  }
  count_ids(state);
}

/// Sections to ids in a buffer: what both sides have at the end.
void sequence_ids_library(benchmark::State& state) {
  const std::vector<Section> sections = sections_of(static_cast<std::int32_t>(state.range(0)));
  std::vector<TokenId> ids(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    benchmark::DoNotOptimize(build(sections).expand(ids.data(), ids.size()));
    benchmark::DoNotOptimize(ids.data());
    benchmark::ClobberMemory();
  }
  count_ids(state);
}

void sequence_expand_library(benchmark::State& state) {
  const TokenSequence sequence = build(sections_of(static_cast<std::int32_t>(state.range(0))));
  std::vector<TokenId> ids(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    benchmark::DoNotOptimize(sequence.expand(ids.data(), ids.size()));
    benchmark::DoNotOptimize(ids.data());
    benchmark::ClobberMemory();
  }
  count_ids(state);
}
void sequence_expand_plain(benchmark::State& state) {
  const TokenSequence sequence = build(sections_of(static_cast<std::int32_t>(state.range(0))));
  for (auto _ : state) {
    std::vector<TokenId> ids;
    for (const TokenRun& run : sequence.runs) {
      for (std::int32_t i = 0; i < run.count; ++i) ids.push_back(run.id);
    }
    benchmark::DoNotOptimize(ids.data());
    benchmark::ClobberMemory();
  }
  count_ids(state);
}

void floor_memcpy(benchmark::State& state) {
  const std::vector<TokenId> from(static_cast<std::size_t>(state.range(0)), 1);
  std::vector<TokenId> to(from.size(), 2);
  for (auto _ : state) {
    std::memcpy(to.data(), from.data(), from.size() * sizeof(TokenId));
    benchmark::DoNotOptimize(to.data());  // else nobody sees the copy
    benchmark::ClobberMemory();
  }
  count_ids(state);
}

void lengths(benchmark::internal::Benchmark* benchmark) {
  for (const std::int64_t length : sequence_lengths) benchmark->Arg(length);
}

BENCHMARK(sequence_build_library)->Name("sequence_build/library")->Apply(lengths);
BENCHMARK(sequence_build_plain)->Name("sequence_build/plain")->Apply(lengths);
BENCHMARK(sequence_ids_library)->Name("sequence_ids/library")->Apply(lengths);
BENCHMARK(sequence_build_plain)->Name("sequence_ids/plain")->Apply(lengths);
BENCHMARK(floor_memcpy)->Name("sequence_ids/floor_memcpy")->Apply(lengths);
BENCHMARK(sequence_expand_library)->Name("sequence_expand/library")->Apply(lengths);
BENCHMARK(sequence_expand_plain)->Name("sequence_expand/plain")->Apply(lengths);
BENCHMARK(floor_memcpy)->Name("sequence_expand/floor_memcpy")->Apply(lengths);

}  // namespace
}  // namespace hunyuan_reso_bench
