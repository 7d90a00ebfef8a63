// SPDX-License-Identifier: MIT
// Objects of the sequence layer and above, filled with anything: counts beyond their arrays, lengths that are none,
// positions at the ends of 32 bits, texts that are nullptr. What is read or written past an array, or computed out of
// range, stops the program (see CMakeLists.txt).
#include <hunyuan_reso/hunyuan_reso.hpp>

#include <cstdio>
#include <memory>
#include <string_view>
#include <vector>

namespace {

namespace hr = hunyuan_reso;

int failures = 0;
long checks = 0;
void check(bool condition, const char* what) {
  ++checks;
  if (!condition && ++failures <= 20) std::printf("%s\n", what);
}

constexpr std::int32_t least = -hr::max_side - 1;
constexpr std::int32_t values[] = {0,
                                   1,
                                   2,
                                   7,
                                   -1,
                                   -2,
                                   1024,
                                   4225,
                                   65536,
                                   1 << 30,
                                   -7,
                                   -300,
                                   -(1 << 30),
                                   16777216,
                                   least,
                                   least + 1,
                                   hr::max_side - 1,
                                   hr::max_side};
constexpr std::size_t counts[] = {0, 1, 24, 64, 65, 1000, std::size_t{1} << 31, static_cast<std::size_t>(-1)};

std::vector<std::int32_t> encode(std::string_view text) { return std::vector<std::int32_t>(text.size(), 1); }

/// Runs that do not add up to the length: no more than `length` ids may be written.
void use_sequences() {
  for (const std::int32_t length : {0, 1, 2, 7}) {
    for (const std::int32_t first : values) {
      for (const std::int32_t second : values) {
        hr::TokenSequence sequence;
        sequence.length = length;
        sequence.runs = {{7, first}, {8, second}};
        const auto size = static_cast<std::size_t>(length);
        const auto ids = std::make_unique<std::int64_t[]>(size);  // its end is watched
        check(sequence.expand(ids.get(), size) == hr::Errc::none, "expand into enough room");
        if (size > 0) check(sequence.expand(ids.get(), size - 1) == hr::Errc::buffer_too_small, "expand, one too few");
      }
    }
  }
  std::int64_t nothing = 0;
  hr::TokenSequence none;
  for (const std::int32_t length : {-1, -2, least}) {
    none.length = length;
    check(none.expand(&nothing, 0) == hr::Errc::buffer_too_small, "expand of a negative length");
  }
}

/// Rows of lengths that are none, and padding that is there already.
void use_batches() {
  const hr::ModelProfile& profile = hr::profiles::instruct;
  for (const std::int32_t a : values) {
    for (const std::int32_t b : values) {
      for (const std::int32_t padding : values) {
        hr::TokenSequence first;
        first.length = a;
        first.runs = {{profile.special.pad, padding}};
        hr::TokenSequence second;
        second.length = b;
        const auto batch = hr::make_batch(profile, {first, second});
        if (!batch) continue;
        const std::int32_t longest = a > b ? (a > 0 ? a : 0) : (b > 0 ? b : 0);
        check(batch->length == longest, "length of a batch");
        for (const hr::TokenSequence& row : batch->rows) check(row.length == longest, "length of a row");
      }
    }
  }
}

void use_layouts() {
  for (const std::int32_t start : values) {
    for (const std::int32_t stop : values) {
      const hr::Slice slice{start, stop};
      const std::int64_t exact = std::int64_t{stop} - start;
      const bool fits = exact >= -hr::max_side && exact <= hr::max_side;
      check(fits ? slice.length() == exact : (slice.length() < 0) == (exact < 0), "length of a slice");
      const hr::AttentionSegment segments[] = {{slice, slice}, {slice, slice}, {slice, slice}};
      std::int32_t query_lengths[4] = {}, key_lengths[4] = {};
      const hr::Errc error = hr::write_cumulative_lengths(segments, 3, query_lengths, key_lengths, 4);
      check((error == hr::Errc::negative_length) == (exact < 0), "cumulative lengths of slices that end too early");
      hr::TokenLayout layout;
      layout.gen_timestep_positions = {start};
      layout.guidance_positions = {stop};
      layout.timestep_r_positions = {start};
      hr::ImageRun run;
      run.kind = hr::ImageRunKind::generated;
      run.slice = slice;
      layout.image_runs = {run};
      for (const hr::ModelProfile* profile : hr::profiles::all) {
        const auto slices = hr::refeed_slices(*profile, layout);
        check(slices.has_value(), "refed slices");
      }
      hr::RatioSlices ratios;
      ratios.slices[0] = {start, stop};
      for (const std::size_t count : counts) {
        ratios.count = count;
        check(ratios.size() <= hr::RatioTokens::capacity, "number of ratio slices");
        check(ratios.token_count() <= std::size_t{1} << 32, "number of ratio tokens");
      }
    }
  }
}

void use_lists() {
  const auto plan = std::make_unique<hr::GenerationPlan>();
  const auto presets = std::make_unique<hr::PresetList>();
  for (const std::size_t count : counts) {
    plan->diagnostics.count = count;
    check(plan->feasible() || plan->diagnostics.size() > 0, "a plan without findings");
    check(plan->diagnostics.size() <= hr::Diagnostics::capacity, "number of findings");
    (void)plan->diagnostics.worst();
    (void)plan->diagnostics.find(hr::DiagnosticCode::ratio_predicted);
    plan->diagnostics.add({}, {}, {}, 0.0, 0.0);
    presets->count = count;
    std::size_t seen = 0;
    for (const hr::Preset& preset : *presets) {
      ++seen;
      check(preset.ratio_index == 0, "a preset that nobody filled");
    }
    check(seen == presets->size() && seen <= hr::PresetList::capacity, "number of presets");

    hr::TextStage stage;
    stage.ratio_rule = hr::RatioRule::masked;
    stage.size_token = 5;
    stage.ratio_slices.count = count;
    stage.transition_count = count;
    stage.stop_token_count = count;
    (void)stage.stops_at(3);
    (void)stage.add_stop(3);
    hr::Result<hr::TextStageRow> row = hr::TextStageRow::create(stage);
    float logits[10] = {};
    hr::TextStageRow used = *row;
    (void)used.process(5, logits, 10);
    (void)used.process(hr::max_side, logits, 10);
  }
}

void use_numbers() {
  const auto schedule = *hr::FlowSchedule::create(8, 3.0);
  for (const std::int32_t value : values) {
    const double factor = schedule.step_factor(value);
    check(factor <= 0.0 && factor >= -1.0, "factor of a step");
    check(value < 8 || factor == 0.0, "factor past the last step");
    hr::ModelProfile profile = hr::profiles::instruct;
    profile.shared_experts = value;
    (void)hr::device_share(profile, hr::Precision::fp8, {1, 1}, {});
    (void)hr::device_share(profile, hr::Precision::bf16, {2, 1}, {2, 4225, 4097});
    profile = hr::profiles::instruct;
    profile.ratio_tokens.append(value, 40);
    check(profile.check() != hr::Errc::none, "too many ratio tokens");
  }
}

void use_texts() {
  hr::ModelProfile profile = hr::profiles::instruct;
  profile.further_tokens.append(nullptr, 133000);
  check(profile.check() == hr::Errc::profile_text_not_a_token, "a further token without a text");
  (void)hr::find_token(profile, "<x>");
  (void)hr::find_token(profile, "");
  (void)hr::token_text(profile, 133000);
  (void)hr::token_text(profile, profile.special.pad);

  profile = hr::profiles::instruct;
  profile.template_texts = {nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, 0, 0};
  const hr::Result<hr::Model> model = hr::Model::create(profile);
  check(model.has_value(), "a template without texts");
  hr::GenerationRequest request;
  request.prompt = "a lake";
  check(hr::plan_generation(*model, request).has_value(), "a plan without texts");
  check(hr::plan_generation(*model, request, encode).has_value(), "a counted plan without texts");
  (void)hr::plan_text_stage(*model, hr::BotTask::think_recaption, false);
}

}  // namespace

int main() {
  use_sequences();
  use_batches();
  use_layouts();
  use_lists();
  use_numbers();
  use_texts();
  std::printf("%ld checks, %d failures\n", checks, failures);
  return failures == 0 ? 0 : 1;
}
