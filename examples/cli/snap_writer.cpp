// SPDX-License-Identifier: MIT
#include "snap_writer.hpp"

#include <cstring>
#include <hunyuan_reso/crop.hpp>

#include "failure.hpp"

namespace hunyuan_reso::cli {
namespace {

constexpr char two_digits[] =
    "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849"
    "5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";

char* append_number(char* out, std::uint64_t number) {
  char digits[20];
  char* front = digits + sizeof digits;
  while (number >= 100) {
    front -= 2;
    std::memcpy(front, two_digits + 2 * (number % 100), 2);
    number /= 100;
  }
  if (number >= 10) {
    front -= 2;
    std::memcpy(front, two_digits + 2 * number, 2);
  } else {
    *--front = static_cast<char>('0' + number);
  }
  const auto size = static_cast<std::size_t>(digits + sizeof digits - front);
  std::memcpy(out, front, size);
  return out + size;
}

template <std::size_t Size>
char* append(char* out, const char (&text)[Size]) {
  std::memcpy(out, text, Size - 1);
  return out + Size - 1;
}

/// Moves what was written from `start` on to the right, up to a width.
char* set_right(char* start, char* end, std::size_t width) {
  const auto size = static_cast<std::size_t>(end - start);
  if (size >= width) return end;
  std::memmove(start + (width - size), start, size);
  std::memset(start, ' ', width - size);
  return start + width;
}

std::string right(const std::string& text, std::size_t width) {
  return std::string(text.size() < width ? width - text.size() : 0, ' ') + text;
}

constexpr std::size_t line_width = 9;
constexpr std::size_t request_width = 14;

void add_number(std::string& out, std::int64_t number) {
  char digits[24];
  char* end = digits;
  if (number < 0) *end++ = '-';
  end = append_number(end, number < 0 ? static_cast<std::uint64_t>(-number) : static_cast<std::uint64_t>(number));
  out.append(digits, end);
}

constexpr std::size_t longest_plain_name = 2000;

/// Whether a name stands as it is in CSV and in JSON.
bool needs_no_quotes(std::string_view text) {
  bool plain = true;
  // Without a branch, so that a compiler takes many characters at once.
  // NOLINTNEXTLINE(readability-implicit-bool-conversion)
  for (const char c : text) plain = plain & (c >= 0x20 && c < 0x7F && c != ',' && c != '"' && c != '\\');
  return plain && (text.empty() || (text.front() != ' ' && text.back() != ' '));
}

void add_csv_text(std::string& out, std::string_view text) {
  bool plain = true;
  for (const char c : text) plain = plain && c != ',' && c != '"' && c != '\n' && c != '\r';
  const bool is_padded = !text.empty() && (text.front() == ' ' || text.back() == ' ');
  if (plain && !is_padded) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

void add_json_text(std::string& out, std::string_view text) {
  bool plain = true;
  for (const char c : text) plain = plain && c >= 0x20 && c < 0x7F && c != '"' && c != '\\';
  if (plain) {
    out += '"';
    out += text;
    out += '"';
  } else {
    out += Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
  }
}

}  // namespace

SnapWriter::SnapWriter(Output& output, const Buckets& buckets, const std::string& format)
    : output_(output), buckets_(buckets), is_wide_first_(buckets.selection().order == SideOrder::width_height) {
  if (format == "csv") form_ = Form::csv;
  if (format == "json") form_ = Form::json;
  for (std::size_t i = 0; i < buckets.group().size(); ++i) {
    const std::string text = result_text(buckets.row(i)) + (form_ == Form::json ? "}\n" : "\n");
    Suffix suffix{};
    suffix.size = text.copy(suffix.text, sizeof suffix.text);
    suffixes_.push_back(suffix);
  }
}

void SnapWriter::header(const SnapColumns& columns) {
  columns_ = columns;
  is_plain_ = form_ != Form::text && !columns.orientations && !columns.crop && !columns.drops;
  const bool has_ids = !buckets_.has_own_rows();
  if (form_ == Form::csv) {
    std::string text = "line";
    if (columns.names) text += ",name";
    text += ",request_height,request_width";
    if (columns.orientations) text += ",orientation";
    text += ",ratio_index,height,width,image_token_length";
    if (has_ids) text += ",ratio_token_id,base_size";
    if (columns.crop) text += ",resized_height,resized_width,crop_top,crop_left,cropped_share";
    if (columns.drops) text += ",dropped,reason";
    output_.write(text + '\n');
  } else if (form_ == Form::text) {
    output_.write(buckets_.title() + ". " + buckets_.selection().order_sentence() + '\n');
    std::string text = "     line         request" + std::string(" bucket") +
                       right(size_heading(buckets_.selection().order), 16) + "   tokens";
    if (has_ids) text += "  ratio id  base size";
    if (columns.orientations) text += "  turned";
    if (columns.crop) text += "        resized to     crop top,left   cropped";
    if (columns.names) text += "  name";
    output_.write(text + '\n');
  }
}

char* SnapWriter::append_request(char* out, std::uint64_t line, Resolution requested) const {
  const auto height = static_cast<std::uint64_t>(requested.height);
  const auto width = static_cast<std::uint64_t>(requested.width);
  switch (form_) {
    case Form::csv:
      out = append_number(out, line);
      *out++ = ',';
      out = append_number(out, height);
      *out++ = ',';
      return append_number(out, width);
    case Form::json:
      out = append_number(append(out, "{\"line\":"), line);
      out = append_number(append(out, ",\"request_height\":"), height);
      return append_number(append(out, ",\"request_width\":"), width);
    case Form::text:
      break;
  }
  char* const request = append(set_right(out, append_number(out, line), line_width), "  ");
  char* end = append_number(request, is_wide_first_ ? width : height);
  *end++ = 'x';
  return set_right(request, append_number(end, is_wide_first_ ? height : width), request_width);
}

/// What a line says of the bucket.
std::string SnapWriter::result_text(const Place& place) const {
  const Result<TokenId> id = buckets_.ratio_token_id(place.ratio_index);
  const bool has_ids = !buckets_.has_own_rows();
  const std::string index = std::to_string(place.ratio_index);
  const std::string tokens = std::to_string(place.image_token_length);
  const std::string base_size = std::to_string(place.base_size);
  const auto id_text = [&](const char* none) { return id ? std::to_string(*id) : std::string(none); };
  if (form_ == Form::text) {
    const std::string text =
        right(index, 7) + right(size_text(place.size, buckets_.selection().order), 16) + right(tokens, 9);
    return has_ids ? text + right(id_text("none"), 10) + right(base_size, 11) : text;
  }
  const std::string height = std::to_string(place.size.height);
  const std::string width = std::to_string(place.size.width);
  if (form_ == Form::csv) {
    const std::string text = "," + index + "," + height + "," + width + "," + tokens;
    return has_ids ? text + "," + id_text("") + "," + base_size : text;
  }
  const std::string text = ",\"ratio_index\":" + index + ",\"height\":" + height + ",\"width\":" + width +
                           ",\"image_token_length\":" + tokens;
  return has_ids ? text + ",\"ratio_token_id\":" + id_text("null") + ",\"base_size\":" + base_size : text;
}

/// The same for a picture that was dropped.
std::string SnapWriter::no_result_text() const {
  const bool has_ids = !buckets_.has_own_rows();
  if (form_ == Form::text)
    return right("-", 7) + right("-", 16) + right("-", 9) + (has_ids ? right("-", 10) + right("-", 11) : "");
  if (form_ == Form::csv) return has_ids ? ",,,,,," : ",,,,";
  return std::string(R"(,"ratio_index":null,"height":null,"width":null,"image_token_length":null)") +
         (has_ids ? R"(,"ratio_token_id":null,"base_size":null)" : "");
}

void SnapWriter::append_result(const SnapRow& row) {
  if (row.place == nullptr) {
    line_ += no_result_text();
  } else if (!row.is_row) {
    line_ += result_text(*row.place);
  } else {
    const Suffix& suffix = suffixes_[row.place->ratio_index];
    line_.append(suffix.text, suffix.size - (form_ == Form::json ? 2 : 1));
  }
}

/// The common line, for speed: a row of the group and a name that needs no quotes. False, with nothing written, for
/// every other one.
bool SnapWriter::write_plain(const SnapRow& row) {
  const bool fits = row.is_row && row.requested.kind == ImageSizeKind::pixels && row.name.size() <= longest_plain_name;
  if (!is_plain_ || !fits || !needs_no_quotes(row.name)) return false;
  char* const start = output_.reserve(line_room + longest_plain_name);
  char* end = start;
  const bool is_json = form_ == Form::json;
  if (is_json) end = append(end, "{\"line\":");
  end = append_number(end, row.line);
  if (columns_.names) {
    end = is_json ? append(end, ",\"name\":\"") : append(end, ",");
    std::memcpy(end, row.name.data(), row.name.size());
    end += row.name.size();
    if (is_json) *end++ = '"';
  }
  end = is_json ? append(end, ",\"request_height\":") : append(end, ",");
  end = append_number(end, static_cast<std::uint64_t>(row.requested.size.height));
  end = is_json ? append(end, ",\"request_width\":") : append(end, ",");
  end = append_number(end, static_cast<std::uint64_t>(row.requested.size.width));
  const Suffix& suffix = suffixes_[row.place->ratio_index];
  std::memcpy(end, suffix.text, sizeof suffix.text);
  output_.commit(end + suffix.size);
  return true;
}

void SnapWriter::write(const SnapRow& row) {
  if (write_plain(row)) return;
  line_.clear();
  if (form_ == Form::csv) {
    write_csv(row);
  } else if (form_ == Form::json) {
    write_json(row);
  } else {
    write_text(row);
  }
  line_ += '\n';
  output_.write(line_);
}

void SnapWriter::write_csv(const SnapRow& row) {
  add_number(line_, static_cast<std::int64_t>(row.line));
  if (columns_.names) {
    line_ += ',';
    add_csv_text(line_, row.name);
  }
  const bool has_pixels = row.requested.kind == ImageSizeKind::pixels;
  const auto add = [&](bool given, std::int64_t value) {
    line_ += ',';
    if (given) add_number(line_, value);
  };
  add(has_pixels, row.requested.size.height);
  add(has_pixels, row.requested.size.width);
  if (columns_.orientations) add(row.orientation != 0, row.orientation);
  append_result(row);
  if (columns_.crop) {
    const bool has_crop = has_pixels && row.place != nullptr;
    const ResizeCrop crop = has_crop ? *resize_and_center_crop(row.requested.size, row.place->size) : ResizeCrop{};
    add(has_crop, crop.resized_height);
    add(has_crop, crop.resized_width);
    add(has_crop, crop.crop_top);
    add(has_crop, crop.crop_left);
    line_ += ',';
    if (has_crop) line_ += Json(row.loss.share).dump();
  }
  if (columns_.drops) ((line_ += ',') += name_of(row.drop)) += ',';
  if (columns_.drops) add_csv_text(line_, row.reason);
}

void SnapWriter::write_json(const SnapRow& row) {
  line_ += "{\"line\":";
  add_number(line_, static_cast<std::int64_t>(row.line));
  const auto add = [&](const char* key, bool given, std::int64_t value) {
    ((line_ += ",\"") += key) += "\":";
    if (given) {
      add_number(line_, value);
    } else {
      line_ += "null";
    }
  };
  if (columns_.names) {
    line_ += ",\"name\":";
    add_json_text(line_, row.name);
  }
  const bool has_pixels = row.requested.kind == ImageSizeKind::pixels;
  add("request_height", has_pixels, row.requested.size.height);
  add("request_width", has_pixels, row.requested.size.width);
  if (columns_.orientations) add("orientation", row.orientation != 0, row.orientation);
  append_result(row);
  if (columns_.crop) {
    const bool has_crop = has_pixels && row.place != nullptr;
    const ResizeCrop crop = has_crop ? *resize_and_center_crop(row.requested.size, row.place->size) : ResizeCrop{};
    add("resized_height", has_crop, crop.resized_height);
    add("resized_width", has_crop, crop.resized_width);
    add("crop_top", has_crop, crop.crop_top);
    add("crop_left", has_crop, crop.crop_left);
    line_ += ",\"cropped_share\":";
    line_ += has_crop ? Json(row.loss.share).dump() : "null";
  }
  if (columns_.drops) {
    const bool dropped = row.drop != Drop::none;
    line_ += ",\"dropped\":";
    line_ += dropped ? "\"" + std::string(name_of(row.drop)) + "\"" : "null";
    line_ += ",\"reason\":";
    if (dropped) add_json_text(line_, row.reason);
    if (!dropped) line_ += "null";
  }
  line_ += '}';
}

void SnapWriter::write_text(const SnapRow& row) {
  const bool has_pixels = row.requested.kind == ImageSizeKind::pixels;
  const std::string request =
      has_pixels ? size_text(row.requested.size, buckets_.selection().order)
                 : std::string(format_image_size(row.requested, buckets_.selection().profile()).view());
  line_ += right(std::to_string(row.line), line_width) + "  " + right(request, request_width);
  append_result(row);
  if (columns_.orientations) line_ += right(row.orientation >= 5 ? "yes" : "no", 8);
  if (columns_.crop) {
    const bool has_crop = has_pixels && row.place != nullptr;
    const ResizeCrop crop = has_crop ? *resize_and_center_crop(row.requested.size, row.place->size) : ResizeCrop{};
    const auto value = [&](std::int64_t number) { return has_crop ? std::to_string(number) : std::string("-"); };
    const bool wide_first = is_wide_first_;
    const std::string high = value(crop.resized_height);
    const std::string wide = value(crop.resized_width);
    line_ += right(wide_first ? wide + "x" + high : high + "x" + wide, 18) +
             right(value(crop.crop_top) + "," + value(crop.crop_left), 18) +
             right(has_crop ? fixed(100 * row.loss.share, 2) + " %" : "-", 10);
  }
  if (columns_.names) line_ += "  " + printable(row.name, 200);
  if (row.drop != Drop::none) line_ += "  dropped (" + std::string(name_of(row.drop)) + "): " + std::string(row.reason);
}

}  // namespace hunyuan_reso::cli
