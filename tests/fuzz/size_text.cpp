// SPDX-License-Identifier: MIT
// Any bytes as a size that a person types into the tool. What the library's parser takes, the tool takes with the same
// meaning; the order of sides swaps pixels and nothing else; what is shown of a refused text is fit for a terminal.
#include <hunyuan_reso/profile.hpp>
#include <hunyuan_reso/text/utf8.hpp>

#include "failure.hpp"
#include "fuzz.hpp"
#include "size_list.hpp"

namespace {

using namespace hunyuan_reso;
using namespace hunyuan_reso::cli;

bool same(const ImageSize& a, const ImageSize& b) {
  return a.kind == b.kind && a.size == b.size && a.ratio_index == b.ratio_index;
}

/// Whole UTF-8 without control bytes, but for line feeds where there may be some.
bool is_showable(std::string_view text, bool may_have_lines) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte == 0x7FU || (byte < 0x20U && !(may_have_lines && c == '\n'))) return false;
  }
  return text::detail::valid_prefix(text) == text.size();
}

void check(std::string_view text, const ModelProfile& profile) {
  const Result<ImageSize> read = parse_size(text, profile, SideOrder::height_width);
  const Result<ImageSize> turned = parse_size(text, profile, SideOrder::width_height);
  ALWAYS(read.error() == turned.error() && read.position() == turned.position());
  const Result<ImageSize> plain = parse_image_size(text, profile);
  if (plain) ALWAYS(read.has_value() && same(*read, *plain));
  if (read) {
    const bool is_pixels = read->kind == ImageSizeKind::pixels;
    const ImageSize swapped = ImageSize::of_pixels({read->size.width, read->size.height});
    ALWAYS(same(*turned, is_pixels ? swapped : *read));
    ALWAYS(read->kind == ImageSizeKind::automatic || read->kind == ImageSizeKind::ratio_index ||
           read->size.is_positive());
    const Result<ImageSize> again =
        parse_size(format_image_size(*read, profile).view(), profile, SideOrder::height_width);
    ALWAYS(again.has_value() && same(*again, *read));
    ALWAYS(is_showable(size_doubt(text, *read, SideOrder::height_width), false));
    return;
  }
  ALWAYS(read.position() <= text.size());
  for (const SideOrder order : {SideOrder::height_width, SideOrder::width_height}) {
    const std::string reason = size_refusal(text, read, order);
    ALWAYS(!reason.empty() && is_showable(reason, false));
    const std::string pointed = point_at("line 7", text, read.position(), reason);
    ALWAYS(is_showable(pointed, true) && pointed.back() == '^');
  }
}

}  // namespace

FUZZ_TARGET(size_text) {
  for (const ModelProfile* profile : profiles::all) check(input, *profile);
  ALWAYS(is_showable(printable(input, 30), false) && is_showable(spelled(input, 30), false));
}
