// SPDX-License-Identifier: MIT
#ifndef ENGINE_ENGINE_HPP
#define ENGINE_ENGINE_HPP

#include <hunyuan_reso/hunyuan_reso.hpp>

/// The ratio index that the engine generates for a size in pixels.
std::size_t engine_ratio_index(std::int32_t width, std::int32_t height);

#endif  // ENGINE_ENGINE_HPP
