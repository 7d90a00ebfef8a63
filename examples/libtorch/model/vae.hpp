// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_VAE_HPP
#define HUNYUAN_GENERATE_VAE_HPP

#include <ATen/ATen.h>  // Tensor

#include <algorithm>  // reverse
#include <cstdint>    // int64_t
#include <optional>   // optional
#include <vector>     // vector

#include "adapter/error.hpp"
#include "model/attention.hpp"
#include "model/config.hpp"
#include "model/modules.hpp"
#include "model/weights.hpp"

namespace hunyuan_generate {

/// Moves channels into space and time. Input [B, f c, T, h, w] with f = 4 `frames`; the channel index is read as
/// (a, b, d, ch), ch fastest, and lands at frame t frames + a, row 2 i + b, column 2 j + d of [B, c, T frames, 2h, 2w].
inline at::Tensor channels_to_space(const at::Tensor& x, std::int64_t frames) {
  const std::int64_t batch = x.size(0), out = x.size(1) / (4 * frames), t = x.size(2), h = x.size(3), w = x.size(4);
  if (x.is_contiguous(at::MemoryFormat::ChannelsLast3d) && !x.is_contiguous()) {  // and so it stays
    return x.permute({0, 2, 3, 4, 1})
        .reshape({batch, t, h, w, frames, 2, 2, out})
        .permute({0, 1, 4, 2, 5, 3, 6, 7})
        .reshape({batch, t * frames, h * 2, w * 2, out})
        .permute({0, 4, 1, 2, 3});
  }
  return x.reshape({batch, frames, 2, 2, out, t, h, w})
      .permute({0, 4, 5, 1, 6, 2, 7, 3})
      .reshape({batch, out, t * frames, h * 2, w * 2});
}
/// The inverse. Frames must be a multiple of `frames`, height and width even.
inline at::Tensor space_to_channels(const at::Tensor& x, std::int64_t frames) {
  const std::int64_t batch = x.size(0), c = x.size(1), t = x.size(2) / frames, h = x.size(3) / 2, w = x.size(4) / 2;
  return x.reshape({batch, c, t, frames, h, 2, w, 2})
      .permute({0, 3, 5, 7, 1, 2, 4, 6})
      .reshape({batch, 4 * frames * c, t, h, w});
}

inline constexpr double vae_norm_eps = 1e-6;  // unlike the backbone's 1e-5

/// Two 3-D convolutions with a shortcut.
class VaeResidualBlock {
 public:
  VaeResidualBlock(const WeightLoader& loader, std::int64_t in, std::int64_t out)
      : norm1_(loader.at("norm1"), in, vae_norm_eps),
        norm2_(loader.at("norm2"), out, vae_norm_eps),
        conv1_(loader.at("conv1"), out, in, 3, 3),
        conv2_(loader.at("conv2"), out, out, 3, 3) {
    if (in != out) shortcut_.emplace(loader.at("nin_shortcut"), out, in, 1, 3);
  }

  [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const {
    if (grid_kernels_take(x)) {  // the first bias goes into the norm behind it, the second into the sum
      const at::Tensor u = norm2_.silu(conv1_.without_bias(norm1_.silu(x)), {}, conv1_.bias());
      return add_bias(shortcut_ ? (*shortcut_)(x) : x, conv2_.without_bias(u), conv2_.bias());
    }
    const at::Tensor h = conv2_(norm2_.silu(conv1_(norm1_.silu(x))));
    return (shortcut_ ? (*shortcut_)(x) : x.to(h.scalar_type())) + h;
  }

 private:
  GroupNorm norm1_, norm2_;
  Conv conv1_, conv2_;
  std::optional<Conv> shortcut_;
};

/// Residual block, attention over all positions of all frames, residual block.
class VaeMiddle {
 public:
  VaeMiddle(const WeightLoader& loader, std::int64_t channels)
      : block_1_(loader.at("block_1"), channels, channels),
        block_2_(loader.at("block_2"), channels, channels),
        norm_(loader.at("attn_1.norm"), channels, vae_norm_eps),
        q_(loader.at("attn_1.q"), channels, channels, 1, 3),
        k_(loader.at("attn_1.k"), channels, channels, 1, 3),
        v_(loader.at("attn_1.v"), channels, channels, 1, 3),
        proj_out_(loader.at("attn_1.proj_out"), channels, channels, 1, 3) {}
  /// The probe gets mid_block_1, mid_attn_1 and mid_block_2.
  [[nodiscard]] at::Tensor operator()(const at::Tensor& x, const Probe& probe) const {
    at::Tensor y = block_1_(x);
    observe(probe, "mid_block_1", y);
    y = attend(y);
    observe(probe, "mid_attn_1", y);
    y = block_2_(y);
    observe(probe, "mid_block_2", y);
    return y;
  }

 private:
  [[nodiscard]] at::Tensor attend(const at::Tensor& x) const {
    const at::Tensor normed = norm_(x);
    // One head over all positions of all frames: [B, 1, T h w, channels].
    const auto tokens = [](const at::Tensor& y) { return y.flatten(2).transpose(1, 2).unsqueeze(1).contiguous(); };
    const at::Tensor mixed = attention(tokens(q_(normed)), tokens(k_(normed)), tokens(v_(normed)), at::Tensor());
    return x + proj_out_(mixed.squeeze(1).transpose(1, 2).reshape(x.sizes()));
  }

  VaeResidualBlock block_1_, block_2_;
  GroupNorm norm_;
  Conv q_, k_, v_, proj_out_;
};

/// One resolution of the encoder or the decoder: blocks, then a change of resolution where there is one.
struct VaeLevel {
  std::vector<VaeResidualBlock> blocks;
  std::optional<Conv> resample;
  std::int64_t frames = 1;    ///< 2 where the change of resolution also halves or doubles the frames
  std::int64_t channels = 0;  ///< after the change of resolution
};

inline std::int64_t log2_of(std::int64_t power_of_two) {
  std::int64_t exponent = 0;
  while (power_of_two > 1) {
    power_of_two /= 2;
    ++exponent;
  }
  return exponent;
}

inline std::vector<std::int64_t> reversed(std::vector<std::int64_t> list) {
  std::reverse(list.begin(), list.end());
  return list;
}

// The shortcuts of a change of resolution copy or average whole runs of channels.
inline void require_multiple(std::int64_t larger, std::int64_t smaller) {
  if (smaller == 0 || larger % smaller != 0) {
    throw Error("vae.block_out_channels: " + std::to_string(larger) + " channels are not a multiple of " +
                std::to_string(smaller));
  }
}

// Each channel copied so that there are `channels` of them, copies side by side.
inline at::Tensor repeat_channels(const at::Tensor& x, std::int64_t channels) {
  return x.repeat_interleave(channels / x.size(1), 1);
}

// Means over runs of neighbouring channels, `channels` of them.
inline at::Tensor average_channels(const at::Tensor& x, std::int64_t channels) {
  return x.unflatten(1, {channels, x.size(1) / channels}).mean(2);
}

inline void add_blocks(VaeLevel& level, const WeightLoader& loader, std::int64_t count, std::int64_t in,
                       std::int64_t out) {
  for (std::int64_t j = 0; j < count; ++j) {
    level.blocks.emplace_back(loader.at("block." + std::to_string(j)), j == 0 ? in : out, out);
  }
  level.channels = count > 0 ? out : in;
}

inline std::vector<VaeLevel> decoder_levels(const WeightLoader& loader, const VaeConfig& config) {
  const std::vector<std::int64_t> channels = reversed(config.block_out_channels);
  std::vector<VaeLevel> levels(channels.size());
  std::int64_t current = channels.front();
  for (std::size_t l = 0; l < channels.size(); ++l) {
    const WeightLoader at_level = loader.at("up." + std::to_string(l));
    const auto exponent = static_cast<std::int64_t>(l);
    add_blocks(levels[l], at_level, config.layers_per_block + 1, current, channels[l]);
    if (exponent < log2_of(config.ffactor_spatial)) {
      levels[l].frames = exponent < log2_of(config.ffactor_temporal) ? 2 : 1;
      const std::int64_t next = config.upsample_match_channel ? channels[l + 1] : channels[l];
      require_multiple(4 * levels[l].frames * next, channels[l]);
      levels[l].resample.emplace(at_level.at("upsample.conv"), 4 * levels[l].frames * next, channels[l], 3, 3);
      levels[l].channels = next;
    }
    current = levels[l].channels;
  }
  return levels;
}

inline std::vector<VaeLevel> encoder_levels(const WeightLoader& loader, const VaeConfig& config) {
  const std::vector<std::int64_t>& channels = config.block_out_channels;
  const std::int64_t spatial = log2_of(config.ffactor_spatial);
  const std::int64_t first_in_time = spatial - log2_of(config.ffactor_temporal);
  std::vector<VaeLevel> levels(channels.size());
  std::int64_t current = channels.front();
  for (std::size_t l = 0; l < channels.size(); ++l) {
    const WeightLoader at_level = loader.at("down." + std::to_string(l));
    const auto exponent = static_cast<std::int64_t>(l);
    add_blocks(levels[l], at_level, config.layers_per_block, current, channels[l]);
    if (exponent < spatial) {
      current = levels[l].channels;
      levels[l].frames = exponent >= first_in_time ? 2 : 1;
      const std::int64_t next = config.downsample_match_channel ? channels[l + 1] : current;
      require_multiple(next, 4 * levels[l].frames);
      require_multiple(4 * levels[l].frames * current, next);
      levels[l].resample.emplace(at_level.at("downsample.conv"), next / (4 * levels[l].frames), current, 3, 3);
      levels[l].channels = next;
    }
    current = levels[l].channels;
  }
  return levels;
}

inline at::Tensor upsample(const VaeLevel& level, const at::Tensor& x) {
  if (grid_kernels_take(x)) {
    return expand_channels(level.resample->without_bias(x), level.resample->bias(), x, level.frames);
  }
  const at::Tensor moved = (*level.resample)(x);
  return channels_to_space(moved, level.frames) +
         channels_to_space(repeat_channels(x, moved.size(1)), level.frames).to(moved.scalar_type());
}

inline at::Tensor downsample(const VaeLevel& level, const at::Tensor& x) {
  const at::Tensor moved = space_to_channels((*level.resample)(x), level.frames);
  return moved + average_channels(space_to_channels(x, level.frames), moved.size(1)).to(moved.scalar_type());
}

inline const WeightLoader& need(bool missing, const WeightLoader& loader, const char* part) {
  if (missing) throw Error(std::string("the checkpoint's configuration says that it has no VAE ") + part);
  return loader;
}

/// Latents to pixels. Arithmetic is in the loader's type, group norms in float32.
class VaeDecoder {
 public:
  /// Reads "vae.decoder.*"; `loader` has no prefix. Throws Error when the configuration says there is no decoder.
  VaeDecoder(const WeightLoader& loader, const VaeConfig& config)
      : config_(config),
        conv_in_(need(config.only_encoder, loader, "decoder").at("vae.decoder.conv_in"),
                 config.block_out_channels.back(), config.latent_channels, 3, 3),
        middle_(loader.at("vae.decoder.mid"), config.block_out_channels.back()),
        levels_(decoder_levels(loader.at("vae.decoder"), config)) {
    const std::int64_t channels = levels_.back().channels;
    norm_out_ = GroupNorm(loader.at("vae.decoder.norm_out"), channels, vae_norm_eps);
    conv_out_ = Conv(loader.at("vae.decoder.conv_out"), config.out_channels, channels, 3, 3);
  }

  /// Model latents [B, C, h, w] to the decoder's input, unscaled and unshifted, with one frame: [B, C, 1, h, w],
  /// float32.
  [[nodiscard]] at::Tensor unscale(const at::Tensor& latents) const {
    at::Tensor z = latents.to(at::kFloat) / config_.scaling_factor;
    if (config_.shift_factor) z = z + *config_.shift_factor;
    return z.unsqueeze(2);
  }

  /// Decoder input [B, C, T, h, w] to every frame [B, 3, T ft, h fs, w fs], about -1 .. 1. The probe gets conv_in, what
  /// VaeMiddle reports, and up{l}_block_{j}, up{l}_upsample for each level l.
  [[nodiscard]] at::Tensor frames(const at::Tensor& z, const Probe& probe) const {
    at::Tensor x = conv_in_(z);
    observe(probe, "conv_in", x);
    x = middle_(x + repeat_channels(z.to(x.scalar_type()), x.size(1)), probe);
    for (std::size_t l = 0; l < levels_.size(); ++l) {
      const std::string name = "up" + std::to_string(l) + "_";
      for (std::size_t j = 0; j < levels_[l].blocks.size(); ++j) {
        x = levels_[l].blocks[j](x);
        observe(probe, name + "block_" + std::to_string(j), x);
      }
      if (!levels_[l].resample) continue;
      x = upsample(levels_[l], x);
      observe(probe, name + "upsample", x);
    }
    return conv_out_(norm_out_.silu(x));
  }

  /// Model latents [B, C, h, w] to the image [B, 3, h fs, w fs], float32: the last frame.
  [[nodiscard]] at::Tensor decode(const at::Tensor& latents) const {
    return frames(unscale(latents), Probe()).select(2, -1).to(at::kFloat);
  }

 private:
  VaeConfig config_;
  Conv conv_in_, conv_out_;
  VaeMiddle middle_;
  std::vector<VaeLevel> levels_;
  GroupNorm norm_out_;
};

/// Pixels to latents, for conditioning images.
class VaeEncoder {
 public:
  /// Reads "vae.encoder.*"; `loader` has no prefix. Throws Error when the configuration says there is no encoder.
  VaeEncoder(const WeightLoader& loader, const VaeConfig& config)
      : config_(config),
        conv_in_(need(config.only_decoder, loader, "encoder").at("vae.encoder.conv_in"),
                 config.block_out_channels.front(), config.in_channels, 3, 3),
        levels_(encoder_levels(loader.at("vae.encoder"), config)),
        middle_(loader.at("vae.encoder.mid"), levels_.back().channels) {
    const std::int64_t channels = levels_.back().channels;
    require_multiple(channels, 2 * config.latent_channels);
    norm_out_ = GroupNorm(loader.at("vae.encoder.norm_out"), channels, vae_norm_eps);
    conv_out_ = Conv(loader.at("vae.encoder.conv_out"), 2 * config.latent_channels, channels, 3, 3);
  }

  /// Pixels [B, 3, H, W] in -1 .. 1 to mean and log variance (unclamped), one after the other: [B, 2C, H / fs, W / fs],
  /// float32. H and W must be multiples of fs.
  [[nodiscard]] at::Tensor moments(const at::Tensor& pixels, const Probe& probe) const {
    if (pixels.size(2) % config_.ffactor_spatial != 0 || pixels.size(3) % config_.ffactor_spatial != 0) {
      throw Error("an image of height and width " + shape_text(pixels.sizes().slice(2)) +
                  " cannot be encoded: they must be multiples of " + std::to_string(config_.ffactor_spatial));
    }
    at::Tensor x = conv_in_(pixels.unsqueeze(2).expand({-1, -1, config_.ffactor_temporal, -1, -1}));
    observe(probe, "conv_in", x);
    for (std::size_t l = 0; l < levels_.size(); ++l) {
      for (const VaeResidualBlock& block : levels_[l].blocks) x = block(x);
      if (!levels_[l].resample) continue;
      x = downsample(levels_[l], x);
      observe(probe, "down" + std::to_string(l) + "_downsample", x);
    }
    x = middle_(x, probe);
    const at::Tensor shortcut = average_channels(x, 2 * config_.latent_channels);
    return (conv_out_(norm_out_.silu(x)) + shortcut).select(2, 0).to(at::kFloat);
  }

  /// Latents as the backbone takes them, [B, C, h, w], float32: mean + exp(logvar / 2) noise with the log variance
  /// clamped to -30 .. 20, shifted and scaled. `noise` is standard normal, [B, C, h, w].
  [[nodiscard]] at::Tensor sample(const at::Tensor& moments, const at::Tensor& noise) const {
    const std::vector<at::Tensor> halves = moments.chunk(2, 1);
    at::Tensor latents = halves[0] + halves[1].clamp(-30, 20).mul(0.5).exp() * noise.to(at::kFloat);
    if (config_.shift_factor) latents = latents - *config_.shift_factor;
    return latents * config_.scaling_factor;
  }

 private:
  VaeConfig config_;
  Conv conv_in_, conv_out_;
  std::vector<VaeLevel> levels_;
  VaeMiddle middle_;
  GroupNorm norm_out_;
};

/// Image [B, 3, H, W], about -1 .. 1, to 8-bit pixels [B, H, W, 3]: clamped, halves rounded to even.
inline at::Tensor to_pixels(const at::Tensor& image) {
  const at::Tensor unit = (image.to(at::kFloat) / 2 + 0.5).clamp(0, 1);
  return (unit * 255).round().to(at::kByte).permute({0, 2, 3, 1}).contiguous();
}

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_VAE_HPP
