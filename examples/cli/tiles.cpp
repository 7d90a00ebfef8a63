// SPDX-License-Identifier: MIT
// hunyuan-reso tiles: a canvas in overlapping tiles, for refining or decoding it piece by piece.
#include <memory>

#include "commands.hpp"
#include "enlargement.hpp"
#include "failure.hpp"
#include "tiles_report.hpp"

namespace hunyuan_reso::cli {
namespace {

struct TilesOptions {
  ModelOptions model;
  OutputOptions output;
  RefinementOptions refinement;
  std::string size;
};

TiledCanvas canvas_of(const TilesOptions& options, const Selection& selection) {
  const ModelProfile& profile = selection.profile();
  const EnlargementOptions resolved = options.refinement.resolve(selection);
  TiledCanvas canvas;
  canvas.target = require_target("SIZE", options.size, usual_ratio, selection);
  canvas.overlap = resolved.overlap;
  const Resolution size = canvas.target.size;
  const std::int64_t height = detail::up_to_multiple(size.height, profile.token_pixels_high());
  const std::int64_t width = detail::up_to_multiple(size.width, profile.token_pixels_wide());
  const auto refuse = [&](const std::string& reason) { throw Refusal("'" + spelled(options.size) + "': " + reason); };
  if (height > max_side || width > max_side) refuse(reason_of(Errc::target_too_large, selection.order));
  const Resolution whole{static_cast<std::int32_t>(height), static_cast<std::int32_t>(width)};
  canvas.crop_top = (whole.height - size.height) / 2;
  canvas.crop_left = (whole.width - size.width) / 2;
  const Result<TileLayout> layout =
      TileLayout::create(whole, resolved.tile, resolved.overlap, profile.token_pixels_high(), resolved.profile);
  if (!layout) refuse(reason_of(layout.error(), selection.order));
  canvas.layout = *layout;
  return canvas;
}

int run(const TilesOptions& options) {
  const Selection selection = resolve_selection(options.model);
  const TiledCanvas canvas = canvas_of(options, selection);
  const std::string& format = options.output.format;
  if (format != "text" && canvas.layout.size() > most_listed_tiles) {
    throw Refusal("'" + spelled(options.size) + "': " + std::to_string(canvas.layout.size()) +
                  " tiles are too many to list or draw, at most " + std::to_string(most_listed_tiles) +
                  ": use larger tiles (--tile) or a smaller overlap");
  }
  if (format == "json") {
    Json json = {{"profile", selection.profile().name}, {"order", name_of(selection.order)}};
    json["target"] = {{"wish", canvas.target.wish},
                      {"height", canvas.target.size.height},
                      {"width", canvas.target.size.width},
                      {"top", canvas.crop_top},
                      {"left", canvas.crop_left}};
    json.update(tiles_json(canvas.layout, canvas.overlap));
    options.output.write(dump(json));
  } else {
    options.output.write(format == "svg" ? tiles_svg(selection, canvas) : tiles_text(selection, canvas));
  }
  return exit_success;
}

}  // namespace

Command add_tiles(CLI::App& tool) {
  CLI::App& app = add_command(tool, "tiles", "A canvas in overlapping tiles, and how they are weighted",
                              "  hunyuan-reso tiles 2160x3840\n"
                              "  hunyuan-reso tiles 2160x3840 --tile 1024 --overlap 256 --format json\n"
                              "  hunyuan-reso tiles 1440p --format svg --out tiles.svg");
  const auto options = std::make_shared<TilesOptions>();
  options->model.add_profile(app);
  app.add_option("size", options->size,
                 std::string("The picture: HEIGHTxWIDTH (see --order), or a name of 16:9. ") + target_names)
      ->required()
      ->type_name("SIZE");
  options->refinement.add_tiles(app);
  options->output.add(app, {"text", "json", "svg"});
  return {&app, [options] { return run(*options); }};
}

}  // namespace hunyuan_reso::cli
