// SPDX-License-Identifier: MIT
// Requests to plans, sequences and tiles. The first line of an input is the image_size, the next two are the system
// text and the prompt; bytes choose the rest. A plan's numbers must agree with one another and with the rows that are
// built from it; the weights of an enlargement's tiles add up to one.
#include <hunyuan_reso/hunyuan_reso.hpp>

#include <cstring>

#include "fuzz.hpp"
#include "models.hpp"

namespace {

using namespace hunyuan_reso;
using hunyuan_reso_fuzz::Bytes;

std::vector<TokenId> encode(std::string_view text) {
  std::vector<TokenId> ids;
  for (const char c : text) ids.push_back(1000 + static_cast<unsigned char>(c));
  return ids;
}

double make_double(Bytes& bytes) {
  const double usual[] = {0.0, 1.0, 2.5, 0.35, 5.0, 1e300, 1e-300, -1.0};
  const std::uint8_t choice = bytes.byte();
  if (choice < 200) return usual[choice % 8];
  std::uint64_t bits = bytes.word();
  bits = bits << 32U | bytes.word();
  double value = 0.0;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

/// A published model at one of its base sizes, with scaled extra rows or without; a few are changed.
Model make_model(Bytes& bytes) {
  const std::vector<Model>& models = hunyuan_reso_fuzz::published_models();
  const Model& usual = models[bytes.below(models.size())];
  const std::uint8_t choice = bytes.byte();
  if (choice < 128) return usual;
  ModelProfile profile = usual.profile;
  const std::int32_t base_size = profile.size_tokens.base_sizes[bytes.below(profile.size_tokens.count)];
  if (choice >= 224) {
    switch (bytes.below(8)) {
      case 0:
        profile.vae_downsample_height = 1 + bytes.byte();
        break;
      case 1:
        profile.patch_size = 1 + bytes.byte() % 4;
        break;
      case 2:
        profile.vit_slots = bytes.byte();
        break;
      case 3:
        profile.conditioning_image_type = static_cast<ConditioningImageType>(bytes.below(3));
        break;
      case 4:
        profile.follows_aligned_requests = true;
        break;
      case 5:
        profile.text_stage = base_text_stage();
        break;
      case 6:
        profile.use_meanflow = profile.cfg_distilled = bytes.flag();
        break;
      default:
        profile.max_new_tokens = static_cast<std::int32_t>(bytes.word() % 100000);
        break;
    }
  }
  const ExtraScaling scaling = bytes.flag() ? ExtraScaling::scaled : ExtraScaling::absolute;
  const Result<Model> model = Model::create(profile, base_size, scaling);
  return model ? *model : usual;
}

GenerationRequest make_request(Bytes& bytes) {
  GenerationRequest request;
  request.image_size = bytes.line();
  request.system = bytes.line();
  request.prompt = bytes.line();
  const std::uint8_t choices = bytes.byte();
  if ((choices & 1U) != 0) {
    const std::int32_t height = bytes.side();
    request.pixels = Resolution{height, bytes.side()};
  }
  if ((choices & 2U) != 0) request.grid_mode = static_cast<GridMode>(bytes.below(3));
  if ((choices & 4U) != 0) request.bot_task = static_cast<BotTask>(bytes.below(6));
  if ((choices & 8U) != 0) request.drop_think = bytes.flag();
  if ((choices & 16U) != 0) request.guidance = make_double(bytes);
  if ((choices & 32U) != 0) request.steps = bytes.flag() ? bytes.number() : static_cast<std::int32_t>(1 + bytes.byte());
  if ((choices & 64U) != 0) request.rope_scaling = static_cast<RopeScaling>(bytes.below(3));
  if ((choices & 128U) != 0) request.chain_of_thought_tokens = bytes.flag() ? bytes.number() : bytes.byte();
  const std::uint8_t more = bytes.byte();
  for (std::size_t i = more % 4U; i > 0; --i) {
    const std::int32_t height = bytes.side();
    (void)request.add_conditioning_image({height, bytes.side()});
  }
  if ((more & 4U) != 0) request.vit_slots = VitSlots::true_grid;
  request.align_output = (more & 8U) != 0;
  request.eager_moe_mask = (more & 16U) != 0;
  if ((more & 32U) != 0) request.precision = static_cast<Precision>(bytes.below(6));
  if ((more & 64U) != 0) request.batch = bytes.flag() ? bytes.number() : 1 + bytes.byte() % 8;
  if ((more & 128U) != 0) {
    request.prompt_tokens = bytes.number();
    request.system_tokens = bytes.number();
  }
  return request;
}

void check_plan(const Model& model, const GenerationRequest& request, const GenerationPlan& plan) {
  ALWAYS(plan.sequence_length == 1 + plan.text_tokens + plan.conditioning_tokens + plan.image_block_tokens);
  ALWAYS(plan.text_tokens >= 0 && plan.conditioning_tokens >= 0);
  ALWAYS(plan.image_block_tokens == image_block_length(plan.image));
  ALWAYS(plan.image.image_token_length > 0 && plan.image.image_token_length == plan.image.token_grid().pixel_count());
  ALWAYS(plan.image_start > 0 && plan.image_start + plan.image.image_token_length < plan.sequence_length);
  ALWAYS(plan.scalar_tokens >= 1 && plan.scalar_tokens <= 3);
  ALWAYS(plan.later_step_tokens > 0 && plan.later_step_tokens <= plan.sequence_length);
  ALWAYS(plan.reusable_unconditional_prefix >= 0);
  ALWAYS(plan.reusable_unconditional_prefix <= plan.reusable_conditional_prefix);
  ALWAYS(plan.reusable_conditional_prefix < plan.image_start);
  ALWAYS(plan.cfg_rows == 1 || (plan.cfg_rows == 2 && plan.guidance > 1.0 && !model.profile.cfg_distilled));
  ALWAYS(plan.steps >= 1 && plan.batch >= 1 && plan.batch == request.batch);
  ALWAYS(plan.conditioning_image_count == request.conditioning_image_count);
  std::int64_t conditioning = 0;
  for (std::size_t i = 0; i < plan.conditioning_image_count; ++i) {
    conditioning += image_block_length(plan.conditioning_images[i]);
  }
  ALWAYS(conditioning == plan.conditioning_tokens);
  ALWAYS(plan.kv_bytes > 0 && plan.weight_bytes > 0 && plan.dense_mask_bytes > 0 && plan.vae_bytes > 0);
  ALWAYS(plan.first_step_flop > 0.0 && plan.later_step_flop > 0.0 && plan.later_step_flop <= plan.first_step_flop);
  ALWAYS(plan.total_flop >= plan.first_step_flop && plan.total_flop < 1e40);
  ALWAYS(plan.ratio_is_predicted || !plan.text_stage.generates_text || plan.size_token.error() == Errc::none ||
         plan.size_token.error() == Errc::unknown_base_size);
  for (const Diagnostic& diagnostic : plan.diagnostics) {
    ALWAYS(name(diagnostic.code)[0] != '\0' && message(diagnostic.code)[0] != '\0');
    ALWAYS(advice(diagnostic.code)[0] != '\0');
    ALWAYS(diagnostic.value == diagnostic.value && diagnostic.limit == diagnostic.limit);
    ALWAYS(plan.feasible() || plan.diagnostics.worst() == Severity::error);
  }
}

/// With counted texts, a row of the image stage is as long as the plan says, and the image lies where it says.
void check_rows(const Model& model, GenerationRequest request) {
  request.chain_of_thought_tokens = 0;
  if (request.batch > 4) request.batch = 1;
  const auto encoder = with_special_tokens(model.profile, encode);
  const Result<GenerationPlan> plan = plan_generation(model, request, encoder);
  if (!plan) return;
  check_plan(model, request, *plan);
  ALWAYS(plan->text_is_counted);
  if (plan->ratio_is_predicted || !plan->size_token || !plan->ratio_token) return;
  const Result<TokenBatch> rows = image_rows(model, request, *plan, plan->image, {}, encoder);
  ALWAYS(rows.has_value());
  ALWAYS(rows->rows.size() == static_cast<std::size_t>(plan->batch) * static_cast<std::size_t>(plan->cfg_rows));
  ALWAYS(rows->length == plan->sequence_length);
  for (const TokenSequence& row : rows->rows) {
    const std::vector<Slice> slices = row.image_slices(ImageRunKind::generated);
    ALWAYS(!slices.empty() && slices.back().start == plan->image_start);
    ALWAYS(slices.back().length() == plan->image.image_token_length);
    const auto rope =
        RopeLayout::create(model.profile, row.image_runs.data(), row.image_runs.size(), row.real_length());
    ALWAYS(rope || rope.error() == Errc::too_many_images || rope.error() == Errc::position_too_large);
  }
}

void check_tiles(const TileLayout& tiles, Bytes& bytes) {
  const Resolution canvas = tiles.canvas_cells();
  ALWAYS(tiles.size() == tiles.rows() * tiles.columns() && tiles.size() > 0);
  for (int i = 0; i < 6; ++i) {
    const auto number = static_cast<std::int32_t>(bytes.word() % static_cast<std::uint32_t>(tiles.size()));
    const Tile tile = tiles.tile_cells(number);
    ALWAYS(tile.top >= 0 && tile.left >= 0 && tile.height > 0 && tile.width > 0);
    ALWAYS(std::int64_t{tile.top} + tile.height <= canvas.height &&
           std::int64_t{tile.left} + tile.width <= canvas.width);
    // The weights in a cell, tile by tile.
    const auto row = static_cast<std::int32_t>(bytes.word() % static_cast<std::uint32_t>(canvas.height));
    const auto column = static_cast<std::int32_t>(bytes.word() % static_cast<std::uint32_t>(canvas.width));
    std::int64_t down = 0;
    std::int64_t across = 0;
    for (std::int32_t k = tiles.first_tile_row(row); k < tiles.rows(); ++k) {
      const std::int32_t share = tiles.row_share(k, row);
      if (tiles.tile_cells(k * tiles.columns()).top > row) break;
      ALWAYS(share >= 0);
      down += share;
    }
    for (std::int32_t k = tiles.first_tile_column(column); k < tiles.columns(); ++k) {
      if (tiles.tile_cells(k).left > column) break;
      across += tiles.column_share(k, column);
    }
    ALWAYS(down * across == TileLayout::weight_one);
    const bool covers =
        row >= tile.top && row < tile.top + tile.height && column >= tile.left && column < tile.left + tile.width;
    ALWAYS(tiles.weight(number, row, column) >= 0 && (covers || tiles.weight(number, row, column) == 0));
  }
}

void check_enlargement(const Model& model, const GenerationRequest& request, Bytes& bytes) {
  const std::int32_t height = bytes.side();
  const Resolution target{height, bytes.side()};
  EnlargementOptions options;
  if (bytes.flag()) {
    options.tile = {16 * static_cast<std::int32_t>(1 + bytes.byte()), 16 * static_cast<std::int32_t>(1 + bytes.byte())};
    options.overlap = bytes.flag() ? bytes.number() : 16 * static_cast<std::int32_t>(bytes.byte() % 64);
    options.profile = static_cast<TileProfile>(bytes.below(2));
    options.strength = make_double(bytes);
    options.flop_per_second = make_double(bytes);
    options.enlarges_latents = bytes.flag();
    options.tiles_at_once = static_cast<std::int32_t>(bytes.byte());
  }
  const Result<EnlargementPlan> plan = plan_enlargement(model, request, target, options);
  if (!plan) return ALWAYS(message(plan.error())[0] != '\0');
  ALWAYS(plan->canvas.height >= target.height && plan->canvas.width >= target.width);
  ALWAYS(plan->crop_top >= 0 && plan->crop_top + target.height <= plan->canvas.height);
  ALWAYS(plan->crop_left >= 0 && plan->crop_left + target.width <= plan->canvas.width);
  const Resolution finished = plan->finished;
  ALWAYS(plan->is_refined == (target.height > finished.height || target.width > finished.width));
  ALWAYS(plan->is_refined || plan->canvas == target);
  ALWAYS(plan->wrap_columns >= 0 && plan->crop_left + target.width + plan->wrap_columns <= plan->canvas.width);
  ALWAYS(plan->enlarged.resized_height >= plan->canvas.height - 1);
  ALWAYS(plan->enlarged.resized_width + plan->wrap_columns >= plan->canvas.width - 1);
  std::int64_t calls = plan->generation.steps;
  if (plan->is_refined) {
    ALWAYS(plan->refinement_steps > 0 && plan->first_step >= 0);
    ALWAYS(plan->first_step + plan->refinement_steps == plan->tile.steps);
    ALWAYS(plan->tiles.canvas() == plan->canvas);
    calls += std::int64_t{plan->tiles.size()} * plan->refinement_steps;
    check_tiles(plan->tiles, bytes);
  }
  ALWAYS(plan->model_calls == calls && plan->kv_bytes > 0 && plan->picture_bytes > 0);
  ALWAYS(plan->latent_bytes >= (plan->is_refined ? 1 : 0) && plan->memory_bytes >= plan->kv_bytes);
  ALWAYS(plan->tiles_at_once >= 1 && plan->decoded_pixels > 0 && plan->encoded_pixels >= 0);
  ALWAYS(plan->total_flop > 0.0 && plan->seconds >= 0.0);
}

}  // namespace

FUZZ_TARGET(plan) {
  Bytes bytes(input);
  const GenerationRequest request = make_request(bytes);
  const Model model = make_model(bytes);
  const Result<GenerationPlan> plan = plan_generation(model, request);
  if (plan) {
    check_plan(model, request, *plan);
  } else {
    ALWAYS(message(plan.error())[0] != '\0');
  }
  check_rows(model, request);
  if (bytes.flag()) check_enlargement(model, request, bytes);
}
