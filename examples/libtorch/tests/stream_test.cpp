// SPDX-License-Identifier: MIT
// Layers in host memory, loading by threads, and what a run needs of memory, on the CPU.
#include <atomic>  // atomic

#include "model/backbone.hpp"
#include "model/threads.hpp"
#include "pipeline/memory.hpp"
#include "tests/test_support.hpp"

namespace hunyuan_generate {
namespace {

namespace hr = hunyuan_reso;

ModelConfig small_config(std::size_t layers) {
  ModelConfig config;
  config.vocab_size = 50;
  config.hidden_size = 32;
  config.heads = 4;
  config.key_value_heads = 2;
  config.head_dim = 8;
  config.layers.assign(layers, {false, 4, 2, 16, 16});
  config.layers.front().dense = true;
  return config;
}

class StreamTest : TestReport {
 public:
  int run() {
    spread();
    for (std::size_t layers = 1; layers <= 6; ++layers) {
      for (std::size_t streamed = 1; streamed <= layers; ++streamed) passes(layers, streamed);
    }
    small_weights();
    refusals();
    threads();
    loading();
    memory();
    return finish();
  }

 private:
  // As many layers as asked for, whatever the numbers, and none beside another where that can be.
  void spread() {
    for (std::size_t layers = 1; layers <= 40; ++layers) {
      for (std::size_t streamed = 0; streamed <= layers; ++streamed) {
        std::size_t count = 0, neighbours = 0;
        for (std::size_t i = 0; i < layers; ++i) {
          count += is_streamed(i, layers, streamed) ? 1U : 0U;
          neighbours += i > 0 && is_streamed(i, layers, streamed) && is_streamed(i - 1, layers, streamed) ? 1U : 0U;
        }
        const std::string what = std::to_string(streamed) + " of " + std::to_string(layers);
        check(count == streamed, what + " are streamed");
        check(2 * streamed > layers || neighbours == 0, what + ": none beside another");
      }
    }
  }

  struct Net {
    Net(const ModelConfig& config, std::size_t streamed, Precision precision = Precision::plain)
        : checkpoint(Checkpoint::random()),
          backbone((at::manual_seed(3), WeightLoader(checkpoint, at::kFloat, at::kCPU)), config, {}, precision,
                   streamed) {}
    at::Tensor pass(const ModelConfig& config, const at::Tensor& x, const Probe& probe = {}) const {
      KvCache cache(config, 1, x.size(1), at::kFloat, backbone.layer_devices());
      const at::Tensor one = at::ones({1, x.size(1), config.head_dim});
      return backbone.forward(x, {0, {one, one}, {}, x.size(1)}, cache, {}, probe);
    }
    Checkpoint checkpoint;
    Backbone backbone;
  };

  // The same bytes as without, pass after pass, and after one that ended early.
  void passes(std::size_t layers, std::size_t streamed) {
    const ModelConfig config = small_config(layers);
    const Net whole(config, 0), net(config, streamed);
    const std::string what = std::to_string(streamed) + " of " + std::to_string(layers) + " layers streamed";
    check(net.backbone.streamed_bytes() > 0 && whole.backbone.streamed_bytes() == 0, what + ": bytes");
    for (int pass = 0; pass < 5; ++pass) {
      const at::Tensor x = at::randn({1, 5, config.hidden_size});
      check(at::equal(whole.pass(config, x), net.pass(config, x)), what + ": the same values");
      const std::string last = "layer" + std::to_string(static_cast<std::size_t>(pass) % layers) + ".out";
      const auto stop = [&](const std::string& name, const at::Tensor&) {
        if (name == last) throw Error("enough");
      };
      refused([&] { (void)net.pass(config, x, stop); }, "enough");
    }
  }

  // Weights in e4m3 and their scales are streamed alike.
  void small_weights() {
    const ModelConfig config = small_config(4);
    const Net plain(config, 0), whole(config, 0, Precision::fp8), net(config, 3, Precision::fp8);
    check(net.backbone.streamed_bytes() > 0, "e4m3 weights are streamed");
    for (int pass = 0; pass < 2; ++pass) {
      const at::Tensor x = at::randn({1, 5, config.hidden_size}), there = whole.pass(config, x);
      check(at::equal(there, net.pass(config, x)), "the same values with e4m3 weights");
      const double error = ((there - plain.pass(config, x)).norm() / there.norm()).item<double>();
      check(error > 1e-3 && error < 0.5, "e4m3 weights differ from plain ones, but not much");
    }
  }

  void refusals() {
    refused([] { const Net net(small_config(2), 3); }, "3 layers cannot be streamed");
    refused(
        [] {
          const Checkpoint checkpoint = Checkpoint::random();
          const WeightLoader loader(checkpoint, at::kFloat, at::kCPU);
          const Backbone backbone(loader, small_config(4), {at::kCPU, at::kCPU}, Precision::plain, 3);
        },
        "not to several");
  }

  void threads() {
    for (const std::size_t count : {0U, 1U, 7U, 100U}) {
      std::vector<std::atomic<int>> calls(count);
      std::atomic<bool> inference{true};
      in_threads(count, 3, [&](std::size_t i) {
        ++calls[i];
        inference = inference && c10::InferenceMode::is_enabled();
      });
      bool once = true;
      for (const auto& call : calls) once = once && call == 1;
      check(once && inference, "each of " + std::to_string(count) + " once, in inference mode");
    }
    std::atomic<int> calls{0};
    refused(
        [&] {
          in_threads(1000000, 4, [&](std::size_t i) {
            ++calls;
            if (i == 5) throw Error("the sixth");
          });
        },
        "the sixth");
    check(calls < 1000000, "an exception comes out and ends the others");
  }

  // Tensors that are asked for, counted; those that were looked at before are all there is to do.
  void loading() {
    TemporaryFolder folder;
    const at::Tensor large = at::randn({300, 200});
    write_safetensors(folder.path() / "model.safetensors", {{"a.0.w", large}, {"a.1.w", large + 1}, {"b", large * 2}});
    const Checkpoint checkpoint(folder.path());
    const auto load = [&](at::Device device, at::ScalarType type) {
      const WeightLoader loader(checkpoint, type, device);
      (void)loader.at("a").stacked("w", 2, {300, 200});
      return loader.tensor("b", {300, 200});
    };
    (void)load(at::kMeta, at::kFloat);
    std::vector<std::pair<std::int64_t, std::int64_t>> heard;
    checkpoint.start_progress([&](std::int64_t done, std::int64_t all) { heard.emplace_back(done, all); });
    const at::Tensor narrow =
        load(at::kCPU, at::kHalf);  // copied: its pages are given back, and read again when needed
    const at::Tensor mapped = load(at::kCPU, at::kFloat);
    const std::int64_t each = 300 * 200 * 4;
    check(heard.size() == 6 && heard[2] == std::make_pair(3 * each, 3 * each), "bytes read, of all");
    check(at::equal(mapped, large * 2) && at::equal(narrow, (large * 2).to(at::kHalf)), "the values are there");
    write_safetensors(folder.path() / "model.safetensors", {{"a.0.w", large}, {"a.1.w", large.clone().fill_(NAN)}});
    const Checkpoint broken(folder.path());
    refused(
        [&] {
          (void)WeightLoader(broken, at::kFloat, at::kCPU).at("a").stacked("w", 2, {300, 200});
        },
        "tensor 'a.1.w' holds values that are not finite");
  }

  void memory() {
    check(pictures_at_once({0, 4, 6, 100}, 35, 8) == 3, "three pictures of 10 bytes in 35");
    check(pictures_at_once({0, 4, 6, 0}, 5, 8) == 1, "one at least");
    check(pictures_at_once({0, 4, 6, 0}, 1000, 8) == 8, "no more than are wanted");

    // The published model; where the numbers come from is cost.hpp's business, what follows from them is checked.
    Folder folder;
    folder.config = small_config(32);
    folder.config.vae.block_out_channels = {128};
    folder.config.vae.ffactor_temporal = 4;
    folder.profile = hr::profiles::instruct;
    folder.encoder = make_byte_encoder(folder.profile, 1000);
    Request request;
    request.prompt = "x";
    request.size = "1024x1024";
    request.task = hr::BotTask::image;
    request.precision = hr::Precision::fp32;
    LoadOptions load;
    const PlannedRequest small(folder, *folder.encoder, request);
    const MemoryNeed need = memory_need(small, folder.config);
    check(need.weights > 300LL << 30U && need.cache > 1LL << 30U && need.total() > need.weights, "the needs");
    const auto none = choose_streaming("", small, need, load);
    check(none.layers == 0, "nothing is streamed unless asked for");
    const auto twelve = choose_streaming("12", small, need, load);
    check(twelve.layers == 12, "as many as asked for");
    const auto fewest = choose_streaming("auto", small, need, load);
    const std::int64_t room = free_memory(at::kCPU) - (need.total() - need.weights);
    check(fewest.layers == 32 || fewest.device_bytes <= room, "auto: as many as needed");
    check(fewest.layers == 0 ||
              hr::stream_layers(folder.profile, request.precision, fewest.layers - 1).device_bytes > room,
          "auto: and no more");
    if (free_memory(at::kCPU) > 300LL << 30U) return;  // a large machine: nothing to refuse
    const std::string error = error_of([&] { require_memory(small, need, load, none); });
    check(error.find("weights 3") == 0 && error.find("are free on cpu") != std::string::npos, error);
  }
};

}  // namespace
}  // namespace hunyuan_generate

int main() {
  return hunyuan_generate::run_test("hunyuan-generate-stream-test",
                                    [] { return hunyuan_generate::StreamTest().run(); });
}
