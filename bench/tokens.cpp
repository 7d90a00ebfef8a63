// SPDX-License-Identifier: MIT
// Special tokens, both directions, against std::unordered_map filled once with the whole table.
#include <benchmark/benchmark.h>

#include <string>
#include <unordered_map>

#include <hunyuan_reso/vocabulary.hpp>

#include "support/check.hpp"
#include "support/data.hpp"

namespace hunyuan_reso_bench {
namespace {

using namespace hunyuan_reso;

constexpr TokenId first_id = 127957;
constexpr TokenId last_id = 130107;
constexpr std::size_t count = 1024;

struct Setup {
  std::unordered_map<std::string, TokenId> id_of;
  std::unordered_map<TokenId, std::string> text_of;
  std::unordered_map<std::size_t, TokenId> id_of_ratio;
  std::unordered_map<TokenId, std::size_t> ratio_of_id;
  std::vector<std::string> texts;  // as a program has them: of all lengths, one in eight unknown
  std::vector<TokenId> ids;
  std::vector<std::string> ratio_texts;
  std::vector<TokenId> ratio_ids;

  Setup() {
    std::vector<TokenId> known;
    for (TokenId id = first_id; id <= last_id; ++id) {
      const Result<TokenText> text = token_text(profiles::instruct, id);
      if (!text) continue;
      id_of.emplace(std::string(text->view()), id);
      text_of.emplace(id, std::string(text->view()));
      known.push_back(id);
    }
    for (std::size_t i = 0; i < ratio_token_count(profiles::instruct); ++i) {
      const TokenId id = *ratio_token_id(profiles::instruct, i);
      id_of_ratio.emplace(i, id);
      ratio_of_id.emplace(id, i);
    }
    Random random(seed);
    for (std::size_t i = 0; i < count; ++i) {
      ids.push_back(known[random.below(known.size())]);
      texts.push_back(random.below(8) != 0 ? text_of.at(ids.back()) : "<pos_x_" + std::to_string(random.next()) + ">");
      ratio_ids.push_back(*ratio_token_id(profiles::instruct, random.below(37)));
      ratio_texts.push_back(text_of.at(ratio_ids.back()));
    }
    for (const std::string& text : texts) {
      const auto found = id_of.find(text);
      const Result<TokenId> id = find_token(profiles::instruct, text);
      require(id.has_value() == (found != id_of.end()) && (!id || *id == found->second), "find_token");
    }
    for (const TokenId id : ids) require(token_text(profiles::instruct, id)->view() == text_of.at(id), "token_text");
    for (const TokenId id : ratio_ids) {
      require(*ratio_index_of(profiles::instruct, id) == ratio_of_id.at(id), "ratio_index_of");
    }
  }
};

const Setup& setup() {
  static const Setup once;
  return once;
}

/// Calls `ask` for each of `questions`.
template <class Questions, class Ask>
void each(benchmark::State& state, const Questions& questions, Ask ask) {
  for (auto _ : state) {
    for (const auto& question : questions) benchmark::DoNotOptimize(ask(question));
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(questions.size()));
}

TokenId look_up(const std::string& text) {
  const auto found = setup().id_of.find(text);
  return found == setup().id_of.end() ? -1 : found->second;
}

void find_token_library(benchmark::State& state) {
  each(state, setup().texts, [](const std::string& text) { return find_token(profiles::instruct, text); });
}
void find_token_plain(benchmark::State& state) { each(state, setup().texts, look_up); }
void find_ratio_token_library(benchmark::State& state) {
  each(state, setup().ratio_texts, [](const std::string& text) { return find_token(profiles::instruct, text); });
}
void find_ratio_token_plain(benchmark::State& state) { each(state, setup().ratio_texts, look_up); }
void token_text_library(benchmark::State& state) {
  each(state, setup().ids, [](TokenId id) { return token_text(profiles::instruct, id); });
}
void token_text_plain(benchmark::State& state) {
  each(state, setup().ids, [](TokenId id) { return setup().text_of.find(id)->second; });
}
void ratio_index_library(benchmark::State& state) {
  each(state, setup().ratio_ids, [](TokenId id) { return ratio_index_of(profiles::instruct, id); });
}
void ratio_index_plain(benchmark::State& state) {
  each(state, setup().ratio_ids, [](TokenId id) { return setup().ratio_of_id.find(id)->second; });
}

BENCHMARK(find_token_library)->Name("find_token/library")->Arg(count);
BENCHMARK(find_token_plain)->Name("find_token/plain")->Arg(count);
BENCHMARK(find_ratio_token_library)->Name("find_ratio_token/library")->Arg(count);
BENCHMARK(find_ratio_token_plain)->Name("find_ratio_token/plain")->Arg(count);
BENCHMARK(token_text_library)->Name("token_text/library")->Arg(count);
BENCHMARK(token_text_plain)->Name("token_text/plain")->Arg(count);
BENCHMARK(ratio_index_library)->Name("ratio_index/library")->Arg(count);
BENCHMARK(ratio_index_plain)->Name("ratio_index/plain")->Arg(count);

}  // namespace
}  // namespace hunyuan_reso_bench
