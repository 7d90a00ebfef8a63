// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_CHECK_HPP
#define HUNYUAN_GENERATE_CHECK_HPP

#include <filesystem>  // path

#include "model/model.hpp"

namespace hunyuan_generate {

/// Runs the requests that are recorded in a checkpoint folder (requests.json, expected.json, io.safetensors) through
/// the functions of hunyuan-generate and compares everything recorded; prints a line a case and a closing count. With
/// `recorded_noise` noise is taken from the recording, for libraries that draw other numbers. `only`: one case; empty:
/// all. Returns whether all are within their limits.
bool check_requests(const std::filesystem::path& folder, const LoadOptions& load, bool recorded_noise,
                    const std::string& only);

/// Compares the inputs of both towers for the pictures recorded in `folder` (NAME.json and NAME.safetensors).
bool check_pixels(const std::filesystem::path& folder);

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_CHECK_HPP
