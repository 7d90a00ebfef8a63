// SPDX-License-Identifier: MIT
// A new checkpoint is one profile: what a maintainer would write for it, run through every floor of the library beside
// the published ones. Nothing here knows a profile but by its data.
#include <hunyuan_reso/hunyuan_reso.hpp>

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

#include "support/expect.hpp"

namespace hunyuan_reso_test {
namespace {

using namespace hunyuan_reso;

/// 41 rows, ratio tokens with and without ids in one run, a further size token, a further special token, and <boi> and
/// <img> somewhere else.
constexpr ModelProfile make_workshop() {
  ModelProfile profile = profiles::instruct;
  profile.name = "workshop";
  profile.extras.append({960, 1952});
  profile.extras.append({1952, 960});
  profile.extras.append({640, 1536});
  profile.extras.append({1536, 640});
  profile.ratio_tokens.append(RatioTokens::unknown);  // 37
  profile.ratio_tokens.append(130110, 2);             // 38, 39
  profile.ratio_tokens.append(RatioTokens::unknown);  // 40
  profile.size_tokens.append(12288, 130120);
  profile.further_tokens.append("<sketch>", 130121);
  profile.special.boi = 130122;
  profile.special.img = 130123;
  profile.special_tokens_end = 130124;
  profile.conditioning_image_type = ConditioningImageType::vae_vit;
  profile.vit_slots = 256;
  profile.max_length = 40000;
  return profile;
}
inline constexpr ModelProfile workshop = make_workshop();

/// The published profiles and the new one.
std::vector<const ModelProfile*> every_profile() {
  std::vector<const ModelProfile*> list(std::begin(profiles::all), std::end(profiles::all));
  list.push_back(&workshop);
  return list;
}

/// The ratio indices that have an id.
std::vector<std::size_t> known_ratios(const ModelProfile& profile) {
  std::vector<std::size_t> list;
  for (std::size_t i = 0; i < ratio_token_count(profile); ++i) {
    if (ratio_token_id(profile, i)) list.push_back(i);
  }
  return list;
}

constexpr bool ids_of_the_workshop() {
  EXPECT(workshop.check() == Errc::none);
  EXPECT(ratio_token_count(workshop) == 41);
  EXPECT(*ratio_token_id(workshop, 36) == 130106);
  EXPECT(ratio_token_id(workshop, 37).error() == Errc::ratio_token_id_unknown);
  EXPECT(*ratio_token_id(workshop, 38) == 130110 && *ratio_token_id(workshop, 39) == 130111);
  EXPECT(ratio_token_id(workshop, 40).error() == Errc::ratio_token_id_unknown);
  EXPECT(ratio_token_id(workshop, 41).error() == Errc::ratio_index_out_of_range);
  EXPECT(*ratio_index_of(workshop, 130111) == 39 && !ratio_index_of(workshop, 130112));
  EXPECT(*size_token_id(workshop, 12288) == 130120 && *base_size_of(workshop, 130120) == 12288);
  EXPECT(!size_token_id(profiles::instruct, 12288));
  EXPECT(*generated_ratio_index(workshop, 130110) == 38);
  const TokenId ids[] = {128060, 130111, 5};
  EXPECT(*last_ratio_index(workshop, ids, 3) == 39 && *last_ratio_index(profiles::instruct, ids, 3) == 16);
  EXPECT(*workshop.with_ratio_token_id(37, 130112)->ratio_tokens.ids == 128044);
  EXPECT(workshop.with_ratio_token_id(37, 130111).error() == Errc::token_id_taken);
  EXPECT(workshop.with_ratio_token_id(37, 130121).error() == Errc::token_id_taken);
  return true;
}
BOTH_TIMES(ids_of_the_workshop)

constexpr bool texts_of_the_workshop() {
  const auto is_both_ways = [](std::string_view text, TokenId id) {
    const Result<TokenText> found = token_text(workshop, id);
    return found && *found == text && find_token(workshop, text).value_or(-1) == id;
  };
  EXPECT(is_both_ways("<sketch>", 130121) && is_both_ways("<img_size_12288>", 130120));
  EXPECT(is_both_ways("<img_ratio_38>", 130110) && is_both_ways("<img_ratio_39>", 130111));
  EXPECT(is_both_ways("<boi>", 130122) && is_both_ways("<img>", 130123) && is_both_ways("<eoi>", 128001));
  EXPECT(!token_text(workshop, 128000) && !token_text(workshop, 128006));  // they moved
  EXPECT(find_token(workshop, "<img_ratio_37>").error() == Errc::ratio_token_id_unknown);
  EXPECT(find_token(workshop, "<img_ratio_41>").error() == Errc::ratio_index_out_of_range);
  EXPECT(find_token(profiles::instruct, "<sketch>").error() == Errc::not_a_special_token);
  const Result<SpecialTokenMatch> match = next_special_token(workshop, "a <img_ratio_40> <sketch>b");
  EXPECT(match->id == 130121 && match->begin == 17 && match->end == 25);
  return true;
}
BOTH_TIMES(texts_of_the_workshop)

TEST_CASE("a text for every special token and an id for every text, over the whole vocabulary") {
  for (const ModelProfile* profile : every_profile()) {
    int wrong = 0, special = 0;
    for (TokenId id = -1; id <= profile->vocabulary_size; ++id) {
      const Result<TokenText> text = token_text(*profile, id);
      if (!text) continue;
      ++special;
      if (find_token(*profile, *text).value_or(-1) != id) ++wrong;
      const Result<SpecialTokenMatch> match = next_special_token(*profile, "<" + std::string(text->view()) + ">");
      if (!match || match->id != id || match->begin != 1) ++wrong;
    }
    CHECK_MESSAGE(wrong == 0, profile->name);
    CHECK(special == (profile == &workshop ? 2114 : profile->special_tokens_end == 130083 ? 2085 : 2110));
  }
}

TEST_CASE("a tokenizer is held against the profile's own ids") {
  for (const ModelProfile* profile : every_profile()) {
    const auto lookup = [&](std::string_view text) { return find_token(*profile, text); };
    const VocabularyReport right = verify_vocabulary(*profile, lookup);
    CHECK(right.ok());
    CHECK(right.checked_count >= 2085);
    const std::size_t unknown = ratio_token_count(*profile) - known_ratios(*profile).size();
    const VocabularyReport knows_more = verify_vocabulary(*profile, [&](std::string_view text) {
      const bool is_unknown = find_token(*profile, text).error() == Errc::ratio_token_id_unknown;
      return is_unknown ? Result<TokenId>(133000) : find_token(*profile, text);
    });
    CHECK(knows_more.ok());
    CHECK(knows_more.unknown_count == unknown);
  }
  const char* own[] = {"<sketch>", "<img_size_12288>", "<img_ratio_38>", "<img_ratio_39>", "<boi>", "<img>"};
  for (const char* changed : own) {
    const VocabularyReport report = verify_vocabulary(workshop, [&](std::string_view text) {
      return text == changed ? Result<TokenId>(5) : find_token(workshop, text);
    });
    CHECK(report.mismatch_count == 1);
    CHECK(report.begin()->text == changed);
    CHECK(report.begin()->found.value_or(0) == 5);
  }
}

TEST_CASE("a predicted ratio keeps its index where ids are missing before it") {
  for (const ModelProfile* profile : every_profile()) {
    std::vector<float> logits(static_cast<std::size_t>(profile->vocabulary_size), 1.0F);
    for (const std::size_t i : known_ratios(*profile)) {
      const auto id = static_cast<std::size_t>(*ratio_token_id(*profile, i));
      logits[id] = 2.0F;
      CHECK(*predict_ratio(*profile, logits.data(), logits.size()) == i);
      logits[id] = 1.0F;
    }
    CHECK(*predict_ratio(*profile, logits.data(), logits.size()) == 0);
    CHECK(ratio_slices(*profile).token_count() == known_ratios(*profile).size());
  }
  CHECK(ratio_slices(workshop).count == 3);
}

TEST_CASE("the group has the new rows, and each is an image to generate") {
  const Model made = *Model::create(workshop);
  CHECK(made.group.size() == 41);
  CHECK(made.group[40] == Resolution{1536, 640});
  for (const ModelProfile* profile : every_profile()) {
    const Model model = *Model::create(*profile);
    CHECK(model.group.size() == ratio_token_count(*profile));
    for (std::size_t i = 0; i < model.group.size(); ++i) {
      CHECK(model.group.snap(model.group[i]) == i);
      const ImageInfo row = *image_info_of_row(model, i);
      CHECK(row.trained.all());
      const std::string token = "<img_ratio_" + std::to_string(i) + ">";
      CHECK(build_gen_image_info(model, token)->image_size() == model.group[i]);
      const std::string pixels = std::to_string(model.group[i].height) + "x" + std::to_string(model.group[i].width);
      const ImageInfo asked = *build_gen_image_info(model, pixels);
      CHECK(asked.image_size() == model.group[i]);
      CHECK(asked.ratio_index == i);
    }
    CHECK(make_presets(model).size() == model.group.size());
  }
  CHECK(*base_size_by_area(workshop, {12288, 12288}) == 12288);
  CHECK(base_size_by_area(profiles::instruct, {12288, 12288}).error() == Errc::no_size_token);
  CHECK(build_cond_image_info(made, {1024, 1024})->vit_token_length == 256);
  CHECK(build_cond_image_info(made, {1024, 1024})->vit_grid() == Resolution{16, 16});
}

/// One id for each byte, so that texts cannot be taken for special tokens.
std::vector<TokenId> encode_bytes(std::string_view text) {
  std::vector<TokenId> ids;
  for (const char c : text) ids.push_back(1000 + static_cast<unsigned char>(c));
  return ids;
}

std::vector<TokenId> ids_of(const TokenSequence& sequence) {
  std::vector<TokenId> ids(static_cast<std::size_t>(sequence.length));
  CHECK(sequence.expand(ids.data(), ids.size()) == Errc::none);
  return ids;
}

/// Text, a conditioning image, text, the image to generate.
Result<TokenSequence> sequence_of(const Model& model, const ImageInfo& image) {
  const std::vector<Section> sections = {Section::of_text("look: "),
                                         Section::of_image(*build_cond_image_info(model, {900, 1600})),
                                         Section::of_text(" draw"), Section::of_image(image)};
  return build_sequence(model.profile, sections, encode_bytes);
}

void check_sequence(const Model& model, const ImageInfo& image) {
  const ModelProfile& profile = model.profile;
  const Result<TokenSequence> sequence = sequence_of(model, image);
  REQUIRE(sequence);
  const std::vector<TokenId> ids = ids_of(*sequence);
  REQUIRE(!sequence->image_runs.empty());
  const ImageRun run = sequence->image_runs.back();
  CHECK(run.kind == ImageRunKind::generated);
  CHECK(run.slice.length() == image.image_token_length);
  // <boi> <img_size> <img_ratio> <timestep> [<guidance>] [<timestep_r>] <img> .. <eoi>
  std::vector<TokenId> head = {profile.special.boi, *size_token_id(profile, image.base_size),
                               *ratio_token_id(profile, image.ratio_index), profile.special.timestep};
  if (profile.cfg_distilled) head.push_back(profile.special.guidance);
  if (profile.use_meanflow) head.push_back(profile.special.timestep_r);
  const auto start = static_cast<std::size_t>(run.slice.start);
  REQUIRE(start >= head.size());
  bool same = true;
  for (std::size_t i = 0; i < head.size(); ++i) same = same && ids[start - head.size() + i] == head[i];
  for (std::size_t i = start; i < static_cast<std::size_t>(run.slice.stop); ++i)
    same = same && ids[i] == profile.special.img;
  CHECK_MESSAGE(same, profile.name << ", row " << image.ratio_index);
  CHECK(ids[static_cast<std::size_t>(run.slice.stop)] == profile.special.eoi);
  // The layout comes back from the ids.
  const ImageInfo images[] = {*build_cond_image_info(model, {900, 1600}), image};
  SequenceReading reading;
  reading.images = images;
  reading.image_count = 2;
  const Result<TokenLayout> layout = read_sequence(profile, ids.data(), ids.size(), reading);
  REQUIRE_MESSAGE(layout, profile.name << ": " << message(layout.error()) << " at " << layout.position());
  CHECK(layout->length == sequence->length);
  REQUIRE(layout->image_runs.size() == sequence->image_runs.size());
  for (std::size_t i = 0; i < layout->image_runs.size(); ++i) {
    CHECK(layout->image_runs[i].slice == sequence->image_runs[i].slice);
    CHECK(layout->image_runs[i].kind == sequence->image_runs[i].kind);
    CHECK(layout->image_runs[i].token_height == sequence->image_runs[i].token_height);
    CHECK(layout->image_runs[i].token_width == sequence->image_runs[i].token_width);
  }
  CHECK(layout->boi_positions == sequence->boi_positions);
  CHECK(layout->gen_timestep_positions == sequence->gen_timestep_positions);
  CHECK(read_sequence(profile, ids.data(), ids.size()).has_value());
  // Positions and mask from what was read.
  const std::vector<ImageRun>& runs = layout->image_runs;
  const auto positions = RopeLayout::create(profile, runs.data(), runs.size(), layout->length);
  REQUIRE(positions);
  CHECK(positions->position(0).y == 0);
  const auto attention = AttentionLayout::create(profile, runs.data(), runs.size());
  REQUIRE(attention);
  CHECK(attention->allows(run.slice.start, run.slice.stop - 1));
  CHECK(!attention->allows(0, 1));
  CHECK(refeed_slices(profile, *sequence).has_value());
}

TEST_CASE("sequences of every row are written with the profile's ids and read back") {
  for (const ModelProfile* profile : every_profile()) {
    const Model model = *Model::create(*profile);
    for (std::size_t i = 0; i < model.group.size(); ++i) {
      const ImageInfo image = *image_info_of_row(model, i);
      if (ratio_token_id(*profile, i)) {
        check_sequence(model, image);
      } else {
        const Result<TokenSequence> sequence = sequence_of(model, image);
        CHECK(sequence.error() == Errc::ratio_token_id_unknown);
        CHECK(sequence.position() == 3);
      }
    }
  }
  // The further size token.
  const Model large = *Model::create(workshop, 12288);
  check_sequence(large, *image_info_of_row(large, 0));
}

TEST_CASE("the text stage stops at the profile's ratio tokens and forces its ids") {
  for (const ModelProfile* profile : every_profile()) {
    const Model model = *Model::create(*profile);
    const BotTask tasks[] = {BotTask::automatic, BotTask::image,           BotTask::think,
                             BotTask::recaption, BotTask::think_recaption, BotTask::img_ratio};
    for (const BotTask task : tasks) {
      const Result<TextStage> stage = plan_text_stage(model, task, true);
      if (!stage) {
        CHECK(stage.error() == Errc::task_not_supported);
        continue;
      }
      CHECK(!stage->stops_at(RatioTokens::unknown));
      bool stops_at_a_ratio = false, stops_at_all = true;
      for (const std::size_t i : known_ratios(*profile)) {
        const bool stops = stage->stops_at(*ratio_token_id(*profile, i));
        stops_at_a_ratio = stops_at_a_ratio || stops;
        stops_at_all = stops_at_all && stops;
      }
      CHECK(stops_at_a_ratio == stops_at_all);
      for (std::size_t i = 0; i < stage->transition_count; ++i) {
        const StageTransition& transition = stage->transitions[i];
        if (transition.stop_token != profile->special.end_recaption) continue;
        REQUIRE(transition.forced_count == 3);
        CHECK(transition.forced[1] == profile->special.boi);
        CHECK(transition.forced[2] == *size_token_id(*profile, 1024));
      }
    }
  }
  const Model large = *Model::create(workshop, 12288);
  const TextStage stage = *plan_text_stage(large, BotTask::think_recaption, true);
  CHECK(*stage.size_token == 130120);
  const TokenId history[] = {workshop.special.end_think,     workshop.special.recaption, 7,
                             workshop.special.end_recaption, workshop.special.answer,    workshop.special.boi};
  CHECK(*forced_token(stage, history, 6) == 130120);
}

TEST_CASE("the plan knows what the model can predict, and which token to pin") {
  for (const ModelProfile* profile : every_profile()) {
    const Model model = *Model::create(*profile);
    // `auto`: the largest row among those that have an id.
    std::int64_t largest = 0;
    for (const std::size_t i : known_ratios(*profile)) largest = std::max(largest, model.group[i].pixel_count());
    GenerationRequest request;
    const Result<GenerationPlan> predicted = plan_generation(model, request);
    REQUIRE(predicted);
    CHECK(predicted->image.image_size().pixel_count() == largest);
    CHECK(predicted->ratio_is_predicted);
    for (std::size_t i = 0; i < model.group.size(); ++i) {
      const std::string size = "<img_ratio_" + std::to_string(i) + ">";
      request.image_size = size;
      const Result<GenerationPlan> plan = plan_generation(model, request);
      REQUIRE(plan);
      CHECK(plan->image.ratio_index == i);
      CHECK(plan->ratio_token.error() == ratio_token_id(*profile, i).error());
      CHECK(plan->ratio_token.value_or(0) == ratio_token_id(*profile, i).value_or(0));
      CHECK(plan->size_token.value_or(0) == *size_token_id(*profile, 1024));
    }
  }
  // Of the rows with an id the workshop's 38 (1952x960) is the largest.
  CHECK(plan_generation(*Model::create(workshop), {})->image.ratio_index == 38);
  GenerationRequest large;
  large.image_size = "1:1";
  CHECK(*plan_generation(*Model::create(workshop, 12288), large)->size_token == 130120);
}

TEST_CASE("request, plan and sequences agree, with an encoder") {
  for (const ModelProfile* profile : every_profile()) {
    const Model model = *Model::create(*profile);
    const auto encode = with_special_tokens(*profile, encode_bytes);
    GenerationRequest request;
    request.prompt = "a cat";
    request.image_size = "16:9";
    request.bot_task = BotTask::image;
    CHECK(request.add_conditioning_image({900, 1600}) == Errc::none);
    const Result<GenerationPlan> plan = plan_generation(model, request, encode);
    REQUIRE(plan);
    const Result<TokenBatch> rows = image_rows(model, request, *plan, plan->image, {}, encode);
    REQUIRE(rows);
    CHECK(rows->rows.size() == static_cast<std::size_t>(plan->cfg_rows));
    CHECK(rows->length == plan->sequence_length);
    CHECK(rows->rows[0].image_runs.back().slice.start == plan->image_start);
    for (const TokenSequence& row : rows->rows) {
      const std::vector<TokenId> ids = ids_of(row);
      CHECK_MESSAGE(read_sequence(*profile, ids.data(), ids.size()).has_value(), profile->name);
    }
  }
}

}  // namespace
}  // namespace hunyuan_reso_test
