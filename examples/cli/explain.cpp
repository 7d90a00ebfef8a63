// SPDX-License-Identifier: MIT
// hunyuan-reso explain: which size a request gives, and why.
#include <memory>

#include "commands.hpp"
#include "explanation.hpp"
#include "failure.hpp"
#include "size_list.hpp"

namespace hunyuan_reso::cli {
namespace {

struct ExplainOptions {
  ModelOptions model;
  OutputOptions output;
  std::string request;
  std::vector<std::string> conditioning;
};

/// Breaks a text into lines of at most 100 columns, the later ones indented.
std::string wrapped(const std::string& first, const std::string& text, std::size_t indent) {
  std::string out = first;
  std::size_t column = first.size();
  for (std::size_t start = 0; start < text.size();) {
    std::size_t end = text.find(' ', start);
    if (end == std::string::npos) end = text.size();
    if (column + 1 + (end - start) > 100) {
      out += '\n' + std::string(indent, ' ');
      column = indent;
    } else if (start > 0) {
      out += ' ';
      ++column;
    }
    out += text.substr(start, end - start);
    column += end - start;
    start = end + 1;
  }
  return out + '\n';
}

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

std::string token_name(const char* family, std::int64_t number, std::optional<TokenId> id) {
  return std::string("<img_") + family + "_" + std::to_string(number) + "> " +
         (id ? "= " + std::to_string(*id) : "without an id");
}

std::string request_sentence(const Model& model, const Explanation& explanation) {
  const ImageSize& request = explanation.request;
  const std::string text(format_image_size(request, model.profile).view());
  const std::string orientation = name_of(orientation_of(request.size));
  const std::string ratio = explanation.request_ratio ? fixed(*explanation.request_ratio, 5) : "";
  switch (request.kind) {
    case ImageSizeKind::pixels:
      return text + ": height " + std::to_string(request.size.height) + " px, width " +
             std::to_string(request.size.width) + " px (" + orientation + "), height / width = " + ratio;
    case ImageSizeKind::ratio: {
      const bool width_first = model.profile.ratio_order == RatioOrder::width_height;
      return text + ": " + (width_first ? "width:height" : "height:width") + " in the profile " + model.profile.name +
             " (" + orientation + "), height / width = " + ratio;
    }
    default:
      return text + ": the row of this number";
  }
}

std::string chosen_sentence(const Model& model, const Explanation& explanation) {
  const ImageInfo& info = explanation.info;
  std::string text = size_text(info.image_size()) + " (height x width), " +
                     megapixels_text(info.image_size().pixel_count()) + ", " + std::to_string(info.token_height) + "x" +
                     std::to_string(info.token_width) + " = " + std::to_string(info.image_token_length) + " tokens. ";
  text += info.grid_mode == GridMode::snap ? "It is row " : "The request is followed; the nearest row is ";
  text += std::to_string(info.ratio_index) + (explanation.is_extra ? ", an extra row" : ", a generated row");
  return text + ", of " + model.title() + ".";
}

Table candidates_table(const Model& model, const Explanation& explanation) {
  Table table({{"chosen", ""},
               {"ratio_index", "row"},
               {"size", "height x width", Audience::people},
               {"height", "", Audience::programs},
               {"width", "", Audience::programs},
               {"ratio", "h/w"},
               {"distance", "distance"},
               {"kind", "kind", Audience::all, true}});
  for (const Candidate& candidate : explanation.candidates) {
    const bool chosen = candidate.ratio_index == explanation.info.ratio_index;
    table.add({{chosen, chosen ? ">" : " "},
               candidate.ratio_index,
               size_text(candidate.size),
               candidate.size.height,
               candidate.size.width,
               {candidate.size.ratio(), fixed(candidate.size.ratio(), 5)},
               {candidate.distance, fixed(candidate.distance, 5)},
               model.is_extra(candidate.ratio_index) ? "extra" : "generated"});
  }
  return table;
}

Table ways_table(const Explanation& explanation) {
  Table table({{"in_force", ""},
               {"way", "way", Audience::all, true},
               {"size", "height x width", Audience::people},
               {"height", "", Audience::programs},
               {"width", "", Audience::programs},
               {"megapixels", "MP"},
               {"image_token_length", "tokens"},
               {"ratio_index", "row"},
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
               if_valid(size_text(size)),
               if_valid(size.height),
               if_valid(size.width),
               if_valid({megapixels, fixed(megapixels, 2)}),
               if_valid(info.image_token_length),
               if_valid(info.ratio_index),
               if_valid(info.base_size),
               if_valid(info.trained.all()),
               {nullptr, valid ? untrained_parts(info.trained) : std::string(message(way.info.error()))},
               valid ? Cell{nullptr} : Cell{message(way.info.error())}});
  }
  return table;
}

std::string crop_sentence(const ResizeCrop& crop, Resolution original, Resolution target) {
  const double resized = static_cast<double>(crop.resized_height) * static_cast<double>(crop.resized_width);
  const double lost = 1 - static_cast<double>(target.pixel_count()) / resized;
  const std::string text = size_text(original) + " is resized to " + std::to_string(crop.resized_height) + "x" +
                           std::to_string(crop.resized_width);
  if (lost <= 0) return text + ", and nothing is cropped away";
  return text + " and cut to " + size_text(target) + " from top " + std::to_string(crop.crop_top) + ", left " +
         std::to_string(crop.crop_left) + " (" + fixed(100 * lost, 2) + " % of the pixels are cropped away)";
}

std::string text_of(const Model& model, const Explanation& explanation) {
  const ImageInfo& info = explanation.info;
  std::string out = paragraph("Request", request_sentence(model, explanation));
  out += paragraph("Result", chosen_sentence(model, explanation));
  out += paragraph("Tokens", token_name("size", info.base_size, size_token_id(info.base_size)) + ", " +
                                 token_name("ratio", static_cast<std::int64_t>(info.ratio_index),
                                            ratio_token_id(model.profile, info.ratio_index)));
  out += paragraph("Trained", untrained_parts(info.trained));
  if (!explanation.candidates.empty()) {
    out +=
        "\nThe row with the nearest h/w is taken, whatever its area:\n" + candidates_table(model, explanation).text();
  }
  if (!explanation.notes.empty()) out += '\n';
  for (const std::string& note : explanation.notes) out += wrapped("* ", note, 2);
  out += "\nSide by side (> is in force):\n" + ways_table(explanation).text();
  if (explanation.request.kind == ImageSizeKind::pixels && explanation.conditioning.empty()) {
    const Resolution row = model.group[info.ratio_index];
    const ResizeCrop crop = *resize_and_center_crop(explanation.request.size, row);
    out +=
        '\n' + wrapped("", "As a conditioning image, " + crop_sentence(crop, explanation.request.size, row) + ".", 0);
  }
  for (const ConditioningImage& image : explanation.conditioning) {
    out +=
        '\n' + wrapped("",
                       "Conditioning image " + crop_sentence(image.crop, image.size, model.group[image.ratio_index]) +
                           ", row " + std::to_string(image.ratio_index) + ".",
                       0);
  }
  for (const Alignment& alignment : explanation.alignments) {
    const OutputAlignment& result = alignment.result;
    const std::string base_size = std::to_string(alignment.base_size);
    std::string text = "Output alignment with the area " + base_size + "x" + base_size + ": ";
    text += result.resize
                ? "the output is resized to " + std::to_string(result.height) + "x" + std::to_string(result.width) +
                      " to match conditioning image " + std::to_string(result.conditioning_index + 1)
                : "nothing changes";
    if (alignment.base_size != model.group.base_size()) {
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

Json json_of(const Model& model, const Explanation& explanation) {
  static constexpr const char* kinds[] = {"auto", "pixels", "ratio", "ratio_index"};
  static constexpr const char* ties[] = {"none", "exact", "rounded"};
  const ImageInfo& info = explanation.info;
  const ImageSize& request = explanation.request;
  const bool has_pixels = request.kind == ImageSizeKind::pixels;
  const auto optional_id = [](std::optional<TokenId> id) { return id ? Json(*id) : Json(nullptr); };
  Json json = model.json();
  json["request"] = {{"text", format_image_size(request, model.profile).view()},
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
                    {"size_token_id", optional_id(size_token_id(info.base_size))},
                    {"ratio_index", info.ratio_index},
                    {"ratio_token_id", optional_id(ratio_token_id(model.profile, info.ratio_index))},
                    {"kind", explanation.is_extra ? "extra" : "generated"},
                    {"trained", info.trained.all()},
                    {"trained_base_size", info.trained.base_size},
                    {"trained_grid", info.trained.grid},
                    {"trained_ratio_token", info.trained.ratio_token}};
  json["candidates"] = candidates_table(model, explanation).json();
  json["tie"] = ties[static_cast<std::size_t>(explanation.tie)];
  json["notes"] = explanation.notes;
  json["ways"] = ways_table(explanation).json();
  json["crop"] =
      has_pixels ? crop_json(*resize_and_center_crop(request.size, model.group[info.ratio_index])) : Json(nullptr);
  json["conditioning"] = Json::array();
  for (const ConditioningImage& image : explanation.conditioning) {
    Json entry = {{"height", image.size.height}, {"width", image.size.width}, {"ratio_index", image.ratio_index}};
    entry.update(crop_json(image.crop));
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

ImageSize parse_or_refuse(const std::string& text, const ModelProfile& profile) {
  const Result<ImageSize> parsed = parse_size(text, profile, SideOrder::height_width);
  if (!parsed) throw Refusal(point_at("", text, parsed.position(), message(parsed.error())));
  return *parsed;
}

int run(const ExplainOptions& options) {
  const Model model = resolve_model(options.model);
  const ImageSize request = parse_or_refuse(options.request, model.profile);
  std::vector<Resolution> conditioning;
  for (const std::string& text : options.conditioning) {
    const ImageSize image = parse_or_refuse(text, model.profile);
    if (image.kind != ImageSizeKind::pixels) {
      throw Refusal("--conditioning '" + printable(text) + "': expected the pixels of an image, HEIGHTxWIDTH");
    }
    conditioning.push_back(image.size);
  }
  const Explanation explanation = explain_request(model, options.request, request, conditioning);
  const bool as_json = options.output.format == "json";
  options.output.write(as_json ? dump(json_of(model, explanation)) : text_of(model, explanation));
  return exit_success;
}

}  // namespace

Command add_explain(CLI::App& tool) {
  CLI::App& app = add_command(tool, "explain", "Which size a request gives, and why",
                              "  hunyuan-reso explain 4:3 --base-size 2048\n"
                              "  hunyuan-reso explain 1080x1920 --grid-mode follow_request\n"
                              "  hunyuan-reso explain 1141x919 --base-size 1536 --conditioning 1141x919");
  const auto options = std::make_shared<ExplainOptions>();
  app.add_option("REQUEST", options->request, "HEIGHTxWIDTH, a ratio A:B in the profile's order, or <img_ratio_i>")
      ->required()
      ->type_name("");
  options->model.add_group(app);
  options->model.add_grid_mode(app);
  app.add_option("--conditioning", options->conditioning, "Size of a conditioning image; may be given several times")
      ->allow_extra_args(false)
      ->type_name("HEIGHTxWIDTH");
  options->output.add(app, {"text", "json"});
  return {&app, [options] { return run(*options); }};
}

}  // namespace hunyuan_reso::cli
