// SPDX-License-Identifier: MIT
#include "pipeline/memory.hpp"

#include <algorithm>  // max, min
#include <cstdlib>    // strtol

#include "adapter/error.hpp"

namespace hunyuan_generate {
namespace {

namespace hr = hunyuan_reso;

std::int64_t free_on(const std::vector<at::Device>& devices) {
  std::int64_t sum = 0;
  for (const at::Device device : devices) sum += free_memory(device);
  return sum;
}

std::string gib(std::int64_t bytes) {
  char text[40];
  std::snprintf(text, sizeof text, "%.3g GiB", in_gib(bytes));
  return text;
}

}  // namespace

MemoryNeed memory_need(const PlannedRequest& planned, const ModelConfig& config) {
  const hr::GenerationPlan& plan = planned.plan();
  const hr::ModelProfile& profile = planned.profile();
  const std::int64_t element = planned.request().precision == hr::Precision::fp32 ? 4 : 2;
  MemoryNeed need;
  need.weights = plan.weight_bytes + plan.vae_bytes;
  need.cache = plan.kv_bytes;
  // Of each token: what its experts take and give, twice over in the worst moment, and the residual stream in several
  // forms, some of them in 32 bits.
  const std::int64_t expert = 3 * std::int64_t{profile.expert_intermediate_size} + profile.hidden_size;
  const std::int64_t token =
      element * (2 * profile.experts_per_token * expert + 16 * std::int64_t{profile.hidden_size});
  need.working = token * plan.cfg_rows * plan.sequence_length;
  // The last level of the decoder: its channels for each pixel of all frames, in two types and with copies.
  std::int64_t pixels = std::int64_t{plan.image.image_height} * plan.image.image_width;
  const hr::EnlargementPlan* const enlargement = planned.enlargement();
  if (enlargement != nullptr && enlargement->is_refined) {  // the tiles of a call
    const std::int64_t tokens = std::int64_t{enlargement->tile.cfg_rows} * enlargement->tile.sequence_length;
    need.cache = std::max(need.cache, enlargement->kv_bytes);
    need.working = std::max(need.working, token * tokens * enlargement->tiles_at_once);
    pixels = std::max(pixels, enlargement->tiles.tile_size().pixel_count());
  }
  need.decoding = 16 * pixels * config.vae.block_out_channels.front() * config.vae.ffactor_temporal;
  return need;
}

std::int32_t pictures_at_once(const MemoryNeed& need, std::int64_t room, std::int32_t wanted) {
  const std::int64_t fit = room / std::max<std::int64_t>(1, need.loop());
  return static_cast<std::int32_t>(std::clamp<std::int64_t>(fit, 1, std::max(1, wanted)));
}

hr::LayerStreaming choose_streaming(const std::string& option, const PlannedRequest& planned, const MemoryNeed& need,
                                    const LoadOptions& load) {
  const hr::ModelProfile& profile = planned.profile();
  const hr::Precision precision = planned.request().precision;
  if (option.empty()) return hr::stream_layers(profile, precision, 0);
  if (load.layer_devices.size() > 1) throw Error("--stream: layers are streamed to one device, not to several");
  if (option == "auto") {
    const std::int64_t rest = need.total() - need.weights;
    return hr::fewest_streamed_layers(profile, precision, free_memory(load.device) - rest);
  }
  const bool digits = option.size() <= 6 && option.find_first_not_of("0123456789") == std::string::npos;
  const long layers = digits ? std::strtol(option.c_str(), nullptr, 10) : -1;
  if (layers < 0 || layers > profile.layers) {
    throw Error("--stream: '" + option + "' is neither auto nor a number of layers up to " +
                std::to_string(profile.layers));
  }
  return hr::stream_layers(profile, precision, static_cast<std::int32_t>(layers));
}

void require_memory(const PlannedRequest& planned, const MemoryNeed& need, const LoadOptions& load,
                    const hr::LayerStreaming& streaming) {
  const std::vector<at::Device> devices = load.devices();
  const std::int64_t there = free_on(devices), rest = need.total() - need.weights;
  const std::int64_t all = hr::stream_layers(planned.profile(), planned.request().precision, 0).device_bytes;
  const std::int64_t needed = need.total() - all + streaming.device_bytes;
  const std::int64_t host = free_memory(at::kCPU);
  if (streaming.layers > 0 && host > 0 && !load.device.is_cpu() && streaming.host_bytes > host) {
    throw Error(std::to_string(streaming.layers) + " streamed layers take " + gib(streaming.host_bytes) +
                " of host memory, but " + gib(host) + " are free");
  }
  if (there <= 0 || needed <= there) return;

  std::string fits;
  const auto add = [&](const std::string& what) { fits += (fits.empty() ? "" : "; ") + what; };
  const auto weights_as = [&](hr::Precision precision) {
    return hr::weight_bytes(planned.profile(), precision).total();
  };
  if (load.dtype == at::kFloat && weights_as(hr::Precision::bf16) + rest / 2 <= there) {
    add("--dtype bf16 (" + gib(weights_as(hr::Precision::bf16) + rest / 2) + ")");
  }
  if (planned.request().precision == hr::Precision::bf16 && small_products(load.device) &&
      weights_as(hr::Precision::fp8) + rest <= there) {
    add("--dtype fp8 (" + gib(weights_as(hr::Precision::fp8) + rest) + ")");
  }
  if (!load.device.is_cpu()) {
    const std::int64_t each = there / static_cast<std::int64_t>(devices.size());
    const std::int64_t number = each > rest ? (need.weights + each - rest - 1) / (each - rest) : 0;
    if (number > 0) add("--devices with " + std::to_string(number) + " like these");
    const hr::LayerStreaming few = choose_streaming("auto", planned, need, {devices.front(), {}, load.dtype});
    if (devices.size() == 1 && few.device_bytes + rest <= there && few.host_bytes <= host) {
      add("--stream auto, with " + std::to_string(few.layers) + " layers, " + gib(few.host_bytes) + ", in host memory");
    }
  }
  throw Error("weights " + gib(need.weights) + ", cache " + gib(need.cache) + " and about " +
              gib(std::max<std::int64_t>(0, rest - need.cache)) + " of working memory take " + gib(needed) + ", but " +
              gib(there) + " are free on " + (devices.size() == 1 ? devices.front().str() : "the devices named") +
              (fits.empty() ? ": nothing that this program has would fit" : "; what would fit: " + fits));
}

}  // namespace hunyuan_generate
