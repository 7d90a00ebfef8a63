// SPDX-License-Identifier: MIT
// hunyuan-reso table: the buckets of a group, as a list, as a picture or in the forms that trainers read.
#include <memory>

#include "bucket_export.hpp"
#include "buckets.hpp"
#include "commands.hpp"

namespace hunyuan_reso::cli {
namespace {

/// A bound of a bucket: null at the ends.
Cell bound(Resolution size, const char* end) {
  return size.is_positive() ? Cell{size.ratio(), fixed(size.ratio(), 5)} : Cell{nullptr, end};
}
Cell side_or_null(std::int32_t side) { return side > 0 ? Cell{side} : Cell{nullptr, ""}; }

Table rows_table(const Selection& selection) {
  Table table({{"ratio_index", "bucket"},
               {"size", size_heading(selection.order), Audience::people},
               {"height", "", Audience::programs},
               {"width", "", Audience::programs},
               {"ratio", "h/w"},
               {"pixel_count", "", Audience::programs},
               {"megapixels", "MP"},
               {"image_token_length", "tokens"},
               {"ratio_token_id", "ratio id"},
               {"common_ratio", "w:h", Audience::all, true},
               {"snaps_above_ratio", "takes h/w above"},
               {"snaps_up_to_ratio", "up to"},
               {"snaps_up_to_height", "", Audience::programs},
               {"snaps_up_to_width", "", Audience::programs},
               {"kind", "kind", Audience::all, true},
               {"is_published", "trained", Audience::all, true}});
  for (const Bucket& bucket : buckets_of(selection)) {
    const Preset& row = bucket.preset;
    const std::string takes_none = bucket.is_reachable ? "" : "none";
    table.add({row.ratio_index,
               selection.size(row.size),
               row.size.height,
               row.size.width,
               {row.size.ratio(), fixed(row.size.ratio(), 5)},
               row.pixel_count,
               {row.megapixels(), fixed(row.megapixels(), 2)},
               row.image_token_length,
               id_or_none(row.ratio_token_id),
               name_of(row.common_ratio),
               bound(bucket.snaps_above, bucket.is_reachable ? "0" : "none"),
               bound(bucket.snaps_up_to, bucket.is_reachable ? "any" : "none"),
               side_or_null(bucket.snaps_up_to.height),
               side_or_null(bucket.snaps_up_to.width),
               bucket.is_extra ? "extra" : "generated",
               yes_no(bucket.is_published)});
  }
  return table;
}

std::string notes(const Selection& selection) {
  std::string text =
      "\nA size goes to the bucket whose range holds its height / width; the upper end belongs to the range. w:h is "
      "the\n"
      "nearest common ratio as people say it, width first (~: not exact).\n";
  if (has_extras_out_of_scale(selection)) {
    text +=
        "Extra buckets are absolute: they keep their size at base size " +
        std::to_string(selection.group().base_size()) +
        ", while the buckets around them have another scale\n(--extras scaled shows them scaled; --format svg shows "
        "the picture).\n";
  }
  text += lines_on_unknown_ids(selection.profile());
  return text;
}

int run(const ModelOptions& model_options, const OutputOptions& output) {
  const Selection selection = resolve_selection(model_options);
  const std::string& format = output.format;
  if (format == "svg") {
    output.write(buckets_svg(selection));
    return 0;
  }
  if (is_trainer_form(format)) {
    output.write(trainer_form(selection, format));
    return 0;
  }
  const Table table = rows_table(selection);
  if (format == "csv") {
    output.write(table.csv());
  } else if (format == "json") {
    Json json = selection.json();
    json.erase("grid_mode");
    json["step"] = selection.group().step();
    json["align"] = selection.group().align();
    json["rows"] = table.json();
    output.write(dump(json));
  } else {
    const std::size_t extras = selection.group().size() - selection.generated_rows;
    output.write(selection.title() + ": " + std::to_string(selection.group().size()) + " buckets, " +
                 std::to_string(extras) + " of them extra. " + selection.order_sentence() + "\n\n" + table.text() +
                 notes(selection));
  }
  return 0;
}

}  // namespace

Command add_table(CLI::App& tool) {
  CLI::App& app =
      add_command(tool, "table", "The buckets of a resolution group: a list, a picture, a trainer's form",
                  "  hunyuan-reso table\n"
                  "  hunyuan-reso table --base-size 2048 --format svg --out buckets.svg\n"
                  "  hunyuan-reso table --profile panorama --ratio-token 37=130108 --format csv\n"
                  "  hunyuan-reso table --format buckets\n\n"
                  "Forms for trainers, each in its own order of sides: buckets is height,width;height,width\n"
                  "(diffusers), ar_buckets is [[width, height], ...], toml is a data set file with such a list\n"
                  "(diffusion-pipe).");
  const auto model = std::make_shared<ModelOptions>();
  const auto output = std::make_shared<OutputOptions>();
  model->add_group(app);
  output->add(app, {"text", "json", "csv", "svg", "buckets", "ar_buckets", "toml"});
  return {&app, [model, output] { return run(*model, *output); }};
}

}  // namespace hunyuan_reso::cli
