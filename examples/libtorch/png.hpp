// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_PNG_HPP
#define HUNYUAN_GENERATE_PNG_HPP

#include <ATen/ATen.h>  // Tensor

#include <string>  // string

namespace hunyuan_generate {

/// Throws Error when no file can be made at `path`: no such folder, not writable, or a name that does not end in .png.
/// To be called before minutes of work.
void require_png_path(const std::string& path);

/// Writes 8-bit RGB pixels, uint8 [height, width, 3], as a PNG file. The file appears complete or not at all: it is
/// written beside its place and moved there, and an interrupt (Ctrl-C, SIGTERM) in between waits. Throws Error.
void write_png(const std::string& path, const at::Tensor& pixels);

/// Reads a PNG file as uint8 [height, width, 3]. Throws Error.
at::Tensor read_png(const std::string& path);

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_PNG_HPP
