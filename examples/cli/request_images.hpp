// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_CLI_REQUEST_IMAGES_HPP
#define HUNYUAN_RESO_CLI_REQUEST_IMAGES_HPP

#include <string>

#include "options.hpp"

namespace hunyuan_reso::cli {

/// The names of image kinds in requests, in the order of ImageKind.
inline constexpr const char* image_kinds[] = {"gen_image", "cond_vae_image", "cond_vit_image", "cond_joint_image"};

/// Reads the images of a request: an image_size text, an object with height and width, an object with a grid, or the
/// name of an entry of `images`.
class ImageReader {
 public:
  /// `images`: the entries that names refer to, or nullptr. All of them are read at once, so that a fault in one that
  /// no message uses is found, too. `selection` must outlive the reader.
  ImageReader(const Selection& selection, const Json* images, const std::string& where);

  /// An image that the place asks to be of this kind. Throws Refusal that names the key.
  [[nodiscard]] ImageInfo read(const Json& json, const std::string& where, ImageKind kind) const;
  /// The kind that the profile's conditioning images have.
  [[nodiscard]] ImageKind conditioning_kind() const;

 private:
  [[nodiscard]] ImageInfo from_pixels(const ImageSize& size, const std::string& where, ImageKind kind) const;
  [[nodiscard]] ImageInfo from_object(const Json& json, const std::string& where, ImageKind kind,
                                      bool kind_is_known) const;

  const Selection& selection_;
  const Json* images_;
  std::string where_;
};

}  // namespace hunyuan_reso::cli

#endif  // HUNYUAN_RESO_CLI_REQUEST_IMAGES_HPP
