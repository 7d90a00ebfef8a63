// SPDX-License-Identifier: MIT
// hunyuan-reso explain: which size a request gives, and why.
#include <memory>

#include "commands.hpp"
#include "explanation.hpp"
#include "failure.hpp"
#include "one_size.hpp"

namespace hunyuan_reso::cli {
namespace {

struct ExplainOptions {
  ModelOptions model;
  OutputOptions output;
  std::string request;
  std::vector<std::string> conditioning;
  std::string target;
  NumberOption most_pixels;
};

constexpr std::size_t indent = 11;
std::string paragraph(const std::string& title, const std::string& text) {
  return wrapped(title + std::string(indent - title.size(), ' '), text, indent);
}

std::string untrained_parts(const TrainedFlags& trained) {
  std::string parts;
  const auto add = [&](bool is_trained, const char* part) {
    if (!is_trained) parts += (parts.empty() ? "no: " : ", ") + std::string(part);
  };
  add(trained.base_size, "base size");
  add(trained.grid, "grid");
  add(trained.ratio_token, "ratio token");
  return parts.empty() ? "yes" : parts;
}

std::string token_name(const char* family, std::int64_t number, const Result<TokenId>& id) {
  return std::string("<img_") + family + "_" + std::to_string(number) + "> " +
         (id ? "= " + std::to_string(*id) : "without an id");
}

std::string request_sentence(const Selection& selection, const Explanation& explanation) {
  const ImageSize& request = explanation.request;
  const std::string text = request_text(request, selection.profile(), selection.order);
  const std::string orientation = name_of(orientation_of(request.size));
  const std::string ratio = explanation.request_ratio ? fixed(*explanation.request_ratio, 5) : "";
  switch (request.kind) {
    case ImageSizeKind::pixels:
      return text + ": height " + std::to_string(request.size.height) + " px, width " +
             std::to_string(request.size.width) + " px (" + orientation + "), height / width = " + ratio;
    case ImageSizeKind::ratio: {
      const bool width_first = selection.profile().ratio_order == RatioOrder::width_height;
      return text + ": " + (width_first ? "width:height" : "height:width") + " in the profile " +
             selection.profile().name + " (" + orientation + "), height / width = " + ratio;
    }
    default:
      return text + ": the bucket of this number";
  }
}

std::string chosen_sentence(const Selection& selection, const Explanation& explanation) {
  const ImageInfo& info = explanation.info;
  std::string text = selection.size(info.image_size()) + " (" + size_heading(selection.order) + "), " +
                     megapixels_text(info.image_size().pixel_count()) + ", " + std::to_string(info.token_height) + "x" +
                     std::to_string(info.token_width) + " = " + std::to_string(info.image_token_length) + " tokens. ";
  text += info.grid_mode == GridMode::snap ? "It is bucket " : "The request is followed; the nearest bucket is ";
  text += std::to_string(info.ratio_index) + (explanation.is_extra ? ", an extra bucket" : ", a generated bucket");
  return text + ", of " + selection.title() + ".";
}

Table candidates_table(const Selection& selection, const Explanation& explanation) {
  Table table({{"chosen", ""},
               {"ratio_index", "bucket"},
               {"size", size_heading(selection.order), Audience::people},
               {"height", "", Audience::programs},
               {"width", "", Audience::programs},
               {"ratio", "h/w"},
               {"distance", "distance"},
               {"kind", "kind", Audience::all, true}});
  for (const Candidate& candidate : explanation.candidates) {
    const bool chosen = candidate.ratio_index == explanation.info.ratio_index;
    table.add({{chosen, chosen ? ">" : " "},
               candidate.ratio_index,
               selection.size(candidate.size),
               candidate.size.height,
               candidate.size.width,
               {candidate.size.ratio(), fixed(candidate.size.ratio(), 5)},
               {candidate.distance, fixed(candidate.distance, 5)},
               selection.is_extra(candidate.ratio_index) ? "extra" : "generated"});
  }
  return table;
}

Table ways_table(const Selection& selection, const Explanation& explanation) {
  Table table({{"in_force", ""},
               {"way", "way", Audience::all, true},
               {"size", size_heading(selection.order), Audience::people},
               {"height", "", Audience::programs},
               {"width", "", Audience::programs},
               {"megapixels", "MP"},
               {"image_token_length", "tokens"},
               {"ratio_index", "bucket"},
               {"base_size", "size token"},
               {"trained", "", Audience::programs},
               {"trained_text", "trained", Audience::people, true},
               {"refused", "", Audience::programs}});
  for (const Way& way : explanation.ways) {
    const ImageInfo& info = *way.info;
    const Resolution size = info.image_size();
    const bool follows = way.name.compare(0, 6, "follow") == 0;
    const bool needs_pixels = follows && explanation.request.kind != ImageSizeKind::pixels;
    const bool valid = way.info.has_value();
    const double megapixels = static_cast<double>(size.pixel_count()) / 1e6;
    const auto if_valid = [&](Cell cell) { return valid ? std::move(cell) : Cell{nullptr}; };
    table.add({{way.in_force, way.in_force ? ">" : " "},
               {way.name, way.name + (needs_pixels ? " (no pixels given)" : "")},
               if_valid(selection.size(size)),
               if_valid(size.height),
               if_valid(size.width),
               if_valid({megapixels, fixed(megapixels, 2)}),
               if_valid(info.image_token_length),
               if_valid(info.ratio_index),
               if_valid(info.base_size),
               if_valid(info.trained.all()),
               {nullptr, valid ? untrained_parts(info.trained) : reason_of(way.info.error())},
               valid ? Cell{nullptr} : Cell{reason_of(way.info.error())}});
  }
  return table;
}

std::string vit_sentence(const ImageInfo& info) {
  if (!has_vit_run(info.kind)) return "";
  return "; the ViT sees all of it as " + std::to_string(info.vit_token_height) + " rows of " +
         std::to_string(info.vit_token_width) + " tokens, in " + std::to_string(info.vit_token_length) + " slots";
}

std::string crop_sentence(const Selection& selection, const ResizeCrop& crop, Resolution original, Resolution target) {
  const double resized = static_cast<double>(crop.resized_height) * static_cast<double>(crop.resized_width);
  const double lost = 1 - static_cast<double>(target.pixel_count()) / resized;
  const std::string text = selection.size(original) + " is resized to " +
                           pair_text(selection.order, crop.resized_height, crop.resized_width);
  if (lost <= 0) return text + ", and nothing is cropped away";
  return text + " and cut to " + selection.size(target) + " from top " + std::to_string(crop.crop_top) + ", left " +
         std::to_string(crop.crop_left) + " (" + fixed(100 * lost, 2) + " % of the pixels are cropped away)";
}

std::string text_of(const Selection& selection, const Explanation& explanation) {
  const ImageInfo& info = explanation.info;
  std::string out = paragraph("Request", request_sentence(selection, explanation));
  out += paragraph("Result", chosen_sentence(selection, explanation));
  out += paragraph("Tokens", token_name("size", info.base_size, size_token_id(selection.profile(), info.base_size)) +
                                 ", " +
                                 token_name("ratio", static_cast<std::int64_t>(info.ratio_index),
                                            ratio_token_id(selection.profile(), info.ratio_index)));
  out += paragraph("Trained", untrained_parts(info.trained));
  if (!explanation.candidates.empty()) {
    out += "\nThe bucket with the nearest h/w is taken, whatever its area:\n" +
           candidates_table(selection, explanation).text();
  }
  if (explanation.enlargement) {
    out += '\n' + paragraph("Target", enlargement_sentence(selection, *explanation.enlargement));
  }
  if (!explanation.notes.empty()) out += '\n';
  for (const std::string& note : explanation.notes) out += wrapped("* ", note, 2);
  out += "\nSide by side (> is in force):\n" + ways_table(selection, explanation).text();
  if (explanation.request.kind == ImageSizeKind::pixels && explanation.conditioning.empty()) {
    const Resolution row = selection.group()[info.ratio_index];
    const ResizeCrop crop = *resize_and_center_crop(explanation.request.size, row);
    out +=
        '\n' +
        wrapped("", "As a conditioning image, " + crop_sentence(selection, crop, explanation.request.size, row) + ".",
                0);
  }
  for (const ConditioningImage& image : explanation.conditioning) {
    out += '\n' +
           wrapped("",
                   "Conditioning image " + crop_sentence(selection, image.crop, image.size, image.info.image_size()) +
                       ", bucket " + std::to_string(image.info.ratio_index) + vit_sentence(image.info) + ".",
                   0);
  }
  for (const Alignment& alignment : explanation.alignments) {
    const OutputAlignment& result = alignment.result;
    const std::string base_size = std::to_string(alignment.base_size);
    std::string text = "Output alignment with the area " + base_size + "x" + base_size + ": ";
    text += result.resize ? "the output is resized to " + pair_text(selection.order, result.height, result.width) +
                                " to match conditioning image " + std::to_string(result.conditioning_index + 1)
                          : "nothing changes";
    if (alignment.base_size != selection.group().base_size()) {
      text += " (so it goes where the base size override does not reach the alignment step)";
    }
    out += wrapped("", text + ".", 0);
  }
  return out;
}

Json crop_json(const ResizeCrop& crop) {
  return {{"resized_height", crop.resized_height},
          {"resized_width", crop.resized_width},
          {"crop_top", crop.crop_top},
          {"crop_left", crop.crop_left}};
}

Json json_of(const Selection& selection, const Explanation& explanation) {
  static constexpr const char* kinds[] = {"auto", "pixels", "ratio", "ratio_index"};
  static constexpr const char* ties[] = {"none", "exact", "rounded"};
  const ImageInfo& info = explanation.info;
  const ImageSize& request = explanation.request;
  const bool has_pixels = request.kind == ImageSizeKind::pixels;
  const auto optional_id = [](const Result<TokenId>& id) { return id ? Json(*id) : Json(nullptr); };
  Json json = selection.json();
  json["request"] = {{"text", request_text(request, selection.profile(), selection.order)},
                     {"kind", kinds[static_cast<std::size_t>(request.kind)]},
                     {"height", has_pixels ? Json(request.size.height) : Json(nullptr)},
                     {"width", has_pixels ? Json(request.size.width) : Json(nullptr)},
                     {"ratio", explanation.request_ratio ? Json(*explanation.request_ratio) : Json(nullptr)}};
  json["result"] = {{"height", info.image_height},
                    {"width", info.image_width},
                    {"token_height", info.token_height},
                    {"token_width", info.token_width},
                    {"image_token_length", info.image_token_length},
                    {"base_size", info.base_size},
                    {"size_token_id", optional_id(size_token_id(selection.profile(), info.base_size))},
                    {"ratio_index", info.ratio_index},
                    {"ratio_token_id", optional_id(ratio_token_id(selection.profile(), info.ratio_index))},
                    {"kind", explanation.is_extra ? "extra" : "generated"},
                    {"trained", info.trained.all()},
                    {"trained_base_size", info.trained.base_size},
                    {"trained_grid", info.trained.grid},
                    {"trained_ratio_token", info.trained.ratio_token}};
  json["candidates"] = candidates_table(selection, explanation).json();
  json["tie"] = ties[static_cast<std::size_t>(explanation.tie)];
  json["notes"] = explanation.notes;
  json["ways"] = ways_table(selection, explanation).json();
  json["crop"] = has_pixels ? crop_json(*resize_and_center_crop(request.size, selection.group()[info.ratio_index]))
                            : Json(nullptr);
  json["max_pixels"] = explanation.most_pixels > 0 ? Json(explanation.most_pixels) : Json(nullptr);
  json["target"] = explanation.enlargement ? enlargement_json(*explanation.enlargement) : Json(nullptr);
  json["conditioning"] = Json::array();
  for (const ConditioningImage& image : explanation.conditioning) {
    Json entry = {{"height", image.size.height}, {"width", image.size.width}, {"ratio_index", image.info.ratio_index}};
    entry.update(crop_json(image.crop));
    entry["vit_token_height"] = image.info.vit_token_height;
    entry["vit_token_width"] = image.info.vit_token_width;
    entry["vit_token_length"] = image.info.vit_token_length;
    json["conditioning"].push_back(entry);
  }
  json["output_alignment"] = Json::array();
  for (const Alignment& alignment : explanation.alignments) {
    const OutputAlignment& result = alignment.result;
    json["output_alignment"].push_back(
        {{"base_size", alignment.base_size},
         {"resize", result.resize},
         {"height", result.height},
         {"width", result.width},
         {"conditioning_number", result.resize ? Json(result.conditioning_index + 1) : Json(nullptr)}});
  }
  return json;
}

int run(const ExplainOptions& options) {
  const Selection selection = resolve_selection(options.model);
  Question question;
  question.typed = options.request;
  question.request = require_size("", options.request, selection.profile(), selection.order);
  for (const std::string& text : options.conditioning) {
    question.conditioning.push_back(require_pixels("--conditioning", text, selection.profile(), selection.order));
  }
  question.target = options.target;
  if (options.most_pixels.given()) question.most_pixels = options.most_pixels.whole(256, std::int64_t{1} << 40);
  const Explanation explanation = explain_request(selection, question);
  const bool as_json = options.output.format == "json";
  options.output.write(as_json ? dump(json_of(selection, explanation)) : text_of(selection, explanation));
  return exit_success;
}

}  // namespace

Command add_explain(CLI::App& tool) {
  CLI::App& app = add_command(tool, "explain", "Which size a request gives, and why",
                              "  hunyuan-reso explain 4:3 --base-size 2048\n"
                              "  hunyuan-reso explain 1080x1920 --grid-mode follow_request\n"
                              "  hunyuan-reso explain 16:9 --target 4K\n"
                              "  hunyuan-reso explain 3000x4000 --grid-mode follow_request --max-pixels 1048576\n"
                              "  hunyuan-reso explain 1141x919 --base-size 1536 --conditioning 1141x919");
  const auto options = std::make_shared<ExplainOptions>();
  app.add_option("REQUEST", options->request,
                 "HEIGHTxWIDTH (see --order), a ratio A:B in the profile's order, or <img_ratio_i>")
      ->required()
      ->type_name("");
  options->model.add_group(app);
  options->model.add_grid_mode(app);
  app.add_option("--conditioning", options->conditioning, "Size of a conditioning image; may be given several times")
      ->allow_extra_args(false)
      ->type_name("SIZE");
  app.add_option(
         "--target", options->target,
         std::string("Size of the final picture: which trained bucket to generate, how far to enlarge it, which tiles "
                     "refine it,\nwhat is cut (plan --target counts what it costs). HEIGHTxWIDTH, or a name. ") +
             target_names)
      ->check([](const std::string& text) { return text.empty() ? std::string("expected a size") : std::string(); })
      ->type_name("SIZE");
  options->most_pixels.add(app, "--max-pixels", "Scale a request and a target down to at most so many pixels", "COUNT");
  options->output.add(app, {"text", "json"});
  return {&app, [options] { return run(*options); }};
}

}  // namespace hunyuan_reso::cli
