// SPDX-License-Identifier: MIT
// Parts that the recorded checkpoints do not reach, against slow and plain formulations: the VAE encoder, attention in
// chunks, the ways to compute experts, dropping, rearrangements, resized positions, pixels.
#include <algorithm>  // max
#include <cmath>      // exp, sqrt
#include <cstdint>    // INT64_MAX
#include <tuple>      // tuple

#include "model/attention.hpp"
#include "model/moe.hpp"
#include "model/vae.hpp"
#include "model/vision.hpp"
#include "tests/test_support.hpp"

namespace hunyuan_generate {
namespace {

using Tensors = std::map<std::string, at::Tensor>;

at::Tensor plain_attention(const at::Tensor& q, at::Tensor k, at::Tensor v, const at::Tensor& mask) {
  const std::int64_t repeats = q.size(1) / k.size(1);
  k = k.repeat_interleave(repeats, 1);
  v = v.repeat_interleave(repeats, 1);
  at::Tensor scores = at::matmul(q, k.transpose(2, 3)) / std::sqrt(static_cast<double>(q.size(3)));
  if (mask.defined()) scores = scores.masked_fill(mask.logical_not(), -1e30);
  return at::matmul(at::softmax(scores, -1), v);
}

// The encoder's formulas; weights are drawn where a name is met first.
class PlainEncoder {
 public:
  at::Tensor conv(const at::Tensor& x, const std::string& name, std::int64_t out, std::int64_t kernel) {
    at::Tensor& weight = weights["vae.encoder." + name + ".weight"];
    at::Tensor& bias = weights["vae.encoder." + name + ".bias"];
    if (!weight.defined()) {
      const double scale = 1 / std::sqrt(static_cast<double>(x.size(1) * kernel * kernel * kernel));
      weight = at::randn({out, x.size(1), kernel, kernel, kernel}) * scale;
      bias = at::randn({out}) * 0.1;
    }
    return at::conv3d(x, weight, bias, 1, kernel == 3 ? 1 : 0);
  }

  at::Tensor norm(const at::Tensor& x, const std::string& name) {
    const at::Tensor groups = x.reshape({x.size(0), 32, -1});
    const at::Tensor centred = groups - groups.mean(2, true);
    const at::Tensor unit = (centred / (centred.square().mean(2, true) + 1e-6).sqrt()).view(x.sizes());
    at::Tensor& weight = weights["vae.encoder." + name + ".weight"];
    at::Tensor& bias = weights["vae.encoder." + name + ".bias"];
    if (!weight.defined()) {
      weight = 1 + 0.1 * at::randn({x.size(1)});
      bias = 0.1 * at::randn({x.size(1)});
    }
    const std::vector<std::int64_t> shape{1, -1, 1, 1, 1};
    return unit * weight.view(shape) + bias.view(shape);
  }

  at::Tensor block(const at::Tensor& x, const std::string& name, std::int64_t out) {
    at::Tensor h = norm(x, name + ".norm1");
    h = conv(h * h.sigmoid(), name + ".conv1", out, 3);
    h = norm(h, name + ".norm2");
    h = conv(h * h.sigmoid(), name + ".conv2", out, 3);
    return h + (x.size(1) != out ? conv(x, name + ".nin_shortcut", out, 1) : x);
  }

  at::Tensor attend(const at::Tensor& x) {
    const at::Tensor normed = norm(x, "mid.attn_1.norm");
    const auto flat = [&](const char* name) {
      return conv(normed, std::string("mid.attn_1.") + name, x.size(1), 1).flatten(2);
    };
    const at::Tensor scores = at::bmm(flat("q").transpose(1, 2), flat("k")) / std::sqrt(static_cast<double>(x.size(1)));
    const at::Tensor mixed = at::bmm(flat("v"), at::softmax(scores, -1).transpose(1, 2));
    return x + conv(mixed.view(x.sizes()), "mid.attn_1.proj_out", x.size(1), 1);
  }

  static at::Tensor to_channels(const at::Tensor& x, std::int64_t frames) {
    std::vector<at::Tensor> parts;
    for (std::int64_t a = 0; a < frames; ++a) {
      for (std::int64_t b = 0; b < 2; ++b) {
        for (std::int64_t d = 0; d < 2; ++d) {
          parts.push_back(x.slice(2, a, INT64_MAX, frames).slice(3, b, INT64_MAX, 2).slice(4, d, INT64_MAX, 2));
        }
      }
    }
    return at::cat(parts, 1);
  }

  static at::Tensor average(const at::Tensor& x, std::int64_t channels) {
    std::vector<at::Tensor> means;
    for (const at::Tensor& run : x.chunk(channels, 1)) means.push_back(run.mean(1, true));
    return at::cat(means, 1);
  }

  // Four levels, two of which downsample, the second also in time.
  at::Tensor moments(const at::Tensor& pixels, std::int64_t latent_channels) {
    at::Tensor x = conv(at::stack({pixels, pixels}, 2), "conv_in", 32, 3);
    for (const std::int64_t level : {0, 1, 2, 3}) {
      const std::string name = "down." + std::to_string(level);
      x = block(x, name + ".block.0", level == 3 ? 96 : x.size(1));
      if (level >= 2) continue;
      const std::int64_t frames = level + 1;
      const at::Tensor moved = to_channels(conv(x, name + ".downsample.conv", 64 / (4 * frames), 3), frames);
      x = moved + average(to_channels(x, frames), moved.size(1));
    }
    x = block(attend(block(x, "mid.block_1", 96)), "mid.block_2", 96);
    const at::Tensor h = norm(x, "norm_out");
    return (conv(h * h.sigmoid(), "conv_out", 16, 3) + average(x, 2 * latent_channels)).select(2, 0);
  }

  Tensors weights;
};

class NumericsTest : TestReport {
 public:
  int run() {
    rearrangements();
    attention_paths();
    experts();
    encoder();
    patch_positions();
    pixels();
    return finish();
  }

 private:
  // Single float32 operations in another order.
  static constexpr double close = 2e-5;

  void rearrangements() {
    for (const std::int64_t frames : {1, 2}) {
      const std::int64_t out = 3;
      const at::Tensor x = at::randn({2, 4 * frames * out, 2, 3, 5});
      const at::Tensor y = channels_to_space(x, frames);
      near(space_to_channels(y, frames), x, 0, "space_to_channels is the inverse");
      near(PlainEncoder::to_channels(y, frames), x, 0, "channel order");
      const at::Tensor entry = x[1][((frames - 1) * 4 + 2 * 1 + 0) * out + 2][1][2][3];
      near(y[1][2][frames + frames - 1][2 * 2 + 1][2 * 3], entry, 0, "one element by the formula");
    }
  }

  void attention_paths() {
    const at::Tensor q = at::randn({2, 6, 7, 8}), k = at::randn({2, 3, 11, 8}), v = at::randn({2, 3, 11, 8});
    at::Tensor mask = at::rand({2, 1, 7, 11}).gt(0.5);
    mask.select(3, 0).fill_(true);
    const at::Tensor keys_only = mask.narrow(2, 0, 1);
    for (const at::Tensor& each : {at::Tensor(), mask, keys_only}) {
      const at::Tensor expected = plain_attention(q, k, v, each);
      near(attention(q, k, v, each), expected, close, "attention");
      for (const std::int64_t chunk : {1, 400, 1 << 20}) {
        near(chunked_attention(q, k, v, each, chunk), expected, close,
             "attention in chunks of " + std::to_string(chunk));
      }
    }
  }

  Moe make_moe(const ModelConfig& config, Tensors& weights) {
    const LayerConfig& layer = config.layers[0];
    const std::int64_t hidden = config.hidden_size, width = layer.expert_width;
    weights["gate.wg.weight"] = at::randn({layer.experts, hidden});
    for (std::int64_t e = 0; e < layer.experts; ++e) {
      weights["experts." + std::to_string(e) + ".gate_and_up_proj.weight"] = at::randn({2 * width, hidden}) / 6;
      weights["experts." + std::to_string(e) + ".down_proj.weight"] = at::randn({hidden, width}) / 6;
    }
    weights["shared_mlp.gate_and_up_proj.weight"] = at::randn({2 * layer.shared_width, hidden}) / 6;
    weights["shared_mlp.down_proj.weight"] = at::randn({hidden, layer.shared_width}) / 6;
    write_safetensors(folder_.path() / "model.safetensors", weights);
    return Moe(WeightLoader(Checkpoint(folder_.path()), at::kFloat, at::kCPU), config, layer);
  }

  // Token by token, in the order in which upstream fills its experts; capacity 0 means no limit.
  static at::Tensor plain_mixture(const at::Tensor& x, const Tensors& weights, const LayerConfig& layer,
                                  std::int64_t capacity) {
    const auto mlp = [&](const std::string& name, const at::Tensor& row) {
      const at::Tensor packed = at::mv(weights.at(name + "gate_and_up_proj.weight"), row);
      const at::Tensor gate = packed.slice(0, packed.size(0) / 2);
      return at::mv(weights.at(name + "down_proj.weight"),
                    packed.slice(0, 0, packed.size(0) / 2) * gate * gate.sigmoid());
    };
    at::Tensor out = at::empty_like(x);
    for (std::int64_t t = 0; t < x.size(0); ++t) out[t] = mlp("shared_mlp.", x[t]);
    const at::Tensor p = at::softmax(at::matmul(x, weights.at("gate.wg.weight").t()), 1);
    std::vector<std::int64_t> filled(static_cast<std::size_t>(layer.experts), 0);
    for (std::int64_t choice = 0; choice < layer.topk; ++choice) {
      for (std::int64_t t = 0; t < x.size(0); ++t) {
        const auto [order_p, order] = p[t].sort(0, /*descending=*/true);
        const auto e = order[choice].item<std::int64_t>();
        if (capacity > 0 && filled[static_cast<std::size_t>(e)]++ >= capacity) continue;
        const at::Tensor weight = order_p[choice] / order_p.narrow(0, 0, layer.topk).sum();
        out[t] += weight * mlp("experts." + std::to_string(e) + ".", x[t]);
      }
    }
    return out;
  }

  void experts() {
    ModelConfig config;
    config.hidden_size = 32;
    config.capacity_factor = 1.2;
    config.layers = {{false, 7, 3, 16, 24}};
    const LayerConfig& layer = config.layers[0];
    Tensors weights;
    const Moe moe = make_moe(config, weights);
    // Tokens that resemble each other leave some experts empty and overfill others.
    for (const double spread : {1.0, 0.1}) {
      const at::Tensor x = at::randn({1, 32}) + spread * at::randn({40, 32});
      const std::int64_t capacity = expert_capacity(40, layer, config.capacity_factor);
      check(capacity == 20, "capacity");  // floor(max(3, floor(3 * 40 / 7)) * 1.2)
      for (const ExpertPath path : {ExpertPath::sorted, ExpertPath::every_expert}) {
        near(moe.forward(x, path, false, {}), plain_mixture(x, weights, layer, 0), close, "mixture");
        near(moe.forward(x, path, true, {}), plain_mixture(x, weights, layer, capacity), close,
             "mixture with dropping");
      }
    }
    single_choice(config);
  }

  // With one choice a token nothing is normalised: the probability times routed_scaling_factor.
  void single_choice(ModelConfig config) {
    config.layers[0].topk = 1;
    config.routed_scaling_factor = 2.5;
    Tensors weights;
    const Moe moe = make_moe(config, weights);
    const at::Tensor x = at::randn({5, 32});
    const at::Tensor p = at::softmax(at::matmul(x, weights.at("gate.wg.weight").t()), 1);
    near(moe.route(x).weight, std::get<0>(p.max(1, true)) * 2.5, close, "one choice");
  }

  void encoder() {
    VaeConfig config;
    config.latent_channels = 8;
    config.block_out_channels = {32, 64, 64, 96};
    config.layers_per_block = 1;
    config.ffactor_spatial = 4;
    config.ffactor_temporal = 2;
    config.scaling_factor = 0.5;
    config.shift_factor = 0.25;
    const at::Tensor image = at::rand({1, 3, 8, 12}) * 2 - 1, noise = at::randn({1, 8, 2, 3});
    PlainEncoder plain;
    const at::Tensor expected = plain.moments(image, 8);
    write_safetensors(folder_.path() / "model.safetensors", plain.weights);
    const Checkpoint checkpoint(folder_.path());
    const VaeEncoder vae(WeightLoader(checkpoint, at::kFloat, at::kCPU), config);
    check(checkpoint.unused().empty(), "every tensor of the encoder is used");

    const at::Tensor moments = vae.moments(image, {});
    near(moments, expected, 1e-4, "encoder");
    const at::Tensor mean = moments.narrow(1, 0, 8), deviation = (moments.narrow(1, 8, 8) / 2).exp();
    near(vae.sample(moments, noise), (mean + deviation * noise - 0.25) * 0.5, close, "latents");
    // Log variances beyond the limits count as -30 and 20; the noise is such that both show.
    for (const auto& [log_variance, limit, size] :
         {std::tuple<double, double, double>{-100, -30, 1e6}, {100, 20, 1e-3}}) {
      const at::Tensor extreme = at::cat({at::zeros({1, 8, 1, 1}), at::full({1, 8, 1, 1}, log_variance)}, 1);
      const at::Tensor clamped = at::full({1, 8, 1, 1}, (std::exp(limit / 2) * size - 0.25) * 0.5);
      near(vae.sample(extreme, at::full({1, 8, 1, 1}, size)), clamped, close, "clamped variance");
    }
  }

  // Row i of a resize from `in` to `out` values: a triangle as wide as the scale, cut at the border and normalised.
  static at::Tensor resize_weights(std::int64_t in, std::int64_t out) {
    const double scale = static_cast<double>(in) / static_cast<double>(out), support = std::max(scale, 1.0);
    const at::Tensor centres = (at::arange(out, at::kDouble) + 0.5) * scale;
    const at::Tensor distance = (at::arange(in, at::kDouble) + 0.5 - centres.unsqueeze(1)).abs() / support;
    const at::Tensor weights = (1 - distance).clamp_min(0);
    return (weights / weights.sum(1, true)).to(at::kFloat);
  }

  // A vision tower without layers and with patches of zero shows its positions; smaller grids need the antialiasing.
  void patch_positions() {
    VisionConfig config;
    config.hidden_size = 3;
    config.heads = config.channels = config.patch_size = config.aligner_depth = 1;
    config.position_side = 6;
    Tensors weights;
    weights["vision_model.embeddings.patch_embedding.weight"] = at::zeros({3, 1});
    weights["vision_model.embeddings.patch_embedding.bias"] = at::zeros({3});
    weights["vision_model.embeddings.position_embedding.weight"] = at::randn({36, 3});
    weights["vision_model.post_layernorm.weight"] = weights["vision_model.post_layernorm.bias"] = at::ones({3});
    weights["vision_aligner.layers.0.weight"] = at::ones({4, 3});
    weights["vision_aligner.layers.0.bias"] = at::ones({4});
    write_safetensors(folder_.path() / "model.safetensors", weights);
    const VisionTower tower(WeightLoader(Checkpoint(folder_.path()), at::kFloat, at::kCPU), config, 4);

    const at::Tensor table = weights.at("vision_model.embeddings.position_embedding.weight").view({6, 6, 3});
    for (const auto& [height, width] : {std::pair<std::int64_t, std::int64_t>{2, 4}, {6, 6}, {9, 3}}) {
      const at::Tensor rows = at::tensordot(resize_weights(6, height), table, {1}, {0});  // [height, 6, 3]
      const at::Tensor grid = at::einsum("xw,hwc->hxc", {resize_weights(6, width), rows}).reshape({-1, 3});
      const std::int64_t slots = height * width + 2;
      at::Tensor found;
      const Probe probe = [&](const std::string& name, const at::Tensor& value) {
        if (name == "vit_embeddings") found = value;
      };
      (void)tower.forward(at::zeros({1, slots, 1}), at::tensor({height, width}, at::kLong).view({1, 2}),
                          at::ones({1, slots}), probe);
      near(found, at::cat({grid, grid.narrow(0, 0, 1), grid.narrow(0, 0, 1)}).unsqueeze(0), close,
           "positions of patches");
    }
  }

  void pixels() {
    // 255 (x / 2 + 0.5) is 127.5 for 0: the half goes to the even neighbour. The rest is clamped or exact.
    const at::Tensor image = at::tensor({0.0F, 1.0F, -1.0F, 3.0F, -3.0F, 0.2F}).view({1, 3, 1, 2});  // two per channel
    const at::Tensor expected = at::tensor({128, 0, 0, 255, 255, 153}, at::kByte).view({1, 1, 2, 3});
    check(to_pixels(image).equal(expected), "pixels");
  }

  TemporaryFolder folder_;
};

}  // namespace
}  // namespace hunyuan_generate

int main() {
  return hunyuan_generate::run_test("hunyuan-generate-numerics-test",
                                    [] { return hunyuan_generate::NumericsTest().run(); });
}
