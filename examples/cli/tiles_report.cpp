// SPDX-License-Identifier: MIT
#include "tiles_report.hpp"

#include "enlargement.hpp"

namespace hunyuan_reso::cli {
namespace {

/// "0, 576, 1136"; of many the first and the last ones.
std::string starts_text(std::int32_t count, std::int32_t (*start)(const TileLayout&, std::int32_t),
                        const TileLayout& layout) {
  std::string text;
  for (std::int32_t i = 0; i < count; ++i) {
    if (count > 24 && i == 12) {
      text += ", ..";
      i = count - 6;
    }
    text += (text.empty() ? "" : ", ") + std::to_string(start(layout, i));
  }
  return text;
}

}  // namespace

std::string tiles_sentence(const Selection& selection, const TileLayout& layout, std::int32_t overlap) {
  if (layout.size() == 1) return "one tile of " + selection.size(layout.tile_size()) + ", the whole canvas";
  const Resolution reached = layout.overlap_reached();
  return std::to_string(layout.size()) + " tiles of " + selection.size(layout.tile_size()) + " in " +
         std::to_string(layout.rows()) + (layout.rows() == 1 ? " row of " : " rows of ") +
         std::to_string(layout.columns()) + "; overlap asked for " + std::to_string(overlap) + ", reached at least " +
         std::to_string(reached.height) + " between rows and " + std::to_string(reached.width) +
         " between columns (0: one tile); " + name_of(layout.profile()) + " weights";
}

Json tiles_json(const TileLayout& layout, std::int32_t overlap) {
  Json json;
  json["canvas"] = size_json(layout.canvas());
  json["tile"] = size_json(layout.tile_size());
  json["overlap"] = overlap;
  json["overlap_reached"] = size_json(layout.overlap_reached());
  json["weights_profile"] = name_of(layout.profile());
  json["align"] = layout.align();
  json["rows"] = layout.rows();
  json["columns"] = layout.columns();
  json["tiles"] = Json::array();
  for (std::int32_t i = 0; i < layout.size(); ++i) {
    const Tile tile = layout[i];
    json["tiles"].push_back({{"top", tile.top}, {"left", tile.left}, {"height", tile.height}, {"width", tile.width}});
  }
  return json;
}

std::string tiles_text(const Selection& selection, const TiledCanvas& canvas) {
  const TileLayout& layout = canvas.layout;
  const Resolution wished = canvas.target.size;
  std::string text = selection.size(wished) + " (" + size_heading(selection.order) + ", " +
                     megapixels_text(wished.pixel_count()) + ")";
  if (!canvas.target.meaning.empty()) text += "; " + canvas.target.wish + " means " + canvas.target.meaning;
  text = wrapped("", text + ".", 0);
  const auto line = [&text](const char* label, const std::string& value) {
    const std::string first = "  " + std::string(label) + std::string(10 - std::string_view(label).size(), ' ');
    text += wrapped(first, value, first.size());
  };
  std::string canvas_text = selection.size(layout.canvas());
  if (layout.canvas() != wished) {
    canvas_text += ", up to whole tokens of " + std::to_string(layout.align()) + " pixels; the picture lies at top " +
                   std::to_string(canvas.crop_top) + ", left " + std::to_string(canvas.crop_left);
  }
  line("canvas", canvas_text);
  line("tiles", tiles_sentence(selection, layout, canvas.overlap));
  line("tops", starts_text(
                   layout.rows(),
                   [](const TileLayout& tiles, std::int32_t i) { return tiles[i * tiles.columns()].top; }, layout));
  line("lefts", starts_text(
                    layout.columns(), [](const TileLayout& tiles, std::int32_t i) { return tiles[i].left; }, layout));
  return text;
}

}  // namespace hunyuan_reso::cli
