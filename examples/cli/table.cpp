// SPDX-License-Identifier: MIT
// hunyuan-reso table: the rows of a group, as a list or as a picture.
#include <memory>

#include "buckets.hpp"
#include "commands.hpp"

namespace hunyuan_reso::cli {
namespace {

/// A bound of a bucket: null at the ends.
Cell bound(Resolution size, const char* end) {
  return size.is_positive() ? Cell{size.ratio(), fixed(size.ratio(), 5)} : Cell{nullptr, end};
}
Cell side_or_null(std::int32_t side) { return side > 0 ? Cell{side} : Cell{nullptr, ""}; }

Table rows_table(const Model& model) {
  Table table({{"ratio_index", "row"},
               {"size", "height x width", Audience::people},
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
  for (const Bucket& bucket : buckets_of(model)) {
    const Preset& row = bucket.preset;
    const std::string takes_none = bucket.is_reachable ? "" : "none";
    table.add({row.ratio_index,
               size_text(row.size),
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

std::string notes(const Model& model) {
  std::string text =
      "\nA size goes to the row whose range holds its height / width; the upper end belongs to the range. w:h is the\n"
      "nearest common ratio as people say it, width first (~: not exact).\n";
  if (has_extras_out_of_scale(model)) {
    text += "Extra rows are absolute: they keep their size at base size " + std::to_string(model.group.base_size()) +
            ", while the rows around them have another scale\n(--extras scaled shows them scaled; --format svg shows "
            "the picture).\n";
  }
  for (std::size_t i = 0; i < model.profile.ratio_token_count(); ++i) {
    if (!ratio_token_id(model.profile, i)) {
      text += "The id of <img_ratio_" + std::to_string(i) +
              "> is in no published source: supply it with --ratio-token " + std::to_string(i) + "=ID.\n";
    }
  }
  return text;
}

int run(const ModelOptions& model_options, const OutputOptions& output) {
  const Model model = resolve_model(model_options);
  if (output.format == "svg") {
    output.write(buckets_svg(model));
    return 0;
  }
  const Table table = rows_table(model);
  if (output.format == "csv") {
    output.write(table.csv());
  } else if (output.format == "json") {
    Json json = model.json();
    json.erase("grid_mode");
    json["step"] = model.group.step();
    json["align"] = model.group.align();
    json["rows"] = table.json();
    output.write(dump(json));
  } else {
    const std::size_t extras = model.group.size() - model.generated_rows;
    output.write(model.title() + ": " + std::to_string(model.group.size()) + " rows, " + std::to_string(extras) +
                 " of them extra. Sizes are height x width in pixels.\n\n" + table.text() + notes(model));
  }
  return 0;
}

}  // namespace

Command add_table(CLI::App& tool) {
  CLI::App& app = add_command(tool, "table", "The rows of a resolution group, as a list or as a picture",
                              "  hunyuan-reso table\n"
                              "  hunyuan-reso table --base-size 2048 --format svg --out buckets.svg\n"
                              "  hunyuan-reso table --profile panorama --ratio-token 37=130108 --format csv");
  const auto model = std::make_shared<ModelOptions>();
  const auto output = std::make_shared<OutputOptions>();
  model->add_group(app);
  output->add(app, {"text", "json", "csv", "svg"});
  return {&app, [model, output] { return run(*model, *output); }};
}

}  // namespace hunyuan_reso::cli
