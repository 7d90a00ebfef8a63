// SPDX-License-Identifier: MIT
// hunyuan-reso snap: sizes in, rows out; a few as arguments, or millions from standard input.
#include "snap.hpp"

#include <hunyuan_reso/crop.hpp>
#include <memory>

#include "commands.hpp"
#include "failure.hpp"
#include "output.hpp"

namespace hunyuan_reso::cli {
namespace {

const char* name_of(ImageSizeKind kind) {
  switch (kind) {
    case ImageSizeKind::pixels:
      return "pixels";
    case ImageSizeKind::ratio:
      return "ratio";
    case ImageSizeKind::ratio_index:
      return "ratio_index";
    case ImageSizeKind::automatic:
      break;
  }
  return "auto";
}

Cell positive_or_null(std::int32_t side) { return side > 0 ? Cell{side} : Cell{nullptr}; }

/// The share of the pixels that a crop takes away.
double cropped_share(const ResizeCrop& crop, Resolution target) {
  const double resized = static_cast<double>(crop.resized_height) * static_cast<double>(crop.resized_width);
  const double kept = static_cast<double>(target.pixel_count());
  return resized > kept ? 1 - kept / resized : 0;
}

Table arguments_table() {
  return Table({{"request", "request"},
                {"kind", "", Audience::programs},
                {"request_height", "", Audience::programs},
                {"request_width", "", Audience::programs},
                {"request_ratio", "h/w"},
                {"ratio_index", "row"},
                {"size", "height x width", Audience::people},
                {"height", "", Audience::programs},
                {"width", "", Audience::programs},
                {"common_ratio", "w:h", Audience::all, true},
                {"megapixels", "MP"},
                {"image_token_length", "tokens"},
                {"ratio_token_id", "ratio id"},
                {"base_size", "base size"},
                {"trained", "trained", Audience::all, true},
                {"resized_height", "", Audience::programs},
                {"resized_width", "", Audience::programs},
                {"crop_top", "", Audience::programs},
                {"crop_left", "", Audience::programs},
                {"cropped_share", "cropped"}});
}

void add_argument(Table& table, const Model& model, const ImageSize& requested, const ImageInfo& info) {
  const Resolution size = info.image_size();
  const bool has_pixels = requested.kind == ImageSizeKind::pixels;
  const bool has_ratio = requested.size.is_positive();
  const ResizeCrop crop = has_pixels ? *resize_and_center_crop(requested.size, size) : ResizeCrop{};
  const auto of_crop = [&](std::int64_t value) { return has_pixels ? Cell{value} : Cell{nullptr}; };
  const double share = cropped_share(crop, size);
  const double ratio = requested.size.ratio();
  const double megapixels = static_cast<double>(size.pixel_count()) / 1e6;
  table.add({std::string(format_image_size(requested, model.profile).view()),
             name_of(requested.kind),
             positive_or_null(has_pixels ? requested.size.height : 0),
             positive_or_null(has_pixels ? requested.size.width : 0),
             has_ratio ? Cell{ratio, fixed(ratio, 5)} : Cell{nullptr},
             info.ratio_index,
             size_text(size),
             size.height,
             size.width,
             cli::name_of(nearest_common_ratio(size)),
             {megapixels, fixed(megapixels, 2)},
             info.image_token_length,
             id_or_none(ratio_token_id_or_invalid(model.profile, info.ratio_index)),
             info.base_size,
             yes_no(info.trained.all()),
             of_crop(crop.resized_height),
             of_crop(crop.resized_width),
             of_crop(crop.crop_top),
             of_crop(crop.crop_left),
             has_pixels ? Cell{share, fixed(100 * share, 2) + " %"} : Cell{nullptr}});
}

/// The sizes given as arguments: a table with everything about each.
int snap_arguments(const SnapOptions& options, const Model& model) {
  Table table = arguments_table();
  SnapStatistics statistics(model);
  Json refused = Json::array();
  std::uint64_t number = 0;
  for (const std::string& text : options.sizes) {
    ++number;
    const Result<ImageSize> requested = parse_size(text, model.profile, options.side_order());
    Result<ImageInfo> info(requested.error(), requested.position());
    if (requested) info = build_gen_image_info(*requested, model.profile, model.group, model.grid_mode);
    if (!info) {
      write_error("hunyuan-reso: " + point_at("", text, info.position(), message(info.error())) + '\n');
      statistics.add_refused();
      refused.push_back({{"request", text}, {"byte", info.position() + 1}, {"reason", message(info.error())}});
      if (options.strict) return exit_refused;
      continue;
    }
    add_argument(table, model, *requested, *info);
    if (requested->kind == ImageSizeKind::pixels) {
      statistics.add(info->ratio_index, requested->size, CropTarget(info->image_size()), number);
    } else {
      statistics.add(info->ratio_index);
    }
  }
  if (options.summary) {
    options.output.write(options.summary_text(statistics));
  } else if (options.output.format == "csv") {
    options.output.write(table.csv());
  } else if (options.output.format == "json") {
    Json json = model.json();
    json["sizes"] = table.json();
    json["refused"] = refused;
    options.output.write(dump(json));
  } else if (table.size() > 0) {
    options.output.write(model.title() + ", grid mode " + cli::name_of(model.grid_mode) +
                         ". Sizes are height x width in pixels.\n\n" + table.text());
  }
  return statistics.refused() == 0 ? exit_success : exit_refused;
}

int run(const SnapOptions& options) {
  const Model model = resolve_model(options.model);
  bool from_input = false;
  for (const std::string& size : options.sizes) from_input = from_input || size == "-";
  if (!from_input) return snap_arguments(options, model);
  if (options.sizes.size() != 1) throw UsageError("snap: '-' (standard input) goes alone, without other sizes");
  return snap_input(options, model);
}

}  // namespace

SideOrder SnapOptions::side_order() const { return order == "wh" ? SideOrder::width_height : SideOrder::height_width; }

std::string SnapOptions::summary_text(const SnapStatistics& statistics) const {
  if (output.format == "csv") return statistics.csv();
  return output.format == "json" ? dump(statistics.json()) : statistics.text();
}

Command add_snap(CLI::App& tool) {
  CLI::App& app = add_command(
      tool, "snap", "The row for each size; '-' reads sizes from standard input, a line each",
      "  hunyuan-reso snap 1080x1920 16:9 '<img_ratio_3>'\n"
      "  hunyuan-reso snap - --format csv --out rows.csv < sizes.txt\n"
      "  hunyuan-reso snap - --order wh --summary < widths_and_heights.txt\n\n"
      "A size is HEIGHTxWIDTH (x, X, the sign U+00D7, a comma, a blank or a tab between the numbers), a\n"
      "ratio A:B in the profile's order, or <img_ratio_i>. In a list, blank lines and lines that start with\n"
      "# are skipped, a refused line is reported and the rest goes on. A list ends with a histogram of the\n"
      "rows and crop statistics on standard error.");
  const auto options = std::make_shared<SnapOptions>();
  app.add_option("SIZE", options->sizes, "Sizes, or - for standard input")->required()->type_name("");
  options->model.add_group(app);
  options->model.add_grid_mode(app);
  app.add_option("--order", options->order, "Sides of AxB: hw (height first, upstream's order) or wh (default: hw)")
      ->check(CLI::IsMember({"hw", "wh"}).description(""))
      ->type_name("ORDER");
  app.add_flag("--crop", options->crop, "For a list: columns with the resized size and the crop offsets");
  app.add_flag("--summary", options->summary, "Write the histogram and the crop statistics instead of the rows");
  app.add_flag("--quiet", options->quiet, "No summary and no progress on standard error");
  app.add_flag("--strict", options->strict, "Stop at the first refused size");
  options->output.add(app);
  return {&app, [options] { return run(*options); }};
}

}  // namespace hunyuan_reso::cli
