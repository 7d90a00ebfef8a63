// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_CODECS_HPP
#define HUNYUAN_GENERATE_CODECS_HPP

#include <ATen/ATen.h>  // Tensor

#include <string>  // string

#include "pipeline/picture.hpp"

namespace hunyuan_generate {

// What the libraries for picture files do; which of them are here is decided when the program is built.

/// A picture as it is stored: RGB, uint8 [height, width, 3], and its EXIF orientation (1: none).
struct StoredPicture {
  at::Tensor rgb;
  int orientation = 1;
};

/// Decodes PNG, JPEG or WebP by its first bytes. Throws Error naming `where`.
StoredPicture decode_stored(const std::string& bytes, const std::string& where);
/// Encodes for a file ending, "png", "jpg" or "webp". Throws Error naming `where`.
std::string encode_stored(const std::string& ending, const at::Tensor& pixels, const PictureTexts& texts,
                          const std::string& where);
[[nodiscard]] bool can_encode(const std::string& ending);
/// ".png .jpg", for messages.
[[nodiscard]] std::string encodable_endings();

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_CODECS_HPP
