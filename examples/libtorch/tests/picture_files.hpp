// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_PICTURE_FILES_HPP
#define HUNYUAN_GENERATE_PICTURE_FILES_HPP

#include <ATen/ATen.h>  // Tensor

#include <string>  // string

namespace hunyuan_generate {

inline std::string number(std::size_t value, int bytes, bool big_endian) {
  std::string text;
  for (int i = 0; i < bytes; ++i)
    text += static_cast<char>(value >> 8U * static_cast<unsigned>(big_endian ? bytes - 1 - i : i) & 255U);
  return text;
}

// Of a PNG chunk.
inline std::size_t checksum(const std::string& bytes) {
  std::uint32_t sum = 0xffffffffU;
  for (const char byte : bytes) {
    sum ^= static_cast<unsigned char>(byte);
    for (int i = 0; i < 8; ++i) sum = sum >> 1U ^ ((sum & 1U) != 0 ? 0xedb88320U : 0U);
  }
  return ~sum;
}

/// A PNG, JPEG or WebP file as this program writes it with an EXIF orientation put into it; in odd ones the numbers are
/// big-endian.
inline std::string with_orientation(const std::string& file, const at::Tensor& pixels, std::size_t orientation) {
  const bool big = orientation % 2 != 0;
  const auto n = [&](std::size_t value, int bytes) { return number(value, bytes, big); };
  const std::string exif = (big ? "MM" : "II") + n(42, 2) + n(8, 4) + n(1, 2) + n(0x112, 2) + n(3, 2) + n(1, 4) +
                           n(orientation, 2) + n(0, 2) + n(0, 4);
  const std::string prefix("Exif\0\0", 6);
  if (file[0] == '\xff')
    return file.substr(0, 2) + "\xff\xe1" + number(exif.size() + 8, 2, true) + prefix + exif + file.substr(2);
  if (file[0] != 'R') {
    const std::string chunk = "eXIf" + exif;
    return file.substr(0, 33) + number(exif.size(), 4, true) + chunk + number(checksum(chunk), 4, true) +
           file.substr(33);
  }
  const auto side = [&](int i) { return number(static_cast<std::size_t>(pixels.size(i)) - 1, 3, false); };
  const std::string data = orientation > 4 ? prefix + exif : exif;  // some programs put the prefix there, too
  const std::string chunks = "WEBPVP8X" + number(10, 4, false) + number(8, 4, false) + side(1) + side(0) +
                             file.substr(12) + "EXIF" + number(data.size(), 4, false) + data;
  return "RIFF" + number(chunks.size(), 4, false) + chunks;
}

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_PICTURE_FILES_HPP
