// SPDX-License-Identifier: MIT
#include "target.hpp"

#include <algorithm>
#include <cmath>

#include "failure.hpp"
#include "one_size.hpp"

namespace hunyuan_reso::cli {
namespace {

constexpr double longest_side = 2147483632.0;  // a multiple of 16

std::int32_t multiple_of_16(double side) {
  return static_cast<std::int32_t>(std::clamp(16 * std::round(side / 16), 16.0, longest_side));
}

bool is_number(const std::string& text, bool with_point) {
  std::size_t points = 0;
  for (const char c : text) {
    if (c == '.') {
      ++points;
    } else if (c < '0' || c > '9') {
      return false;
    }
  }
  return !text.empty() && text.front() != '.' && text.back() != '.' && points <= (with_point ? 1U : 0U);
}

/// The number in front of a unit (in either case); empty where the text is not of this form.
std::string number_before(const std::string& text, const std::string& unit, bool with_point) {
  if (text.size() <= unit.size()) return "";
  const std::string number = text.substr(0, text.size() - unit.size());
  for (std::size_t i = 0; i < unit.size(); ++i) {
    const char c = text[number.size() + i];
    if (c != unit[i] && c != (unit[i] | 0x20)) return "";
  }
  return is_number(number, with_point) ? number : "";
}

Resolution of_area(double pixels, Resolution ratio) {
  const double height = std::sqrt(pixels * ratio.ratio());
  return {multiple_of_16(height), multiple_of_16(pixels / height)};
}

Resolution of_shorter_side(double side, Resolution ratio) {
  const auto whole = [](double value) {
    return static_cast<std::int32_t>(std::clamp(std::round(value), 1.0, 2147483647.0));
  };
  const double factor = ratio.ratio();
  return factor <= 1 ? Resolution{whole(side), whole(side / factor)} : Resolution{whole(side * factor), whole(side)};
}

/// A size in pixels; what is none is refused with the names that are taken, too.
Resolution pixels_of(const std::string& place, const std::string& text, const Selection& selection) {
  const std::string names = "\n  A name is taken, too: 1K, 2K, 4K, 8K, 8MP, 1440p (see --help).";
  const std::string form = std::string(size_form(selection.order)) + " (2160x3840)";
  const Result<ImageSize> size = parse_size(text, selection.profile(), selection.order);
  if (!size) {
    throw Refusal(point_at(place, text, size.position(), size_refusal(text, size, selection.order, form)) + names);
  }
  if (size->kind != ImageSizeKind::pixels) {
    throw Refusal(place + ": '" + spelled(text) + "': expected the pixels of an image, " + size_form(selection.order) +
                  names);
  }
  return require_pixels(place, text, selection.profile(), selection.order);
}

}  // namespace

Target require_target(const std::string& place, const std::string& text, Resolution ratio, const Selection& selection) {
  Target target;
  target.wish = text;
  const auto name = [&](Resolution size, const std::string& meaning) {
    target.size = size;
    target.meaning = meaning + ", in the ratio " + fixed(1 / ratio.ratio(), 3) + ":1 (width:height)";
  };
  const std::string thousands = number_before(text, "K", false);
  const std::string millions = number_before(text, "MP", true);
  const std::string lines = number_before(text, "P", false);
  if (thousands == "1" || thousands == "2" || thousands == "4" || thousands == "8") {
    const int side = 1024 * (thousands[0] - '0');
    name(of_area(1.0 * side * side, ratio),
         "as many pixels as " + std::to_string(side) + "x" + std::to_string(side) + ", sides in multiples of 16");
  } else if (!millions.empty()) {
    name(of_area(1e6 * read_decimal(place, millions, 0.001, 1e6), ratio),
         millions + " million pixels, sides in multiples of 16");
  } else if (!lines.empty()) {
    const auto side = static_cast<double>(read_whole(place, lines, 1, 65536));
    name(of_shorter_side(side, ratio), "a shorter side of " + lines + " pixels");
  } else {
    target.size = pixels_of(place, text, selection);
  }
  return target;
}

}  // namespace hunyuan_reso::cli
