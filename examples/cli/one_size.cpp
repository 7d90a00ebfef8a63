// SPDX-License-Identifier: MIT
#include "one_size.hpp"

#include "failure.hpp"
#include "output.hpp"
#include "table_text.hpp"

namespace hunyuan_reso::cli {

ImageSize require_size(const std::string& place, const std::string& text, const ModelProfile& profile,
                       SideOrder order) {
  const Result<ImageSize> size = parse_size(text, profile, order);
  if (!size) throw Refusal(point_at(place, text, size.position(), size_refusal(text, size, order)));
  const std::string doubt = size_doubt(text, *size, order);
  if (!doubt.empty()) {
    write_error("hunyuan-reso: " + (place.empty() ? "" : place + ": ") + "'" + spelled(text) + "': " + doubt + '\n');
  }
  return *size;
}

Resolution require_pixels(const std::string& place, const std::string& text, const ModelProfile& profile,
                          SideOrder order) {
  const ImageSize size = require_size(place, text, profile, order);
  if (size.kind == ImageSizeKind::pixels) return size.size;
  throw Refusal(place + ": '" + spelled(text) + "': expected the pixels of an image, " + size_form(order));
}

std::string request_text(const ImageSize& size, const ModelProfile& profile, SideOrder order) {
  if (size.kind == ImageSizeKind::pixels) return size_text(size.size, order);
  return std::string(format_image_size(size, profile).view());
}

}  // namespace hunyuan_reso::cli
