// SPDX-License-Identifier: MIT
// The checked plan: figures worked out by hand, and each diagnostic once present and once absent.
#include <hunyuan_reso/plan.hpp>

#include <cstddef>
#include <string_view>
#include <vector>

#include "support/expect.hpp"

namespace {

using namespace hunyuan_reso;

/// A request together with the model's base size and scaling, for profiles that differ.
struct Case : GenerationRequest {
  std::int32_t base_size = 1024;
  ExtraScaling extra_scaling = ExtraScaling::absolute;
};

constexpr Case request_for(std::string_view image_size, std::int32_t base_size = 1024) {
  Case request;
  request.image_size = image_size;
  request.base_size = base_size;
  request.prompt_tokens = 88;
  request.chain_of_thought_tokens = 0;
  return request;
}

constexpr Result<GenerationPlan> plan_of(const Case& request, const ModelProfile& profile) {
  const Result<Model> model = Model::create(profile, request.base_size, request.extra_scaling);
  if (!model) return {model.error(), model.position()};
  return plan_generation(*model, request);
}

constexpr bool finds(const Case& request, const ModelProfile& profile, DiagnosticCode code) {
  const auto plan = plan_of(request, profile);
  return plan && plan->diagnostics.find(code) != nullptr;
}

/// The finding is there with this severity, source, value and limit.
constexpr bool finds(const Case& request, const ModelProfile& profile, const Diagnostic& expected) {
  const auto plan = plan_of(request, profile);
  if (!plan) return false;
  const Diagnostic* found = plan->diagnostics.find(expected.code);
  return found != nullptr && found->severity == expected.severity && found->source == expected.source &&
         found->value == expected.value && found->limit == expected.limit;
}

// Worked out by hand: a layer has 41943040 attention parameters, 65 experts of 37748736, a router of 262144 and 8448
// norms, so 2495881472 with 16 bits each 4991762944 bytes; 78 GiB of a card are 83751862272 bytes.
constexpr bool streamed_layers() {
  const ModelProfile& p = profiles::instruct;
  const std::int64_t all = weight_bytes(p, Precision::bf16).total();
  EXPECT(stream_layers(p, Precision::bf16, 0).layer_bytes == 4991762944);
  EXPECT(stream_layers(p, Precision::bf16, 0).device_bytes == all);
  EXPECT(stream_layers(p, Precision::bf16, 0).host_bytes == 0);
  EXPECT(stream_layers(p, Precision::bf16, 3).device_bytes == all - 4991762944);
  EXPECT(stream_layers(p, Precision::bf16, 3).host_bytes == 3 * 4991762944);
  EXPECT(stream_layers(p, Precision::bf16, 1).device_bytes == all);  // a buffer as large as the layer
  EXPECT(stream_layers(p, Precision::bf16, -1).layers == 0);
  EXPECT(stream_layers(p, Precision::bf16, 33).layers == 32);
  EXPECT(stream_layers(p, Precision::bf16, 10).step_seconds(4991762944) == 10);
  EXPECT(fewest_streamed_layers(p, Precision::bf16, all).layers == 0);
  EXPECT(fewest_streamed_layers(p, Precision::bf16, all - 1).layers == 3);
  EXPECT(fewest_streamed_layers(p, Precision::bf16, all - 4991762944).layers == 3);
  EXPECT(fewest_streamed_layers(p, Precision::bf16, all - 4991762944 - 1).layers == 4);
  EXPECT(fewest_streamed_layers(p, Precision::bf16, 1).layers == 32);
  EXPECT(fewest_streamed_layers(p, Precision::bf16, 1).device_bytes > 1);
  // One card of 80 GB holds the model in 8 bits but for a few layers, and in 16 bits less than half of it.
  EXPECT(fewest_streamed_layers(p, Precision::fp8, 78LL << 30).layers <= 6);
  EXPECT(fewest_streamed_layers(p, Precision::bf16, 78LL << 30).layers > 16);
  return true;
}

constexpr bool figures_of_a_square() {
  const auto plan = plan_of(request_for("1024x1024"), profiles::instruct);
  EXPECT(plan.has_value());
  EXPECT(plan->feasible());
  EXPECT(plan->diagnostics.size() == 0);
  EXPECT(plan->cfg_rows == 2);
  EXPECT(plan->steps == 50);
  EXPECT(plan->guidance == 2.5);
  EXPECT(*plan->size_token == 128037);
  EXPECT(*plan->ratio_token == 128060);
  EXPECT(plan->scalar_tokens == 1);
  EXPECT(plan->image_block_tokens == 4096 + 5);  // <boi> size ratio timestep .. <eoi>
  EXPECT(plan->sequence_length == 1 + 100 + 4101);
  EXPECT(!plan->sequence_length_is_upper_bound);
  EXPECT(plan->image_start == 4202 - 2 - 1 - 4096);
  EXPECT(plan->later_step_tokens == 4097);
  EXPECT(plan->latent_shape[0] == 1 && plan->latent_shape[1] == 32);
  EXPECT(plan->latent_shape[2] == 64 && plan->latent_shape[3] == 64);
  // 32 layers, 8 heads of 128, keys and values, 2 bytes, 2 rows
  EXPECT(plan->kv_bytes == std::int64_t{32} * 8 * 128 * 2 * 2 * 2 * 4202);
  EXPECT(plan->dense_mask_bytes == std::int64_t{2} * 4202 * 4202);
  // The published size: 80 billion parameters, 160 GB in bf16 (backbone.md gives the shapes).
  EXPECT(plan->parameter_count > 80'000'000'000 && plan->parameter_count < 82'000'000'000);
  // In bf16, with 0.68 GB of embedders and 0.87 GB of vision tower on top; the VAE apart.
  EXPECT(plan->weight_bytes - 2 * plan->parameter_count > 1'500'000'000);
  EXPECT(plan->weight_bytes - 2 * plan->parameter_count < 1'600'000'000);
  // Per token and layer: attention 2 (4096 x 6144 + 4096 x 4096), router 2 x 4096 x 64, 9 MLPs of 6 x 4096 x 3072.
  const double per_token = 2.0 * (4096.0 * 6144 + 4096.0 * 4096 + 4096.0 * 64) + 9 * 6.0 * 4096 * 3072;
  const double pairs = 4202.0 * 4203 / 2 + 4096.0 * 4095 / 2;
  EXPECT(plan->first_step_flop == 64.0 * (per_token * 4202 + 4.0 * 4096 * pairs));
  EXPECT(plan->total_flop == plan->first_step_flop + 49 * plan->later_step_flop);
  return true;
}
BOTH_TIMES(streamed_layers)
BOTH_TIMES(figures_of_a_square)

constexpr bool later_steps_attend_to_everything_before_the_image() {
  Case request = request_for("<img_ratio_16>");
  request.prompt_tokens = 0;
  request.steps = 1;
  const auto plan = plan_of(request, profiles::base);
  EXPECT(plan->sequence_length == 1 + 4101);  // <|startoftext|> and the block
  EXPECT(plan->image_start == 5);
  const double per_token = 2.0 * (4096.0 * 6144 + 4096.0 * 4096 + 4096.0 * 64) + 9 * 6.0 * 4096 * 3072;
  const double pairs = 4096.0 * (5 + 4096) + 5;  // each <img> sees 5 + 4096 keys, <timestep> the 5 up to itself
  EXPECT(plan->later_step_flop == 64.0 * (per_token * 4097 + 4.0 * 4096 * pairs));
  EXPECT(plan->total_flop == plan->first_step_flop);
  return true;
}
BOTH_TIMES(later_steps_attend_to_everything_before_the_image)

constexpr bool guidance_decides_the_rows_once() {
  Case request = request_for("1:1");
  EXPECT(plan_of(request, profiles::base)->cfg_rows == 2);
  EXPECT(plan_of(request, profiles::base)->guidance == 5.0);
  EXPECT(plan_of(request, profiles::instruct_distil)->cfg_rows == 1);
  EXPECT(plan_of(request, profiles::instruct_distil)->steps == 8);
  EXPECT(plan_of(request, profiles::instruct_distil)->scalar_tokens == 3);
  EXPECT(plan_of(request, profiles::instruct_distil)->later_step_tokens == 4099);
  EXPECT(!finds(request, profiles::instruct, DiagnosticCode::single_row_guidance));
  request.guidance = 1.0;
  EXPECT(plan_of(request, profiles::instruct)->cfg_rows == 1);
  EXPECT(finds(request, profiles::instruct,
               {DiagnosticCode::single_row_guidance, Severity::note, LimitSource::published, 1, 1}));
  EXPECT(!finds(request, profiles::instruct_distil, DiagnosticCode::single_row_guidance));
  request.guidance = 1.0000001;
  EXPECT(plan_of(request, profiles::instruct)->cfg_rows == 2);
  return true;
}
BOTH_TIMES(guidance_decides_the_rows_once)

constexpr bool an_explicit_size_pins_the_ratio_and_auto_predicts_it() {
  Case request = request_for("9:16");
  const auto pinned = plan_of(request, profiles::instruct);
  EXPECT(!pinned->ratio_is_predicted);
  EXPECT(*pinned->ratio_token == 130104);  // index 34
  EXPECT(pinned->text_stage.ratio_rule == RatioRule::none);
  EXPECT(!finds(request, profiles::instruct, DiagnosticCode::ratio_predicted));
  request.image_size = "auto";
  const auto predicted = plan_of(request, profiles::instruct);
  EXPECT(predicted->ratio_is_predicted);
  EXPECT(predicted->ratio_token.error() == Errc::no_ratio_token);
  EXPECT(predicted->text_stage.ratio_rule == RatioRule::masked);
  EXPECT(predicted->image.image_token_length == 4096);
  EXPECT(finds(request, profiles::instruct, DiagnosticCode::ratio_predicted));
  EXPECT(predicted->feasible());
  // Without a chain of thought: one pass over a prompt that ends in <img_size_1024>; the base release takes any token.
  EXPECT(plan_of(request, profiles::base)->text_stage.ratio_rule == RatioRule::free_pass);
  EXPECT(plan_of(request, profiles::base)->text_stage.prompt_task == BotTask::img_ratio);
  return true;
}
BOTH_TIMES(an_explicit_size_pins_the_ratio_and_auto_predicts_it)

constexpr bool a_chain_of_thought_makes_the_length_an_upper_bound() {
  Case request = request_for("1024x1024");
  request.chain_of_thought_tokens = Errc::not_given;
  const auto thinking = plan_of(request, profiles::instruct);
  EXPECT(thinking->sequence_length == 4202 + 2048);
  EXPECT(thinking->sequence_length_is_upper_bound);
  request.bot_task = BotTask::image;
  EXPECT(plan_of(request, profiles::instruct)->sequence_length == 4202);
  return true;
}
BOTH_TIMES(a_chain_of_thought_makes_the_length_an_upper_bound)

constexpr bool lengths_against_the_position_table_and_the_maximum_length() {
  // base size 3072: at least 27648 tokens a row, over the table of 22800.
  EXPECT(finds(request_for("3:2", 3072), profiles::instruct, DiagnosticCode::position_table_exceeded));
  EXPECT(!plan_of(request_for("3:2", 3072), profiles::instruct)->feasible());
  EXPECT(!finds(request_for("1:1", 2048), profiles::instruct, DiagnosticCode::position_table_exceeded));
  // 16384 image tokens: over the base checkpoint's 12800, not over the instruct family's 22800.
  EXPECT(finds(request_for("1:1", 2048), profiles::base,
               {DiagnosticCode::max_length_exceeded, Severity::error, LimitSource::published, 16384 + 94, 12800}));
  EXPECT(!finds(request_for("1:1", 2048), profiles::instruct, DiagnosticCode::max_length_exceeded));
  // The limit itself is allowed: 22800 tokens are, 22801 are not.
  Case edge = request_for("1:1");
  edge.prompt_tokens = 22800 - (1 + 12 + 4101);
  EXPECT(plan_of(edge, profiles::instruct)->sequence_length == 22800);
  EXPECT(!finds(edge, profiles::instruct, DiagnosticCode::position_table_exceeded));
  EXPECT(!finds(edge, profiles::instruct, DiagnosticCode::max_length_exceeded));
  ++edge.prompt_tokens;
  EXPECT(finds(edge, profiles::instruct,
               {DiagnosticCode::position_table_exceeded, Severity::error, LimitSource::published, 22801, 22800}));
  EXPECT(!finds(edge, profiles::instruct, DiagnosticCode::max_length_exceeded));  // one cause, one finding
  return true;
}
BOTH_TIMES(lengths_against_the_position_table_and_the_maximum_length)

constexpr bool text_stage_against_the_maximum_length() {
  Case request = request_for("1:1", 512);  // a block of 1029 tokens, shorter than the text that may come
  request.prompt_tokens = 22800 - 2048 - 13;
  EXPECT(!finds(request, profiles::instruct, DiagnosticCode::text_stage_over_max_length));
  ++request.prompt_tokens;
  EXPECT(finds(request, profiles::instruct,
               {DiagnosticCode::text_stage_over_max_length, Severity::warning, LimitSource::published, 22801, 22800}));
  request.bot_task = BotTask::image;  // no text stage
  EXPECT(!finds(request, profiles::instruct, DiagnosticCode::text_stage_over_max_length));
  return true;
}
BOTH_TIMES(text_stage_against_the_maximum_length)

constexpr Case editing(std::size_t images) {
  Case request = request_for("1:1");
  request.conditioning_image_count = images;
  for (std::size_t i = 0; i < images && i < GenerationRequest::max_conditioning_images; ++i) {
    request.conditioning_images[i] = {3000, 4000};
  }
  return request;
}

constexpr bool conditioning_images_are_counted() {
  EXPECT(!finds(editing(3), profiles::instruct, DiagnosticCode::many_conditioning_images));
  EXPECT(finds(editing(4), profiles::instruct,
               {DiagnosticCode::many_conditioning_images, Severity::warning, LimitSource::published, 4, 3}));
  // A 4:3 photo becomes 768x1024: 48 x 64 VAE tokens, 1024 ViT slots, the separator, and 5 tokens around them.
  const std::int32_t block = 3072 + 1024 + 1 + 5;
  EXPECT(plan_of(editing(3), profiles::instruct)->conditioning_tokens == 3 * block);
  Case grid = editing(1);
  grid.vit_slots = VitSlots::true_grid;
  EXPECT(plan_of(grid, profiles::instruct)->conditioning_tokens == block - 1024 + 27 * 36);
  EXPECT(plan_of(grid, profiles::instruct)->conditioning_images[0].vit_grid() == Resolution{27, 36});
  ModelProfile one_tower = profiles::instruct;
  one_tower.conditioning_image_type = ConditioningImageType::vae;
  EXPECT(plan_of(grid, one_tower)->conditioning_tokens == 3072 + 5);
  one_tower.conditioning_image_type = ConditioningImageType::vit;
  EXPECT(plan_of(editing(1), one_tower)->conditioning_tokens == 1024 + 2);
  EXPECT(plan_of(editing(17), profiles::instruct).error() == Errc::too_many_conditioning_images);
  Case empty = editing(2);
  empty.conditioning_images[1] = {0, 4};
  EXPECT(plan_of(empty, profiles::instruct).error() == Errc::side_not_positive);
  EXPECT(plan_of(empty, profiles::instruct).position() == 1);
  return true;
}
BOTH_TIMES(conditioning_images_are_counted)

constexpr bool scale_against_the_training() {
  EXPECT(!finds(request_for("1:1"), profiles::instruct, DiagnosticCode::base_size_above_trained));
  EXPECT(!finds(request_for("1:1"), profiles::instruct, DiagnosticCode::base_size_below_trained));
  EXPECT(finds(request_for("1:1", 2048), profiles::instruct,
               {DiagnosticCode::base_size_above_trained, Severity::warning, LimitSource::measured, 2048, 1024}));
  EXPECT(finds(request_for("1:1", 512), profiles::instruct,
               {DiagnosticCode::base_size_below_trained, Severity::warning, LimitSource::measured, 512, 1024}));
  Case follows = request_for("1000x1600");
  EXPECT(!finds(follows, profiles::instruct, DiagnosticCode::untrained_grid));
  follows.grid_mode = GridMode::follow_request;
  EXPECT(finds(follows, profiles::instruct,
               {DiagnosticCode::untrained_grid, Severity::warning, LimitSource::published, 992.0 * 1600, 1048576}));
  follows.grid_mode = GridMode::follow_request_by_area;  // 1.6 MP wants the token of 1536
  EXPECT(finds(follows, profiles::instruct, DiagnosticCode::base_size_above_trained));
  return true;
}
BOTH_TIMES(scale_against_the_training)

constexpr bool a_row_far_from_the_request_is_reported() {
  EXPECT(!finds(request_for("1080x1920"), profiles::instruct, DiagnosticCode::aspect_changed));
  EXPECT(finds(request_for("1x8"), profiles::instruct,
               {DiagnosticCode::aspect_changed, Severity::warning, LimitSource::computed, 2.0, 1.1}));
  EXPECT(finds(request_for("8:1"), profiles::instruct, DiagnosticCode::aspect_changed));
  EXPECT(!finds(request_for("<img_ratio_0>"), profiles::instruct, DiagnosticCode::aspect_changed));
  EXPECT(finds(request_for("2048x2048"), profiles::instruct,
               {DiagnosticCode::area_changed, Severity::note, LimitSource::computed, 4.0, 2.0}));
  EXPECT(!finds(request_for("1024x1024"), profiles::instruct, DiagnosticCode::area_changed));
  EXPECT(!finds(request_for("1:1"), profiles::instruct, DiagnosticCode::area_changed));
  return true;
}
BOTH_TIMES(a_row_far_from_the_request_is_reported)

constexpr bool an_absolute_extra_at_another_base_is_reported() {
  // The question that started the project: 4:3 at base size 2048 gives 768x1024.
  const auto raised = plan_of(request_for("4:3", 2048), profiles::instruct);
  EXPECT(raised->image.image_height == 768 && raised->image.image_width == 1024);
  EXPECT(finds(request_for("4:3", 2048), profiles::instruct,
               {DiagnosticCode::absolute_extra_off_scale, Severity::warning, LimitSource::published, 786432, 4194304}));
  EXPECT(!finds(request_for("3:2", 2048), profiles::instruct, DiagnosticCode::absolute_extra_off_scale));
  EXPECT(!finds(request_for("4:3"), profiles::instruct, DiagnosticCode::absolute_extra_off_scale));
  EXPECT(!finds(request_for("4:3", 2048), profiles::base, DiagnosticCode::absolute_extra_off_scale));
  Case scaled = request_for("4:3", 2048);
  scaled.extra_scaling = ExtraScaling::scaled;
  EXPECT(plan_of(scaled, profiles::instruct)->image.image_width == 2048);
  EXPECT(!finds(scaled, profiles::instruct, DiagnosticCode::absolute_extra_off_scale));
  return true;
}
BOTH_TIMES(an_absolute_extra_at_another_base_is_reported)

constexpr bool output_alignment_is_foreseen() {
  Case request = request_for("1141x919");
  request.conditioning_image_count = 1;
  request.conditioning_images[0] = {700, 564};
  EXPECT(!finds(request, profiles::instruct, DiagnosticCode::output_alignment_rescales));
  request.align_output = true;
  EXPECT(finds(
      request, profiles::instruct,
      {DiagnosticCode::output_alignment_rescales, Severity::note, LimitSource::published, 919.0 * 1141, 896.0 * 1152}));
  request.conditioning_images[0] = {1152, 896};
  EXPECT(!finds(request, profiles::instruct, DiagnosticCode::output_alignment_rescales));
  return true;
}
BOTH_TIMES(output_alignment_is_foreseen)

constexpr bool tokens_must_exist() {
  EXPECT(finds(request_for("960x1952"), profiles::panorama,
               {DiagnosticCode::ratio_token_unknown, Severity::error, LimitSource::published, 37, 37}));
  const ModelProfile known = *profiles::panorama.with_ratio_token_id(37, 130108);
  EXPECT(!finds(request_for("960x1952"), known, DiagnosticCode::ratio_token_unknown));
  EXPECT(plan_of(request_for("960x1952"), known)->feasible());
  EXPECT(*plan_of(request_for("960x1952"), known)->ratio_token == 130108);
  EXPECT(finds(request_for("1:1", 960), profiles::instruct,
               {DiagnosticCode::size_token_unknown, Severity::error, LimitSource::published, 960, 8192}));
  EXPECT(!finds(request_for("1:1", 768), profiles::instruct, DiagnosticCode::size_token_unknown));
  EXPECT(finds(request_for("auto", 960), profiles::instruct, DiagnosticCode::size_token_unknown));
  return true;
}
BOTH_TIMES(tokens_must_exist)

constexpr bool int8_limits() {
  Case request = request_for("1:1", 2048);
  EXPECT(!finds(request, profiles::instruct, DiagnosticCode::int8_rows));  // bf16
  request.precision = Precision::int8;
  EXPECT(finds(request, profiles::instruct,
               {DiagnosticCode::int8_rows, Severity::warning, LimitSource::measured, 2.0 * (16384 + 106), 16384}));
  EXPECT(!finds(request, profiles::instruct, DiagnosticCode::int8_expert_elements));
  // An expert's product is 6144 columns wide: 2^31 / 6144 is 349525.3 rows.
  Case batch = request_for("1:1");
  batch.precision = Precision::int8;
  EXPECT(!finds(batch, profiles::instruct, DiagnosticCode::int8_rows));  // 2 x 4202
  batch.batch = 41;                                                      // 344564 rows
  EXPECT(!finds(batch, profiles::instruct, DiagnosticCode::int8_expert_elements));
  batch.batch = 42;  // 352968 rows
  EXPECT(finds(
      batch, profiles::instruct,
      {DiagnosticCode::int8_expert_elements, Severity::error, LimitSource::published, 352968.0 * 6144, 2147483648.0}));
  // The vocabulary head is 133120 wide: 2^31 / 133120 is 16131.9 rows of the text stage.
  Case text = request_for("1:1");
  text.precision = Precision::int8;
  text.prompt_tokens = 16131 - 13;
  EXPECT(!finds(text, profiles::instruct, DiagnosticCode::int8_vocabulary_elements));
  ++text.prompt_tokens;
  EXPECT(finds(text, profiles::instruct, DiagnosticCode::int8_vocabulary_elements));
  EXPECT(!finds(text, profiles::base, DiagnosticCode::int8_vocabulary_elements));  // no text stage
  return true;
}
BOTH_TIMES(int8_limits)

constexpr bool an_eager_dispatch_mask_grows_with_the_square() {
  // 8 rows^2 elements reach 2^31 at 16384 rows; 8 bytes each.
  Case request = request_for("1:1");
  request.guidance = 1.0;
  request.bot_task = BotTask::image;
  request.prompt_tokens = 16383 - (1 + 12 + 4101);
  request.eager_moe_mask = true;
  EXPECT(plan_of(request, profiles::instruct)->sequence_length == 16383);
  EXPECT(!finds(request, profiles::instruct, DiagnosticCode::eager_moe_mask));
  ++request.prompt_tokens;
  EXPECT(finds(
      request, profiles::instruct,
      {DiagnosticCode::eager_moe_mask, Severity::warning, LimitSource::computed, 8 * 2147483648.0, 8 * 2147483648.0}));
  EXPECT(plan_of(request, profiles::instruct)->feasible());
  request.eager_moe_mask = false;  // an engine without such a mask hears nothing of it
  EXPECT(!finds(request, profiles::instruct, DiagnosticCode::eager_moe_mask));
  return true;
}
BOTH_TIMES(an_eager_dispatch_mask_grows_with_the_square)

constexpr bool small_formats_keep_the_rest_in_16_bits() {
  // People measure 45 to 46.7 GB for nf4 and 80.8 to 81 for int8, whose backbone is counted byte by byte.
  const auto gigabytes = [](Precision precision) {
    Case request = request_for("1:1");
    request.precision = precision;
    return static_cast<double>(plan_of(request, profiles::instruct)->weight_bytes) / 1e9;
  };
  EXPECT(gigabytes(Precision::nf4) > 45.0 && gigabytes(Precision::nf4) < 46.7);
  EXPECT(gigabytes(Precision::int8) > 80.8 && gigabytes(Precision::int8) < 83.0);
  EXPECT(gigabytes(Precision::fp8) > 83.0 && gigabytes(Precision::fp8) < 84.0);
  EXPECT(gigabytes(Precision::fp32) == 2 * gigabytes(Precision::bf16));
  EXPECT(gigabytes(Precision::fp16) == gigabytes(Precision::bf16));
  return true;
}
BOTH_TIMES(small_formats_keep_the_rest_in_16_bits)

constexpr bool an_automatic_size_counts_the_largest_row_that_can_be_predicted() {
  // The panorama's 960x1952 (7320 tokens) has no id, so the model cannot predict it: three images fit.
  Case request = request_for("auto");
  for (int i = 0; i < 3; ++i) {
    request.conditioning_images[request.conditioning_image_count++] = {1024, 1024};
  }
  request.chain_of_thought_tokens = Errc::not_given;
  const auto plan = plan_of(request, profiles::panorama);
  EXPECT(plan->image.image_token_length == 4096);
  EXPECT(plan->sequence_length == 1 + 100 + 2048 + 4101 + 3 * (4096 + 1024 + 1 + 5));
  EXPECT(plan->feasible());
  const ModelProfile known = *profiles::panorama.with_ratio_token_id(37, 130108);
  EXPECT(plan_of(request, known)->image.image_token_length == 7320);
  EXPECT(!plan_of(request, known)->feasible());
  return true;
}
BOTH_TIMES(an_automatic_size_counts_the_largest_row_that_can_be_predicted)

constexpr bool the_plan_says_how_far_positions_lie_from_the_text() {
  EXPECT(plan_of(request_for("1:1"), profiles::instruct)->image_position_offset == 2016);
  EXPECT(plan_of(request_for("1:1", 1536), profiles::instruct)->image_position_offset == 4560);
  EXPECT(plan_of(request_for("1:1", 2048), profiles::instruct)->image_position_offset == 8128);
  EXPECT(plan_of(request_for("1:1", 2048), profiles::instruct)->trained_image_position_offset == 2032);  // 32 x 128
  EXPECT(plan_of(request_for("1:1"), profiles::panorama)->trained_image_position_offset == 3630);        // 60 x 122
  return true;
}
BOTH_TIMES(the_plan_says_how_far_positions_lie_from_the_text)

constexpr bool a_rescaled_rotary_base_is_untrained_and_said() {
  Case request = request_for("1:1", 2048);
  EXPECT(plan_of(request, profiles::instruct)->rope_scaling == RopeScaling::none);
  EXPECT(plan_of(request, profiles::instruct)->rope_area_factor == 4.0);
  EXPECT(!finds(request, profiles::instruct, DiagnosticCode::rope_base_rescaled));
  request.rope_scaling = RopeScaling::area;
  EXPECT(finds(request, profiles::instruct,
               {DiagnosticCode::rope_base_rescaled, Severity::note, LimitSource::measured, 4.0, 1.0}));
  EXPECT(plan_of(request, profiles::instruct)->later_step_tokens == 16385);
  request.rope_scaling = RopeScaling::area_by_sigma;  // every step feeds the whole sequence
  const auto by_sigma = plan_of(request, profiles::instruct);
  EXPECT(by_sigma->every_step_feeds_all);
  EXPECT(by_sigma->later_step_tokens == by_sigma->sequence_length);
  EXPECT(by_sigma->total_flop == by_sigma->first_step_flop * 50);
  Case trained = request_for("1:1");
  trained.rope_scaling = RopeScaling::area_by_sigma;
  EXPECT(!plan_of(trained, profiles::instruct)->every_step_feeds_all);
  EXPECT(!finds(trained, profiles::instruct, DiagnosticCode::rope_base_rescaled));
  ModelProfile fine_tune = profiles::instruct;
  fine_tune.rope_scaling = RopeScaling::area;
  EXPECT(finds(request_for("1:1", 1536), fine_tune,
               {DiagnosticCode::rope_base_rescaled, Severity::note, LimitSource::measured, 2.25, 1.0}));
  return true;
}
BOTH_TIMES(a_rescaled_rotary_base_is_untrained_and_said)

constexpr bool the_plan_says_who_reported_what() {
  struct {
    std::int32_t base_size;
    RopeScaling scaling;
    ScaleReport report;
  } const cases[] = {{512, RopeScaling::none, ScaleReport::not_larger},
                     {1024, RopeScaling::area, ScaleReport::not_larger},
                     {1536, RopeScaling::none, ScaleReport::works},
                     {1792, RopeScaling::none, ScaleReport::nothing_reported},
                     {2048, RopeScaling::none, ScaleReport::noise},
                     {2048, RopeScaling::area, ScaleReport::works_rescaled},
                     {2048, RopeScaling::area_by_sigma, ScaleReport::worse_text},
                     {3072, RopeScaling::none, ScaleReport::noise},
                     {3072, RopeScaling::area, ScaleReport::nothing_reported},
                     {3072, RopeScaling::area_by_sigma, ScaleReport::nothing_reported}};
  for (const auto& item : cases) {
    Case request = request_for("1:1", item.base_size);
    request.rope_scaling = item.scaling;
    EXPECT(plan_of(request, profiles::instruct)->scale_report == item.report);
  }
  return true;
}
BOTH_TIMES(the_plan_says_who_reported_what)

constexpr bool the_text_stages_cache_is_kept_up_to_the_chain_of_thoughts_end() {
  Case request = request_for("1:1");
  request.chain_of_thought_tokens = 500;
  request.system_tokens = 40;
  EXPECT(request.add_conditioning_image({1024, 1024}) == Errc::none);
  const auto plan = plan_of(request, profiles::instruct);
  const std::int32_t block_start = plan->image_start - 4;        // <boi> size ratio timestep
  EXPECT(plan->reusable_conditional_prefix == block_start - 1);  // without <answer>
  EXPECT(plan->reusable_unconditional_prefix == 1 + 40 + plan->conditioning_tokens);
  Case rescaled = request_for("1:1", 2048);  // the text stage's angles are not those of the image stage
  rescaled.chain_of_thought_tokens = 500;
  EXPECT(plan_of(rescaled, profiles::instruct)->reusable_conditional_prefix > 500);
  rescaled.rope_scaling = RopeScaling::area;
  EXPECT(plan_of(rescaled, profiles::instruct)->reusable_conditional_prefix == 0);
  EXPECT(plan_of(rescaled, profiles::instruct)->reusable_unconditional_prefix == 0);
  request.bot_task = BotTask::image;
  EXPECT(plan_of(request, profiles::instruct)->reusable_conditional_prefix == 0);
  return true;
}
BOTH_TIMES(the_text_stages_cache_is_kept_up_to_the_chain_of_thoughts_end)

constexpr bool distilled_checkpoints() {
  Case request = request_for("1:1");
  EXPECT(!finds(request, profiles::instruct_distil, DiagnosticCode::distilled_batch));
  request.batch = 2;
  EXPECT(finds(request, profiles::instruct_distil,
               {DiagnosticCode::distilled_batch, Severity::warning, LimitSource::published, 2, 1}));
  EXPECT(!finds(request, profiles::instruct, DiagnosticCode::distilled_batch));
  ModelProfile meanflow = profiles::instruct;
  meanflow.use_meanflow = true;
  EXPECT(finds(request, meanflow, DiagnosticCode::meanflow_without_distillation));
  EXPECT(!finds(request, profiles::instruct_distil, DiagnosticCode::meanflow_without_distillation));
  return true;
}
BOTH_TIMES(distilled_checkpoints)

constexpr bool requests_without_meaning_are_errors() {
  EXPECT(plan_of(request_for("12 apples"), profiles::instruct).error() == Errc::expected_separator);
  EXPECT(plan_of(request_for("12 apples"), profiles::instruct).position() == 3);
  EXPECT(plan_of(request_for("<img_ratio_33>"), profiles::base).error() == Errc::ratio_index_out_of_range);
  EXPECT(plan_of(request_for("1:1", 1000), profiles::instruct).error() == Errc::base_size_not_aligned);
  Case request = request_for("1:1");
  request.batch = 0;
  EXPECT(plan_of(request, profiles::instruct).error() == Errc::count_out_of_range);
  request = request_for("1:1");
  request.prompt_tokens = -1;
  EXPECT(plan_of(request, profiles::instruct).error() == Errc::count_out_of_range);
  request = request_for("1:1");
  request.steps = 0;
  EXPECT(plan_of(request, profiles::instruct).error() == Errc::count_out_of_range);
  request = request_for("1:1");
  request.guidance = -0.5;
  EXPECT(plan_of(request, profiles::instruct).error() == Errc::guidance_not_finite);
  request = request_for("1:1");
  request.bot_task = BotTask::think_recaption;
  EXPECT(plan_of(request, profiles::base).error() == Errc::task_not_supported);
  request = request_for("2147483647x2147483647");
  request.grid_mode = GridMode::follow_request;
  EXPECT(plan_of(request, profiles::instruct).error() == Errc::sequence_too_long);
  request = request_for("");
  request.pixels = Resolution{-5, 7};
  EXPECT(plan_of(request, profiles::instruct).error() == Errc::side_not_positive);
  request.pixels = Resolution{1080, 1920};
  EXPECT(plan_of(request, profiles::instruct)->image.ratio_index == 36);
  return true;
}
BOTH_TIMES(requests_without_meaning_are_errors)

TEST_CASE("every diagnostic has a name, a message and an advice") {
  std::vector<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(DiagnosticCode::ratio_predicted); ++i) {
    const auto code = static_cast<DiagnosticCode>(i);
    CHECK(std::string_view(name(code)) != "unknown");
    CHECK(std::string_view(message(code)) != "unknown");
    CHECK(std::string_view(advice(code)) != "unknown");
    for (const std::string_view other : names) CHECK(other != name(code));
    names.push_back(name(code));
  }
  CHECK(names.size() <= Diagnostics::capacity);
}

}  // namespace
