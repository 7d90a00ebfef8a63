// SPDX-License-Identifier: MIT
#include "snap_writer.hpp"

#include <cstring>
#include <hunyuan_reso/crop.hpp>

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

}  // namespace

SnapWriter::SnapWriter(Output& output, const Model& model, const std::string& format, bool with_crop)
    : output_(output), model_(model), with_crop_(with_crop) {
  if (format == "csv") form_ = Form::csv;
  if (format == "json") form_ = Form::json;
  for (std::size_t i = 0; i < model.group.size(); ++i) {
    const std::string text = result_text(*image_info_of_row(i, model.profile, model.group)) + '\n';
    Suffix suffix{};
    suffix.size = text.copy(suffix.text, sizeof suffix.text);
    suffixes_.push_back(suffix);
  }
}

void SnapWriter::header() {
  if (form_ == Form::csv) {
    output_.write(
        "line,request_height,request_width,ratio_index,height,width,image_token_length,ratio_token_id,base_size");
    if (with_crop_) output_.write(",resized_height,resized_width,crop_top,crop_left");
    output_.write("\n");
  } else if (form_ == Form::text) {
    output_.write(model_.title() + ". Sizes are height x width in pixels.\n");
    output_.write("     line         request  row  height x width   tokens  ratio id  base size");
    if (with_crop_) output_.write("        resized to     crop top,left");
    output_.write("\n");
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
  char* end = append_number(request, height);
  *end++ = 'x';
  return set_right(request, append_number(end, width), request_width);
}

/// What a line says after the request, crop columns and line feed left out.
std::string SnapWriter::result_text(const ImageInfo& info) const {
  const TokenId id = ratio_token_id_or_invalid(model_.profile, info.ratio_index);
  const std::string index = std::to_string(info.ratio_index);
  const std::string tokens = std::to_string(info.image_token_length);
  const std::string base_size = std::to_string(info.base_size);
  if (form_ == Form::text) {
    return right(index, 5) + right(size_text(info.image_size()), 16) + right(tokens, 9) +
           right(id < 0 ? "none" : std::to_string(id), 10) + right(base_size, 11);
  }
  const std::string height = std::to_string(info.image_height);
  const std::string width = std::to_string(info.image_width);
  if (form_ == Form::csv) {
    return "," + index + "," + height + "," + width + "," + tokens + "," + (id < 0 ? "" : std::to_string(id)) + "," +
           base_size;
  }
  return ",\"ratio_index\":" + index + ",\"height\":" + height + ",\"width\":" + width +
         ",\"image_token_length\":" + tokens + ",\"ratio_token_id\":" + (id < 0 ? "null" : std::to_string(id)) +
         ",\"base_size\":" + base_size + (with_crop_ ? "" : "}");
}

void SnapWriter::write(std::uint64_t line, const ImageSize& requested, const ImageInfo& info) {
  const bool has_pixels = requested.kind == ImageSizeKind::pixels;
  std::string text;
  if (has_pixels) {
    char front[line_room];
    text.assign(front, append_request(front, line, requested.size));
  } else if (form_ == Form::csv) {
    text = std::to_string(line) + ",,";
  } else if (form_ == Form::json) {
    text = "{\"line\":" + std::to_string(line) + ",\"request_height\":null,\"request_width\":null";
  } else {
    text = right(std::to_string(line), line_width) + "  " +
           right(std::string(format_image_size(requested, model_.profile).view()), request_width);
  }
  text += result_text(info);
  if (with_crop_) {
    const Result<ResizeCrop> crop = resize_and_center_crop(requested.size, info.image_size());
    const auto value = [&](std::int64_t number, const char* none) { return crop ? std::to_string(number) : none; };
    if (form_ == Form::csv) {
      text += "," + value(crop->resized_height, "") + "," + value(crop->resized_width, "") + "," +
              value(crop->crop_top, "") + "," + value(crop->crop_left, "");
    } else if (form_ == Form::json) {
      text += ",\"resized_height\":" + value(crop->resized_height, "null") +
              ",\"resized_width\":" + value(crop->resized_width, "null") +
              ",\"crop_top\":" + value(crop->crop_top, "null") + ",\"crop_left\":" + value(crop->crop_left, "null") +
              "}";
    } else {
      text += right(value(crop->resized_height, "-") + "x" + value(crop->resized_width, "-"), 18) +
              right(value(crop->crop_top, "-") + "," + value(crop->crop_left, "-"), 18);
    }
  }
  output_.write(text + '\n');
}

}  // namespace hunyuan_reso::cli
