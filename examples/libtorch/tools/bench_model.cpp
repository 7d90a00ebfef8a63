// SPDX-License-Identifier: MIT
// What the measurements have in common: random models, ceilings, the work of a step.
#include <ATen/Context.h>  // manual_seed

#include <algorithm>  // sort

#include "model/products.hpp"
#include "tools/bench.hpp"

namespace hunyuan_generate {

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

ModelConfig published_shape(std::int64_t layers, std::int64_t hidden, Coder coder) {
  ModelConfig config;
  config.vocab_size = 133120;
  config.hidden_size = hidden;
  config.heads = 32;
  config.key_value_heads = 8;
  config.head_dim = 128;
  config.layers.assign(static_cast<std::size_t>(layers), {false, 64, 8, 3072 * hidden / 4096, 3072 * hidden / 4096});
  config.patch_embed_hidden_dim = 1024;
  config.vae.latent_channels = 32;
  config.vae.only_encoder = coder == Coder::none;
  config.vae.only_decoder = coder == Coder::decoder;
  config.vae.block_out_channels = {128, 256, 512, 1024, 1024};
  config.vae.layers_per_block = 2;
  config.vae.ffactor_spatial = 16;
  config.vae.ffactor_temporal = 4;
  config.vae.scaling_factor = 0.562679178327931;
  return config;
}

RandomModel::RandomModel(const ModelConfig& config, const std::vector<at::Device>& devices, Precision precision,
                         const std::shared_ptr<const Parallel>& share, bool graph)
    : checkpoint_(Checkpoint::random()) {
  using namespace hunyuan_reso::profiles;
  open_.config = folder_.config = config;
  open_.profile = folder_.profile = configured_profile(config.cfg_distilled ? instruct_distil : instruct, config);
  open_.profile.max_length = open_.profile.position_table = 1 << 22;
  folder_.encoder = make_byte_encoder(folder_.profile, 1000);
  run_.graph = graph;
  run_.load.device = devices.front();
  if (devices.size() > 1) run_.load.layer_devices = devices;
  run_.load.conditioning = false;
  run_.load.image_encoder = !config.vae.only_encoder && !config.vae.only_decoder;
  const bool cpu = devices.front().is_cpu();
  run_.load.dtype = cpu ? at::kFloat : at::kBFloat16;
  run_.load.vae_dtype = cpu ? at::kFloat : at::kHalf;
  run_.load.precision = precision;
  run_.load.parallel = share;
  at::manual_seed(1);
  const double start = now();
  generator_ = std::make_unique<Generator>(folder_, *folder_.encoder, checkpoint_, run_);
  synchronize(devices.front());
  release_memory();  // what the wide numbers of weights in e4m3 took
  seconds_ = now() - start;
}

Request RandomModel::request(std::int32_t base, std::int32_t steps) const {
  Request request;
  request.prompt = std::string(100, 'a');
  request.task = hunyuan_reso::BotTask::image;
  request.steps = steps;
  request.base_size = base;
  request.size = std::to_string(base) + "x" + std::to_string(base);
  return request;
}

std::unique_ptr<Denoiser> RandomModel::denoiser(const Request& request, const ComputeOptions& compute) const {
  const PlannedRequest planned(open_, *folder_.encoder, request);
  return generator_->denoiser(planned, compute);
}

double time_call(const std::function<void()>& call, int repeats) {
  const at::Device device(at::kCUDA);  // the current one
  call();
  synchronize(device);
  double start = now();
  call();
  synchronize(device);
  // Long enough that the launches do not count.
  const int each = std::max(1, static_cast<int>(2e-3 / std::max(now() - start, 1e-5)));
  std::vector<double> times;
  for (int i = 0; i < repeats; ++i) {
    start = now();
    for (int j = 0; j < each; ++j) call();
    synchronize(device);
    times.push_back(1e3 * (now() - start) / each);
  }
  return median(times);
}

Ceilings measure_ceilings(at::Device device) {
  Ceilings ceilings;
  if (!device.is_cuda()) return ceilings;
  constexpr std::int64_t side = 8192;
  constexpr double flop = 2.0 * side * side * side;
  const at::Tensor a = at::randn({side, side}, at::TensorOptions().dtype(at::kBFloat16).device(device));
  const at::Tensor b = at::randn({side, side}, a.options());
  at::Tensor c = at::mm(a, b);
  ceilings.bf16 = flop / (1e-3 * time_call([&] { at::mm_out(c, a, b); }, 50));
  if (small_products(device)) {
    const Weight weight(b, Precision::fp8);
    const Rows rows{{}, make_small(a)};
    ceilings.fp8 = flop / (1e-3 * time_call([&] { (void)weight(rows); }, 50));
  }
  const at::Tensor from = at::empty({std::int64_t{1} << 30}, a.options().dtype(at::kByte)).fill_(1);
  at::Tensor to = at::empty_like(from);
  ceilings.copy = 2.0 * static_cast<double>(from.numel()) / (1e-3 * time_call([&] { to.copy_(from); }));
  return ceilings;
}

StepWork work_of_step(const ModelConfig& config, std::int64_t rows, std::int64_t grid, std::int64_t keys, bool small) {
  const auto number = [](std::int64_t x) { return static_cast<double>(x); };
  const double tokens = number(rows * (grid + config.scalar_tokens())), hidden = number(config.hidden_size);
  const double heads = number(config.heads * config.head_dim);
  const double packed = heads + 2 * number(config.key_value_heads * config.head_dim), e = small ? 1 : 2;
  StepWork work;
  for (const LayerConfig& layer : config.layers) {
    const double wide = number(layer.topk * layer.expert_width + layer.shared_width), k = number(layer.topk);
    work.products += 2 * tokens * hidden * (packed + heads + 3 * wide);
    work.other_products += 2 * tokens * hidden * number(layer.experts);  // the router
    work.attention += 4 * number(rows * grid * keys) * heads;
    work.glue += tokens * (hidden * (2 + e) + 4 * packed + heads * (2 + e) + hidden * (8 + (small ? 1 : 0)) +
                           hidden * e * (1 + k) + wide * (4 + e) + 2 * hidden * (k + 3));
  }
  const double places = number(grid), patch = number(config.patch_embed_hidden_dim), both = number(rows);
  const double latent = number(config.vae.latent_channels);
  work.other_products += 2 * places * (9 * (latent * patch + patch * hidden + hidden * hidden) + patch * hidden);
  work.other_products += 2 * places * both * (9 * (hidden * patch + patch * patch + patch * latent) + patch * hidden);
  work.glue += 6 * places * (patch + hidden + both * (hidden + 2 * patch));
  return work;
}

}  // namespace hunyuan_generate
