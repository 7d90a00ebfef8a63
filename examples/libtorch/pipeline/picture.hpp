// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_PICTURE_HPP
#define HUNYUAN_GENERATE_PICTURE_HPP

#include <ATen/ATen.h>  // Tensor

#include <string>   // string
#include <utility>  // pair
#include <vector>   // vector

namespace hunyuan_generate {

/// Reads a PNG, JPEG or WebP file (by its content) as RGB, uint8 [height, width, 3], after its EXIF orientation. Alpha
/// is dropped, grey repeated, palettes looked up. Throws Error naming the file, also for a format that this program was
/// built without.
at::Tensor read_picture(const std::string& path);
/// The same from bytes; `where` names them.
at::Tensor decode_picture(const std::string& bytes, const std::string& where);

/// Texts to be stored in a picture, with their keys.
using PictureTexts = std::vector<std::pair<std::string, std::string>>;

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

/// Throws Error when no picture can be made at `path`: an ending other than .png, .jpg, .jpeg or .webp, no such folder,
/// not writable, or a folder itself. To be called before minutes of work.
void require_picture_path(const std::string& path);

/// Writes 8-bit RGB pixels, uint8 [height, width, 3], in the format that the ending names; the texts go into PNG files
/// only. The file appears complete or not at all: it is written beside its place and moved there, and a signal that
/// ends the program (see clean_up_on_signals) removes what is there by then. Throws Error.
void write_picture(const std::string& path, const at::Tensor& pixels, const PictureTexts& texts = {});
/// The same for a text file.
void write_text_file(const std::string& path, const std::string& text);

/// From now on SIGINT, SIGTERM and SIGHUP remove a file that is being written, in whichever thread they arrive, before
/// they end the program.
void clean_up_on_signals();
/// No file is written any more, and one that is being written by another thread is removed. For a program that is about
/// to end.
void stop_writing_files();

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_PICTURE_HPP
