// SPDX-License-Identifier: MIT
#include "enlargement.hpp"

#include <algorithm>
#include <cmath>

#include "failure.hpp"
#include "one_size.hpp"

namespace hunyuan_reso::cli {
namespace {

/// A side, or HEIGHTxWIDTH.
Resolution tile_of(const std::string& text, const Selection& selection) {
  if (!text.empty() && text.find_first_not_of("0123456789") == std::string::npos) {
    const auto side = static_cast<std::int32_t>(read_whole("--tile", text, 1, max_side));
    return {side, side};
  }
  return require_pixels("--tile", text, selection.profile(), selection.order);
}

/// The option that an error of plan_enlargement is about.
std::string place_of(const Target& target, Errc error) {
  switch (error) {
    case Errc::tiles_not_aligned:
    case Errc::overlap_not_below_tile:
    case Errc::too_many_tiles:
      return "--target " + spelled(target.wish) + ", --tile and --overlap";
    case Errc::strength_out_of_range:
      return "--strength";
    default:
      return "--target " + spelled(target.wish);
  }
}

}  // namespace

const char* name_of(TileProfile profile) { return profile == TileProfile::linear ? "linear" : "cosine"; }

void RefinementOptions::add_tiles(CLI::App& app) {
  tile_option = app.add_option("--tile", tile, "Tiles: a side, or HEIGHTxWIDTH (default: the trained side, 1024)")
                    ->type_name("PIXELS");
  overlap.add(app, "--overlap", "Least overlap of neighbouring tiles (default: a quarter of a tile, 256)", "PIXELS");
  weights_option =
      app.add_option("--weights", weights,
                     "How a tile's weight rises from its edge over the overlap: cosine (default) or linear")
          ->check(one_of({"cosine", "linear"}))
          ->type_name("SHAPE");
}

void RefinementOptions::add(CLI::App& app) {
  add_tiles(app);
  strength.add(app, "--strength", "Share of the schedule that the refinement runs, above 0, at most 1 (default: 0.35)",
               "SHARE");
  tiles_at_once.add(app, "--tiles-at-once", "Tiles in one call of the model, at most (default: 1)", "COUNT");
  teraflops.add(app, "--tflops", "What the device reaches, in TFLOP/s as measured: for the seconds", "RATE");
  decode_rate.add(app, "--decode-rate", "Megapixels that the image decoder makes in a second, likewise", "RATE");
  encode_rate.add(app, "--encode-rate", "Megapixels that the image encoder reads in a second, likewise", "RATE");
}

const char* RefinementOptions::given() const {
  if (tile_option != nullptr && tile_option->count() > 0) return "--tile";
  if (weights_option != nullptr && weights_option->count() > 0) return "--weights";
  const struct {
    const NumberOption& option;
    const char* name;
  } numbers[] = {{overlap, "--overlap"},  {strength, "--strength"},       {tiles_at_once, "--tiles-at-once"},
                 {teraflops, "--tflops"}, {decode_rate, "--decode-rate"}, {encode_rate, "--encode-rate"}};
  for (const auto& item : numbers) {
    if (item.option.given()) return item.name;
  }
  return nullptr;
}

EnlargementOptions RefinementOptions::resolve(const Selection& selection) const {
  const ModelProfile& profile = selection.profile();
  EnlargementOptions options = EnlargementOptions::of(profile);
  const std::int32_t token = profile.token_pixels_high();
  const auto whole_tokens = [&](const std::string& what) {
    throw Refusal(what + ": expected multiples of " + std::to_string(token) + " pixels, a token's, for tiles");
  };
  if (tile_option != nullptr && tile_option->count() > 0) {
    options.tile = tile_of(tile, selection);
    if (options.tile.height % token != 0 || options.tile.width % token != 0) whole_tokens("--tile " + spelled(tile));
    options.overlap = std::min(options.tile.height, options.tile.width) / 4 / token * token;
  }
  if (overlap.given()) options.overlap = static_cast<std::int32_t>(overlap.whole(0, max_side));
  const std::string overlap_text = "--overlap " + std::to_string(options.overlap);
  if (options.overlap % token != 0) whole_tokens(overlap_text);
  if (options.overlap >= std::min(options.tile.height, options.tile.width)) {
    throw Refusal(overlap_text + ": expected less than a tile's sides, " + selection.size(options.tile));
  }
  options.profile = weights == "linear" ? TileProfile::linear : TileProfile::cosine;
  if (strength.given()) options.strength = strength.decimal(0, 1);
  if (tiles_at_once.given()) options.tiles_at_once = static_cast<std::int32_t>(tiles_at_once.whole(1, max_side));
  constexpr double most = 1e9;
  if (teraflops.given()) options.flop_per_second = 1e12 * teraflops.decimal(0, most);
  if (decode_rate.given()) options.decoded_pixels_per_second = 1e6 * decode_rate.decimal(0, most);
  if (encode_rate.given()) options.encoded_pixels_per_second = 1e6 * encode_rate.decimal(0, most);
  return options;
}

double Enlargement::cut_share() const { return std::max(0.0, 1 - plan.kept_share); }

Resolution capped(const ModelProfile& profile, Resolution size, std::int64_t most_pixels) {
  if (size.pixel_count() <= most_pixels) return size;
  const double scale = std::sqrt(static_cast<double>(most_pixels) / static_cast<double>(size.pixel_count()));
  const auto whole_tokens = [](double side, std::int32_t token) {
    return std::max(token, static_cast<std::int32_t>(side / token) * token);
  };
  Resolution result{whole_tokens(size.height * scale, profile.token_pixels_high()),
                    whole_tokens(size.width * scale, profile.token_pixels_wide())};
  // A side of one token may leave the other one too long.
  if (result.pixel_count() > most_pixels) {
    std::int32_t& longer = result.height > result.width ? result.height : result.width;
    const std::int32_t shorter = std::min(result.height, result.width);
    longer = whole_tokens(static_cast<double>(most_pixels) / shorter,
                          result.height > result.width ? profile.token_pixels_high() : profile.token_pixels_wide());
  }
  return result;
}

Enlargement enlarge(const Selection& selection, const Model& model, const GenerationRequest& request,
                    const Target& target, const EnlargementOptions& options, std::int64_t most_pixels) {
  Enlargement result;
  result.target = target;
  result.options = options;
  if (most_pixels > 0) result.target.size = capped(selection.profile(), target.size, most_pixels);
  const Result<EnlargementPlan> plan = plan_enlargement(model, request, result.target.size, options);
  if (!plan) throw Refusal(place_of(target, plan.error()) + ": " + reason_of(plan.error(), selection.order));
  result.plan = *plan;
  return result;
}

std::string pair_text(SideOrder order, std::int64_t height, std::int64_t width) {
  const bool width_first = order == SideOrder::width_height;
  return std::to_string(width_first ? width : height) + "x" + std::to_string(width_first ? height : width);
}

std::string enlargement_sentence(const Selection& selection, const Enlargement& e) {
  const EnlargementPlan& plan = e.plan;
  const ImageInfo& image = plan.generation.image;
  std::string text = selection.size(e.target.size) + " (" + size_heading(selection.order) + ", " +
                     megapixels_text(e.target.size.pixel_count()) + ")";
  if (!e.target.meaning.empty()) text += "; " + e.target.wish + " means " + e.target.meaning;
  text += ". Generate bucket " + std::to_string(image.ratio_index) + ", " + selection.size(image.image_size()) +
          ", at base size " + std::to_string(image.base_size);
  if (plan.finished != image.image_size()) {
    text += " (its edges are blended into one another, which leaves " + selection.size(plan.finished) + ")";
  }
  text += std::string(", ") + (plan.scale < 1 ? "shrink" : "enlarge") + " it " + fixed(plan.scale, 3) + " times to " +
          pair_text(selection.order, plan.enlarged.resized_height, plan.enlarged.resized_width);
  if (plan.is_refined) {
    text += ", refine " + selection.size(plan.canvas) + " of that in " + std::to_string(plan.tiles.rows()) + "x" +
            std::to_string(plan.tiles.columns()) + " tiles";
  }
  if (e.cut_share() <= 0) return text + "; nothing is cut.";
  return text + " and cut that at the centre, from top " + std::to_string(plan.enlarged.crop_top + plan.crop_top) +
         ", left " + std::to_string(plan.enlarged.crop_left + plan.crop_left) + ": " + fixed(100 * e.cut_share(), 2) +
         " % of the pixels are cut away.";
}

Json enlargement_json(const Enlargement& e) {
  const EnlargementPlan& plan = e.plan;
  const ImageInfo& image = plan.generation.image;
  return {{"wish", e.target.wish},
          {"height", e.target.size.height},
          {"width", e.target.size.width},
          {"generate_height", image.image_height},
          {"generate_width", image.image_width},
          {"base_size", image.base_size},
          {"ratio_index", image.ratio_index},
          {"decoded_height", plan.finished.height},
          {"decoded_width", plan.finished.width},
          {"factor", plan.scale},
          {"resized_height", plan.enlarged.resized_height},
          {"resized_width", plan.enlarged.resized_width},
          {"crop_top", plan.enlarged.crop_top},
          {"crop_left", plan.enlarged.crop_left},
          {"cropped_share", e.cut_share()},
          {"canvas_height", plan.canvas.height},
          {"canvas_width", plan.canvas.width},
          {"target_top", plan.crop_top},
          {"target_left", plan.crop_left},
          {"wrap_columns", plan.wrap_columns},
          {"is_refined", plan.is_refined},
          {"tile_rows", plan.is_refined ? plan.tiles.rows() : 0},
          {"tile_columns", plan.is_refined ? plan.tiles.columns() : 0},
          {"model_calls", plan.model_calls}};
}

}  // namespace hunyuan_reso::cli
