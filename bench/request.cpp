// SPDX-License-Identifier: MIT
// A request: parsing its image size, describing the image, planning the whole generation.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>

#include <hunyuan_reso/plan.hpp>

#include "support/check.hpp"
#include "support/data.hpp"
#include "support/plain_group.hpp"

namespace hunyuan_reso_bench {
namespace {

using namespace hunyuan_reso;

constexpr std::size_t count = 1024;

/// A parsed size as a program holds it that does without the library.
struct PlainSize {
  enum Kind { automatic, pixels, ratio, ratio_index } kind = automatic;
  int height = 0;
  int width = 0;
  int index = 0;
};

/// find, substr and std::stoi, with the exceptions of the latter for what is no number.
PlainSize plain_parse(const std::string& text) {
  PlainSize size;
  if (text == "auto") return size;
  const std::string token = "<img_ratio_";
  if (text.rfind(token, 0) == 0) {
    size.kind = PlainSize::ratio_index;
    size.index = std::stoi(text.substr(token.size()));
    return size;
  }
  std::size_t separator = text.find('x');
  size.kind = PlainSize::pixels;
  if (separator == std::string::npos) {
    separator = text.find(':');
    size.kind = PlainSize::ratio;
    if (separator == std::string::npos) throw std::invalid_argument("image size");
  }
  size.height = std::stoi(text.substr(0, separator));
  size.width = std::stoi(text.substr(separator + 1));
  if (size.kind == PlainSize::ratio) std::swap(size.height, size.width);
  return size;
}

/// The fields of an ImageInfo that have to be computed.
struct PlainInfo {
  int image_width, image_height, token_width, token_height, image_token_length, base_size, ratio_index;
};

PlainInfo plain_info(const PlainGroup& group, int height, int width) {
  const std::size_t index = group.nearest(width, height);
  const PlainGroup::Row row = group.rows()[index];
  return {row.width,
          row.height,
          row.width / 16,
          row.height / 16,
          (row.width / 16) * (row.height / 16),
          1024,
          static_cast<int>(index)};
}

/// The part of a plan that an engine without the library works out: lengths, shape, bytes and FLOP, no checks.
struct PlainPlan {
  PlainInfo image{};
  int sequence_length = 0;
  long long kv_bytes = 0;
  double first_step_flop = 0;
};

PlainPlan plain_plan(const PlainGroup& group, const std::string& image_size, int prompt_tokens) {
  const PlainSize size = plain_parse(image_size);
  PlainPlan plan;
  plan.image = plain_info(group, size.height, size.width);
  const int text = prompt_tokens + 12 + 2048;
  const int block = 2 + 2 + 1 + plan.image.image_token_length;
  plan.sequence_length = 1 + text + block;
  plan.kv_bytes = 2LL * 32 * 8 * 128 * 2 * plan.sequence_length * 2;
  const double attention = 4096.0 * (4096.0 + 2 * 8 * 128) + 4096.0 * 4096.0;
  const double per_row = 2.0 * (attention + 4096.0 * 64 + 3.0 * 4096 * 3072 * 9);
  const double length = plan.sequence_length;
  const double tokens = plan.image.image_token_length;
  const double pairs = length * (length + 1) / 2 + tokens * (tokens - 1) / 2;
  plan.first_step_flop = 2.0 * 32 * (per_row * length + 4.0 * 4096 * pairs);
  return plan;
}

struct Setup {
  Model model = *Model::create(profiles::instruct);
  PlainGroup plain = PlainGroup::of(profiles::instruct.group_spec(1024, ExtraScaling::absolute));
  std::vector<std::string> texts;        // pixels, ratios, ratio tokens, auto
  std::vector<std::string> pixel_texts;  // pixels only

  Setup() {
    Random random(seed);
    for (std::size_t i = 0; i < count; ++i) {
      const std::string a = std::to_string(random_side(random));
      const std::string b = std::to_string(random_side(random));
      const std::string all[] = {a + "x" + b, a + "x" + b, std::to_string(1 + random.below(21)) + ":9",
                                 "<img_ratio_" + std::to_string(random.below(37)) + ">", "auto"};
      texts.push_back(all[random.below(5)]);
      pixel_texts.push_back(all[0]);
    }
    for (const std::string& text : texts) {
      const Result<ImageSize> size = parse_image_size(text, profiles::instruct);
      const PlainSize other = plain_parse(text);
      require(size.has_value() && static_cast<int>(size->kind) == static_cast<int>(other.kind) &&
                  size->size == Resolution{other.height, other.width} &&
                  size->ratio_index == static_cast<std::size_t>(other.index),
              "parse_image_size");
    }
    for (const std::string& text : pixel_texts) {
      const Result<ImageInfo> info = build_gen_image_info(model, text);
      const PlainSize size = plain_parse(text);
      const PlainInfo other = plain_info(plain, size.height, size.width);
      require(info->image_width == other.image_width && info->image_height == other.image_height &&
                  info->token_width == other.token_width && info->token_height == other.token_height &&
                  info->image_token_length == other.image_token_length && info->base_size == other.base_size &&
                  info->ratio_index == static_cast<std::size_t>(other.ratio_index),
              "image info");
      const Result<GenerationPlan> plan = plan_generation(model, request(text));
      const PlainPlan plain_one = plain_plan(plain, text, 100);
      const double difference = plan->first_step_flop - plain_one.first_step_flop;
      require(plan->sequence_length == plain_one.sequence_length && plan->kv_bytes == plain_one.kv_bytes &&
                  difference < 1e-9 * plain_one.first_step_flop && -difference < 1e-9 * plain_one.first_step_flop,
              "plan");
    }
  }

  static GenerationRequest request(const std::string& text) {
    GenerationRequest request;
    request.image_size = text;
    request.prompt_tokens = 100;
    return request;
  }
};

const Setup& setup() {
  static const Setup once;
  return once;
}

template <class Ask>
void each(benchmark::State& state, const std::vector<std::string>& texts, Ask ask) {
  std::int64_t bytes = 0;
  for (const std::string& text : texts) bytes += static_cast<std::int64_t>(text.size());
  for (auto _ : state) {
    for (const std::string& text : texts) benchmark::DoNotOptimize(ask(text));
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(texts.size()));
  state.SetBytesProcessed(state.iterations() * bytes);
}

void parse_library(benchmark::State& state) {
  each(state, setup().texts, [](const std::string& text) { return parse_image_size(text, setup().model.profile); });
}
void parse_plain(benchmark::State& state) { each(state, setup().texts, plain_parse); }

/// The least that any parser does: reading the characters.
void parse_floor_read(benchmark::State& state) {
  each(state, setup().texts, [](const std::string& text) {
    char copy[32];
    const std::size_t length = text.size() < sizeof copy ? text.size() : sizeof copy;
    std::memcpy(copy, text.data(), length);
    benchmark::DoNotOptimize(copy);
    return length;
  });
}

void image_info_library(benchmark::State& state) {
  each(state, setup().pixel_texts, [](const std::string& text) { return build_gen_image_info(setup().model, text); });
}
void image_info_plain(benchmark::State& state) {
  each(state, setup().pixel_texts, [](const std::string& text) {
    const PlainSize size = plain_parse(text);
    return plain_info(setup().plain, size.height, size.width);
  });
}

void plan_library(benchmark::State& state) {
  each(state, setup().pixel_texts,
       [](const std::string& text) { return plan_generation(setup().model, Setup::request(text)); });
}
void plan_plain(benchmark::State& state) {
  each(state, setup().pixel_texts, [](const std::string& text) { return plain_plan(setup().plain, text, 100); });
}

BENCHMARK(parse_library)->Name("parse/library")->Arg(count);
BENCHMARK(parse_plain)->Name("parse/plain")->Arg(count);
BENCHMARK(parse_floor_read)->Name("parse/floor_read")->Arg(count);
BENCHMARK(image_info_library)->Name("image_info/library")->Arg(count);
BENCHMARK(image_info_plain)->Name("image_info/plain")->Arg(count);
BENCHMARK(plan_library)->Name("plan/library")->Arg(count);
BENCHMARK(plan_plain)->Name("plan/plain")->Arg(count);

}  // namespace
}  // namespace hunyuan_reso_bench
