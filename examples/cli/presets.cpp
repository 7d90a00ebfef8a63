// SPDX-License-Identifier: MIT
// hunyuan-reso presets: the sizes for a drop-down list.
#include <memory>

#include "commands.hpp"
#include "options.hpp"

namespace hunyuan_reso::cli {
namespace {

struct PresetOptions {
  ModelOptions model;
  OutputOptions output;
  std::string orientation;
  bool trained_only = false;
};

int run(const PresetOptions& options) {
  const Selection selection = resolve_selection(options.model);
  Table table({{"size", size_heading(selection.order), Audience::people},
               {"height", "", Audience::programs},
               {"width", "", Audience::programs},
               {"orientation", "orientation", Audience::all, true},
               {"common_ratio", "w:h", Audience::all, true},
               {"common_ratio_exact", "", Audience::programs},
               {"megapixels", "MP"},
               {"image_token_length", "tokens"},
               {"ratio_index", "bucket"},
               {"ratio_token_id", "ratio id"},
               {"size_token_id", "size id"},
               {"trained", "trained", Audience::all, true}});
  for (const Preset& row : make_presets(selection.model)) {
    const bool trained = row.trained.all();
    if (options.trained_only && !trained) continue;
    if (!options.orientation.empty() && options.orientation != name_of(row.orientation)) continue;
    table.add({selection.size(row.size),
               row.size.height,
               row.size.width,
               name_of(row.orientation),
               {std::string(row.common_ratio.text().view()), name_of(row.common_ratio)},
               row.common_ratio.exact,
               {row.megapixels(), fixed(row.megapixels(), 2)},
               row.image_token_length,
               row.ratio_index,
               id_or_none(row.ratio_token_id),
               id_or_none(size_token_id(selection.profile(), row.base_size)),
               yes_no(trained)});
  }
  if (options.output.format == "csv") {
    options.output.write(table.csv());
  } else if (options.output.format == "json") {
    Json json = selection.json();
    json.erase("grid_mode");
    json["presets"] = table.json();
    options.output.write(dump(json));
  } else {
    options.output.write(selection.title() + ": " + std::to_string(table.size()) + " presets. " +
                         selection.order_sentence() +
                         " w:h is the nearest common ratio, width first (~: not exact).\n\n" + table.text());
  }
  return 0;
}

}  // namespace

Command add_presets(CLI::App& tool) {
  CLI::App& app = add_command(tool, "presets", "The sizes for a drop-down list",
                              "  hunyuan-reso presets\n"
                              "  hunyuan-reso presets --orientation landscape --trained-only --format json");
  const auto options = std::make_shared<PresetOptions>();
  options->model.add_group(app);
  app.add_option("--orientation", options->orientation, "Only landscape, portrait or square sizes")
      ->check(one_of({"landscape", "portrait", "square"}))
      ->type_name("WHICH");
  app.add_flag("--trained-only", options->trained_only, "Only sizes that the checkpoint was trained on");
  options->output.add(app);
  return {&app, [options] { return run(*options); }};
}

}  // namespace hunyuan_reso::cli
