// SPDX-License-Identifier: MIT
#include "size_list.hpp"

#include "output.hpp"

namespace hunyuan_reso::cli {
namespace {

constexpr std::size_t readable_bytes_after = 16;

/// A pair with a comma or only blanks between its numbers, with an 'x' there instead: as many bytes as before.
std::string with_plain_separator(std::string_view text) {
  std::string changed(text);
  const auto is_digit = [&](std::size_t i) { return i < text.size() && text[i] >= '0' && text[i] <= '9'; };
  std::size_t i = 0;
  while (i < text.size() && detail::is_blank(text[i])) ++i;
  if (!is_digit(i)) return changed;
  while (is_digit(i)) ++i;
  const std::size_t after_number = i;
  while (i < text.size() && detail::is_blank(text[i])) ++i;
  if (i < text.size() && text[i] == ',') changed[i] = 'x';
  if (is_digit(i) && i > after_number) changed[after_number] = 'x';
  return changed;
}

}  // namespace

Result<ImageSize> parse_size(std::string_view text, const ModelProfile& profile, SideOrder order) {
  const Result<ImageSize> parsed = parse_image_size(with_plain_separator(text), profile);
  if (!parsed || parsed->kind != ImageSizeKind::pixels || order == SideOrder::height_width) return parsed;
  return ImageSize::of_pixels({parsed->size.width, parsed->size.height});
}

LineReader::LineReader(int descriptor)
    : descriptor_(descriptor), buffer_(new char[capacity + 1 + readable_bytes_after]()) {}

LineReader::Block LineReader::next() {
  if (skipping_ && !skip_rest_of_long_line()) return {{}, false, true, false};
  std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
  const auto whole_lines = [this] { return std::string_view(buffer_.get(), end_).rfind('\n') + 1; };  // npos + 1 is 0
  std::size_t whole = whole_lines();
  while (whole == 0 && !ended_ && end_ < capacity) {
    const std::size_t count = read_some(descriptor_, buffer_.get() + end_, capacity - end_);
    end_ += count;
    ended_ = count == 0;
    whole = whole_lines();
  }
  const bool filled = end_ == capacity;
  if (whole == 0 && end_ == 0) return {{}, false, true, false};
  if (whole == 0 && filled) {
    begin_ = end_;
    skipping_ = true;
    return {{buffer_.get(), end_}, true, false, true};
  }
  if (ended_ && whole != end_) {  // the last line has no line feed
    buffer_[end_++] = '\n';
    whole = end_;
  }
  begin_ = whole;
  return {{buffer_.get(), whole}, false, false, filled};
}

bool LineReader::skip_rest_of_long_line() {
  while (true) {
    const std::size_t count = read_some(descriptor_, buffer_.get(), capacity);
    if (count == 0) {
      ended_ = true;
      begin_ = end_ = 0;
      return false;
    }
    const std::size_t line_feed = std::string_view(buffer_.get(), count).find('\n');
    if (line_feed == std::string_view::npos) continue;
    begin_ = line_feed + 1;
    end_ = count;
    skipping_ = false;
    return true;
  }
}

}  // namespace hunyuan_reso::cli
