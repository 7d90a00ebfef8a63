// SPDX-License-Identifier: MIT
#include "snap_filters.hpp"

#include "failure.hpp"
#include "size_list.hpp"

namespace hunyuan_reso::cli {
namespace {

constexpr std::int64_t most_pixels = (std::int64_t{1} << 53) - 1;

/// "2.5" or "16:9", as longer and shorter part.
Resolution parse_aspect(const std::string& text) {
  const bool is_ratio = text.find_first_of(":/") != std::string::npos;
  const bool is_number = text.find_first_not_of("0123456789.") == std::string::npos;
  const bool is_below_one = is_number && read_decimal("--max-aspect", text, 0, most_pixels) < 1;
  if (is_below_one) throw Refusal("--max-aspect " + spelled(text) + ": expected at least 1 (longer side by shorter)");
  const std::string ratio_text = is_ratio ? text : text + ":1";
  const Result<ImageSize> ratio = parse_size(ratio_text, ModelProfile{}, SideOrder::height_width);
  if (!ratio || ratio->kind != ImageSizeKind::ratio) {
    throw UsageError("--max-aspect: expected longer side by shorter side, such as 2.5 or 16:9, but got '" +
                     spelled(text) + "'");
  }
  const std::int32_t a = ratio->size.height;
  const std::int32_t b = ratio->size.width;
  const Resolution aspect = a > b ? Resolution{a, b} : Resolution{b, a};
  return aspect;
}

}  // namespace

const char* name_of(Drop drop) {
  static constexpr const char* names[drop_count] = {"",           "min-side",   "max-side",   "min-pixels",
                                                    "max-pixels", "max-aspect", "no-enlarge", "max-crop"};
  return names[static_cast<std::size_t>(drop)];
}

bool FilterLimits::any() const {
  for (const std::string& text : texts) {
    if (!text.empty()) return true;
  }
  return false;
}

std::string FilterLimits::reason(Drop drop, Resolution size, const CropLoss& loss) const {
  const std::int32_t longer = size.height > size.width ? size.height : size.width;
  const std::int32_t shorter = size.height > size.width ? size.width : size.height;
  const std::string& limit = texts[static_cast<std::size_t>(drop)];
  switch (drop) {
    case Drop::none:
      break;
    case Drop::min_side:
      return "shorter side " + std::to_string(shorter) + " < " + limit;
    case Drop::max_side:
      return "longer side " + std::to_string(longer) + " > " + limit;
    case Drop::min_pixels:
      return std::to_string(size.pixel_count()) + " pixels < " + limit;
    case Drop::max_pixels:
      return std::to_string(size.pixel_count()) + " pixels > " + limit;
    case Drop::max_aspect:
      return "aspect " + fixed(static_cast<double>(longer) / shorter, 4) + " > " + limit;
    case Drop::no_enlarge:
      return "it would be enlarged";
    case Drop::max_crop:
      return "crop " + percent_text(loss.share) + " > " + limit + " %";
  }
  return "";
}

Json FilterLimits::json() const {
  Json json = Json::object();
  for (std::size_t i = 1; i < drop_count; ++i) {
    if (!texts[i].empty()) json[name_of(static_cast<Drop>(i))] = texts[i];
  }
  return json;
}

void FilterOptions::add(CLI::App& app) {
  min_side_.add(app, "--min-side", "Drop pictures whose shorter side is below this", "PIXELS");
  max_side_.add(app, "--max-side", "Drop pictures whose longer side is above this", "PIXELS");
  min_pixels_.add(app, "--min-pixels", "Drop pictures of fewer pixels", "COUNT");
  max_pixels_.add(app, "--max-pixels", "Drop pictures of more pixels", "COUNT");
  app.add_option("--max-aspect", max_aspect_, "Drop pictures whose longer side by the shorter one is above this")
      ->type_name("RATIO");
  app.add_flag("--no-enlarge", no_enlarge_, "Drop pictures that would be enlarged");
  max_crop_.add(app, "--max-crop", "Drop pictures that would lose a larger share of their pixels", "PERCENT");
}

FilterLimits FilterOptions::resolve() const {
  FilterLimits limits;
  const auto note = [&](Drop drop, std::string text) {
    limits.texts[static_cast<std::size_t>(drop)] = std::move(text);
  };
  const auto whole = [&](const NumberOption& option, Drop drop, std::int64_t most, std::int64_t& limit) {
    if (!option.given()) return;
    limit = option.whole(1, most);
    note(drop, std::to_string(limit));
  };
  whole(min_side_, Drop::min_side, max_side, limits.min_side);
  whole(max_side_, Drop::max_side, max_side, limits.max_side);
  whole(min_pixels_, Drop::min_pixels, most_pixels, limits.min_pixels);
  whole(max_pixels_, Drop::max_pixels, most_pixels, limits.max_pixels);
  const auto refuse_empty = [&](Drop least, Drop most) {
    throw Refusal("--" + std::string(name_of(least)) + " " + limits.texts[static_cast<std::size_t>(least)] +
                  " is above --" + name_of(most) + " " + limits.texts[static_cast<std::size_t>(most)] +
                  ": nothing is left");
  };
  if (limits.min_side > limits.max_side) refuse_empty(Drop::min_side, Drop::max_side);
  if (limits.min_pixels > limits.max_pixels) refuse_empty(Drop::min_pixels, Drop::max_pixels);
  if (!max_aspect_.empty()) {
    limits.max_aspect = parse_aspect(max_aspect_);
    note(Drop::max_aspect, max_aspect_);
  }
  limits.no_enlarge = no_enlarge_;
  if (no_enlarge_) note(Drop::no_enlarge, "yes");
  if (max_crop_.given()) {
    const double per_cent = max_crop_.decimal(0, 100);
    limits.max_crop = per_cent / 100;
    std::string text = fixed(per_cent, 6);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
    note(Drop::max_crop, text);
  }
  return limits;
}

}  // namespace hunyuan_reso::cli
