// SPDX-License-Identifier: MIT
#include "enlargement.hpp"

#include <algorithm>
#include <cmath>

#include "failure.hpp"
#include "one_size.hpp"

namespace hunyuan_reso::cli {
namespace {

/// 1 for "1K" and "1k", 2 for "2K" ..; 0 for anything else.
std::int32_t thousands(const std::string& text) {
  const bool is_name = text.size() == 2 && (text[1] == 'K' || text[1] == 'k');
  return is_name && (text[0] == '1' || text[0] == '2' || text[0] == '4' || text[0] == '8') ? text[0] - '0' : 0;
}

std::int32_t multiple_of_16(double side) {
  const double multiple = 16 * std::round(side / 16);
  return static_cast<std::int32_t>(std::clamp(multiple, 16.0, 2147483632.0));
}

}  // namespace

double Enlargement::factor() const {
  return static_cast<double>(crop.resized_height) / static_cast<double>(decoded.height);
}

double Enlargement::cut_share() const {
  const double resized = static_cast<double>(crop.resized_height) * static_cast<double>(crop.resized_width);
  return std::max(0.0, 1 - static_cast<double>(target.pixel_count()) / resized);
}

Resolution capped(const ModelProfile& profile, Resolution size, std::int64_t most_pixels) {
  if (size.pixel_count() <= most_pixels) return size;
  const double scale = std::sqrt(static_cast<double>(most_pixels) / static_cast<double>(size.pixel_count()));
  const auto whole_tokens = [](double side, std::int32_t token) {
    return std::max(token, static_cast<std::int32_t>(side / token) * token);
  };
  Resolution result{whole_tokens(size.height * scale, profile.token_pixels_high()),
                    whole_tokens(size.width * scale, profile.token_pixels_wide())};
  // A side of one token may leave the other one too long.
  if (result.pixel_count() > most_pixels) {
    std::int32_t& longer = result.height > result.width ? result.height : result.width;
    const std::int32_t shorter = std::min(result.height, result.width);
    longer = whole_tokens(static_cast<double>(most_pixels) / shorter,
                          result.height > result.width ? profile.token_pixels_high() : profile.token_pixels_wide());
  }
  return result;
}

Enlargement enlarge(const Selection& selection, const std::string& target, Resolution ratio, std::int64_t most_pixels) {
  const ModelProfile& profile = selection.profile();
  Enlargement result;
  result.wish = target;
  if (const std::int32_t thousand = thousands(target)) {
    const std::int32_t side = 1024 * thousand;
    const double height = side * std::sqrt(ratio.ratio());
    result.target = {multiple_of_16(height), multiple_of_16(static_cast<double>(side) * side / height)};
    result.meaning = "as many pixels as " + std::to_string(side) + "x" + std::to_string(side) +
                     ", in the ratio of the request, sides in multiples of 16";
  } else {
    result.target = require_pixels("--target", target, profile, selection.order);
  }
  if (most_pixels > 0) result.target = capped(profile, result.target, most_pixels);
  const Model trained = require_model(profile, profile.trained_base_size, ExtraScaling::absolute);
  result.base_size = trained.group.base_size();
  result.ratio_index = trained.group.snap(result.target);
  result.bucket = trained.group[result.ratio_index];
  result.decoded = wrapped_size(profile, result.bucket).value_or(result.bucket);
  const Result<ResizeCrop> crop = resize_and_center_crop(result.decoded, result.target);
  result.crop = *crop;
  return result;
}

std::string enlargement_sentence(const Selection& selection, const Enlargement& e) {
  std::string text = selection.size(e.target) + " (" + size_heading(selection.order) + ", " +
                     megapixels_text(e.target.pixel_count()) + ")";
  if (!e.meaning.empty()) text += "; " + e.wish + " means " + e.meaning;
  text += ". Generate bucket " + std::to_string(e.ratio_index) + ", " + selection.size(e.bucket) + ", at base size " +
          std::to_string(e.base_size);
  if (e.decoded != e.bucket) {
    text += " (its edges are blended into one another, which leaves " + selection.size(e.decoded) + ")";
  }
  const bool width_first = selection.order == SideOrder::width_height;
  const std::string height = std::to_string(e.crop.resized_height), width = std::to_string(e.crop.resized_width);
  text += std::string(", ") + (e.factor() < 1 ? "shrink" : "enlarge") + " it " + fixed(e.factor(), 3) + " times to " +
          (width_first ? width + "x" + height : height + "x" + width);
  if (e.cut_share() <= 0) return text + "; nothing is cut.";
  return text + " and cut that at the centre, from top " + std::to_string(e.crop.crop_top) + ", left " +
         std::to_string(e.crop.crop_left) + ": " + fixed(100 * e.cut_share(), 2) + " % of the pixels are cut away.";
}

Json enlargement_json(const Enlargement& e) {
  return {{"wish", e.wish},
          {"height", e.target.height},
          {"width", e.target.width},
          {"generate_height", e.bucket.height},
          {"generate_width", e.bucket.width},
          {"base_size", e.base_size},
          {"ratio_index", e.ratio_index},
          {"decoded_height", e.decoded.height},
          {"decoded_width", e.decoded.width},
          {"factor", e.factor()},
          {"resized_height", e.crop.resized_height},
          {"resized_width", e.crop.resized_width},
          {"crop_top", e.crop.crop_top},
          {"crop_left", e.crop.crop_left},
          {"cropped_share", e.cut_share()}};
}

}  // namespace hunyuan_reso::cli
