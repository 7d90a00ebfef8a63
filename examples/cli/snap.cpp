// SPDX-License-Identifier: MIT
// hunyuan-reso snap: sizes in, buckets out; a few as arguments, or millions from a list.
#include "snap.hpp"

#include <hunyuan_reso/crop.hpp>
#include <memory>

#include "commands.hpp"
#include "failure.hpp"
#include "output.hpp"
#include "size_list.hpp"

namespace hunyuan_reso::cli {
namespace {

const char* size_kind_name(ImageSizeKind kind) {
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

/// The sizes given as arguments: a table with everything about each.
class ArgumentSnapper {
 public:
  explicit ArgumentSnapper(SnapTask& task)
      : task_(task), has_ids_(!task.buckets.has_own_rows()), has_drops_(task.limits.any()), table_(columns()) {}

  int run() {
    for (const std::string& text : task_.options.sizes) {
      ++number_;
      const std::string refusal = snap(text);
      if (refusal.empty()) continue;
      write_error("hunyuan-reso: " + refusal + '\n');
      task_.statistics.add_refused();
      if (task_.options.strict) return exit_refused;
    }
    task_.statistics.set_lines(number_);
    task_.options.output.write(result());
    task_.write_summary_file();
    const bool has_report = task_.options.batch.given() || task_.options.worst.given();
    if (has_report && !task_.writes_summary() && !task_.options.quiet) write_error(task_.statistics.text());
    return task_.statistics.refused() == 0 ? exit_success : exit_refused;
  }

 private:
  [[nodiscard]] std::vector<Column> columns() const {
    std::vector<Column> list = {{"request", "request"},
                                {"kind", "", Audience::programs},
                                {"request_height", "", Audience::programs},
                                {"request_width", "", Audience::programs},
                                {"request_ratio", "h/w"},
                                {"ratio_index", "bucket"},
                                {"size", size_heading(task_.order()), Audience::people},
                                {"height", "", Audience::programs},
                                {"width", "", Audience::programs},
                                {"common_ratio", "w:h", Audience::all, true},
                                {"megapixels", "MP"},
                                {"image_token_length", "tokens"}};
    if (has_ids_) {
      list.push_back({"ratio_token_id", "ratio id"});
      list.push_back({"base_size", "base size"});
      list.push_back({"trained", "trained", Audience::all, true});
    }
    list.push_back({"resized_height", "", Audience::programs});
    list.push_back({"resized_width", "", Audience::programs});
    list.push_back({"crop_top", "", Audience::programs});
    list.push_back({"crop_left", "", Audience::programs});
    list.push_back({"cropped_share", "cropped"});
    if (has_drops_) {
      list.push_back({"dropped", "", Audience::programs});
      list.push_back({"reason", "dropped", Audience::all, true});
    }
    return list;
  }

  /// Empty, or why it was refused.
  std::string snap(const std::string& text) {
    const Selection& selection = task_.buckets.selection();
    const Result<ImageSize> requested = parse_size(text, selection.profile(), task_.order());
    std::size_t position = requested.position();
    std::string reason = requested ? "" : size_refusal(text, requested, task_.order());
    Result<Place> place = Errc::no_value;
    if (requested) place = task_.buckets.place(*requested);
    if (requested && !place) {
      position = place.position();
      reason = task_.buckets.reason(place.error());
    }
    if (!place) {
      refused_.push_back({{"request", text}, {"byte", position + 1}, {"reason", reason}});
      return point_at("", text, position, reason);
    }
    const std::string doubt = size_doubt(text, *requested, task_.order());
    if (!doubt.empty()) write_error("hunyuan-reso: '" + spelled(text) + "': " + doubt + '\n');

    const Resolution size = requested->size;
    const bool has_pixels = requested->kind == ImageSizeKind::pixels;
    const std::size_t bucket = task_.statistics.bucket_of(*place);
    CropLoss loss;
    if (has_pixels) loss = CropTarget(place->size).loss(size);
    const Drop drop = has_pixels ? task_.limits.check(size, loss) : Drop::none;
    if (drop != Drop::none) {
      task_.statistics.add_dropped(drop);
    } else if (has_pixels) {
      task_.statistics.add(bucket, size, loss, number_, text);
    } else {
      task_.statistics.add(bucket, number_, text);
    }
    add_row(*requested, *place, loss, drop);
    const bool was_cut = task_.buckets.follows_requests() && has_pixels && place->size != size &&
                         place->size.height <= size.height && place->size.width <= size.width;
    if (was_cut) {
      notes_ += "Cut to whole tokens: " + size_text(size, task_.order()) + " became " +
                size_text(place->size, task_.order()) + ".\n";
    }
    return "";
  }

  void add_row(const ImageSize& requested, const Place& place, const CropLoss& loss, Drop drop) {
    const Selection& selection = task_.buckets.selection();
    const bool has_pixels = requested.kind == ImageSizeKind::pixels;
    const bool has_ratio = requested.size.is_positive();
    const ResizeCrop crop = has_pixels ? *resize_and_center_crop(requested.size, place.size) : ResizeCrop{};
    const auto of_crop = [&](std::int64_t value) { return has_pixels ? Cell{value} : Cell{nullptr}; };
    const double ratio = requested.size.ratio();
    const double megapixels = static_cast<double>(place.size.pixel_count()) / 1e6;
    const std::string canonical(format_image_size(requested, selection.profile()).view());
    std::vector<Cell> row = {
        Cell{canonical, has_pixels ? size_text(requested.size, task_.order()) : canonical},
        size_kind_name(requested.kind),
        positive_or_null(has_pixels ? requested.size.height : 0),
        positive_or_null(has_pixels ? requested.size.width : 0),
        has_ratio ? Cell{ratio, fixed(ratio, 5)} : Cell{nullptr},
        place.ratio_index,
        size_text(place.size, task_.order()),
        place.size.height,
        place.size.width,
        name_of(nearest_common_ratio(place.size)),
        {megapixels, fixed(megapixels, 2)},
        place.image_token_length,
    };
    if (has_ids_) {
      const Result<ImageInfo> info = build_gen_image_info(selection.model, requested, selection.grid_mode);
      row.push_back(id_or_none(task_.buckets.ratio_token_id(place.ratio_index)));
      row.emplace_back(place.base_size);
      row.push_back(yes_no(info->trained.all()));
    }
    row.push_back(of_crop(crop.resized_height));
    row.push_back(of_crop(crop.resized_width));
    row.push_back(of_crop(crop.crop_top));
    row.push_back(of_crop(crop.crop_left));
    row.push_back(has_pixels ? Cell{loss.share, fixed(100 * loss.share, 2) + " %"} : Cell{nullptr});
    if (has_drops_) {
      const bool dropped = drop != Drop::none;
      row.push_back(dropped ? Cell{std::string(name_of(drop))} : Cell{nullptr});
      row.push_back(dropped ? Cell{task_.limits.reason(drop, requested.size, loss)} : Cell{nullptr});
    }
    table_.add(std::move(row));
  }

  [[nodiscard]] std::string result() const {
    if (task_.writes_summary()) return task_.summary_text();
    if (task_.options.output.format == "csv") return table_.csv();
    if (task_.options.output.format == "json") {
      Json json = task_.buckets.json();
      json["sizes"] = table_.json();
      json["refused"] = refused_;
      return dump(json);
    }
    if (table_.size() == 0) return "";
    const Selection& selection = task_.buckets.selection();
    std::string title = task_.buckets.title();
    if (has_ids_) title += ", grid mode " + std::string(name_of(selection.grid_mode));
    return title + ". " + selection.order_sentence() + "\n\n" + table_.text() + notes_;
  }

  SnapTask& task_;
  bool has_ids_;
  bool has_drops_;
  Table table_;
  Json refused_ = Json::array();
  std::string notes_;
  std::uint64_t number_ = 0;
};

Buckets resolve_buckets(const SnapOptions& options) {
  const Selection selection = resolve_selection(options.model);
  if (options.rows.empty()) return Buckets(selection);
  const char* other = nullptr;
  if (options.model.base_size.given()) other = "--base-size";
  if (options.model.extras != "absolute") other = "--extras";
  if (options.model.grid_mode != "snap") other = "--grid-mode";
  if (other != nullptr)
    throw UsageError("snap: --rows takes the place of a model's rows, so it goes without " + std::string(other));
  return {selection, options.rows};
}

std::uint64_t count_of(const NumberOption& option, std::int64_t most) {
  return option.given() ? static_cast<std::uint64_t>(option.whole(1, most)) : 0;
}

int run(const SnapOptions& options) {
  bool has_dash = false;
  for (const std::string& size : options.sizes) has_dash = has_dash || size == "-";
  if (options.from.empty() && has_dash && options.sizes.size() != 1) {
    throw UsageError("snap: '-' (standard input) goes alone, without other sizes");
  }
  if (!options.from.empty() && options.sizes.size() != 1) {
    throw UsageError("snap: --from " + options.from +
                     " takes one list, a file or - for standard input; `merge` joins the summaries of several");
  }
  const bool has_columns = !options.from.empty() && options.from != "sizes" && options.from != "identify";
  if (!options.columns.empty() && !has_columns) {
    throw UsageError("snap: --columns is for --from csv, tsv, jsonl and exiftool");
  }
  if (options.summary_json && options.output.format == "csv") {
    throw UsageError("snap: --summary-json is a form of its own, so it goes without --format csv");
  }
  if (is_same_output(options.output.path, options.summary_path)) {
    throw UsageError("snap: --out and --summary-out name the same file");
  }
  SnapTask task(options);
  if (has_dash || !options.from.empty()) return snap_list(task, options.sizes[0]);
  return ArgumentSnapper(task).run();
}

}  // namespace

SnapTask::SnapTask(const SnapOptions& given)
    : options(given),
      buckets(resolve_buckets(given)),
      limits(given.filters.resolve()),
      statistics(buckets, limits, count_of(given.batch, 1000000), count_of(given.worst, 1000000)) {}

std::string SnapTask::summary_text() const {
  if (options.summary_json) return dump(statistics.mergeable());
  if (options.output.format == "csv") return statistics.csv();
  return options.output.format == "json" ? dump(statistics.json()) : statistics.text();
}

void SnapTask::write_summary_file() const {
  if (options.summary_path.empty()) return;
  Output output(options.summary_path);
  output.write(dump(statistics.mergeable()));
  output.finish();
}

Command add_snap(CLI::App& tool) {
  CLI::App& app = add_command(
      tool, "snap", "The bucket for each size; --from reads a list with names, '-' sizes from standard input",
      "  hunyuan-reso snap 1080x1920 16:9 2.39:1 '<img_ratio_3>'\n"
      "  hunyuan-reso snap - --order wh --format csv --out rows.csv < widths_and_heights.txt\n"
      "  exiftool -csv -ImageWidth -ImageHeight -Orientation -n -r photos | hunyuan-reso snap --from exiftool -\n"
      "  hunyuan-reso snap --from csv list.csv --summary --batch 8 --worst 20 --min-side 512 --max-crop 25\n\n"
      "A size is HEIGHTxWIDTH in pixels (--order wh: WIDTHxHEIGHT; also with *, a comma or blanks between the\n"
      "numbers), a ratio A:B in the profile's order, or <img_ratio_i>. Lists in other formats say themselves\n"
      "which side is which, by the names of their columns. What cannot be read is reported with its line and its\n"
      "name, and the rest goes on. A list ends with a histogram and crop statistics on standard error.");
  const auto options = std::make_shared<SnapOptions>();
  std::vector<std::string> formats = named_list_formats();
  formats.insert(formats.begin(), "sizes");
  app.add_option("SIZE", options->sizes, "Sizes, or - for a list on standard input; with --from, the list")
      ->required()
      ->transform(as_typed())
      ->type_name("");
  app.add_option("--from", options->from,
                 "Read a list: sizes (a size a line), csv, tsv, jsonl, identify (ImageMagick) or exiftool\n"
                 "(-csv, -j or -T)")
      ->check(one_of(formats))
      ->type_name("FORMAT");
  app.add_option("--columns", options->columns,
                 "Columns of a list, by number or by name: name=2,width=4,height=5 (and orientation)")
      ->type_name("LIST");
  app.add_flag("--ignore-orientation", options->ignore_orientation,
               "Take the sides as they are stored, whatever the list says of the orientation");
  options->model.add_group(app);
  options->model.add_grid_mode(app);
  app.add_option("--rows", options->rows, "Buckets of one's own: HxW,HxW,... or a file (a size a line, or JSON)")
      ->type_name("LIST");
  options->filters.add(app);
  app.add_flag("--crop", options->crop, "For a list: columns with the resized size, the crop and what it cuts off");
  options->worst.add(app, "--worst", "Name the pictures that lose most, in the summary", "N");
  options->batch.add(app, "--batch", "Count batches of N images and name what is left over, in the summary", "N");
  app.add_flag("--summary", options->summary, "Write the histogram and the reports instead of the rows");
  app.add_flag("--summary-json", options->summary_json, "The same as JSON that `merge` joins with that of other lists");
  app.add_option("--summary-out", options->summary_path, "Write that JSON to a file, beside the rows")
      ->type_name("FILE");
  app.add_flag("--quiet", options->quiet, "No summary and no progress on standard error");
  app.add_flag("--strict", options->strict, "Stop at the first refused size");
  options->output.add(app);
  return {&app, [options] { return run(*options); }};
}

}  // namespace hunyuan_reso::cli
