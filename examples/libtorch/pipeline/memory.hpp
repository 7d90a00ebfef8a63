// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_MEMORY_HPP
#define HUNYUAN_GENERATE_MEMORY_HPP

#include <cstdint>  // int64_t
#include <string>   // string

#include "pipeline/devices.hpp"
#include "pipeline/request.hpp"

namespace hunyuan_generate {

/// Bytes that one picture of a request needs on its devices. Weights and cache follow from the shapes; the rest is an
/// estimate, made at the published shape.
struct MemoryNeed {
  std::int64_t weights = 0;   ///< of all that is loaded
  std::int64_t cache = 0;     ///< keys and values of the picture's rows
  std::int64_t working = 0;   ///< values between the layers of step 0
  std::int64_t decoding = 0;  ///< values inside the VAE, when cache and working memory are gone

  [[nodiscard]] std::int64_t loop() const noexcept { return cache + working; }
  [[nodiscard]] std::int64_t total() const noexcept { return weights + (loop() > decoding ? loop() : decoding); }
};
MemoryNeed memory_need(const PlannedRequest& planned, const ModelConfig& config);

/// Pictures, 1 to `wanted`, whose rows can share a loop in `room` bytes.
std::int32_t pictures_at_once(const MemoryNeed& need, std::int64_t room, std::int32_t wanted);

/// The decoder layers that have to stay in host memory for a request on the one device of `load`: a number that
/// `option` gives, or for "auto" the fewest that do. Throws Error where the number has no meaning.
hunyuan_reso::LayerStreaming choose_streaming(const std::string& option, const PlannedRequest& planned,
                                              const MemoryNeed& need, const LoadOptions& load);

/// To be called before anything is loaded: throws Error when the devices, or the host for streamed layers, have not
/// enough free memory, naming what would fit.
void require_memory(const PlannedRequest& planned, const MemoryNeed& need, const LoadOptions& load,
                    const hunyuan_reso::LayerStreaming& streaming);

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_MEMORY_HPP
