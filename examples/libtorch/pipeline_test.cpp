// SPDX-License-Identifier: MIT
// hunyuan-generate-pipeline-test DIR: from a prompt to a PNG file and back, on the CPU. DIR holds config.json and
// special_tokens.json of a small model; its weights are used where they are there, else random ones.
#include <ATen/Context.h>            // manual_seed
#include <c10/core/InferenceMode.h>  // InferenceMode
#include <dirent.h>                  // opendir

#include "adapter.hpp"
#include "pipeline.hpp"
#include "png.hpp"
#include "test_support.hpp"

namespace hunyuan_generate {
namespace {

class PipelineTest {
 public:
  explicit PipelineTest(const std::filesystem::path& folder)
      : config_(read_config(folder)),
        vocabulary_(config_.vocab_size, folder, config_.image_base_size),
        profile_(profile_for(config_, vocabulary_, "")),
        checkpoint_(std::filesystem::exists(folder / "model.safetensors") ? Checkpoint(folder) : Checkpoint::random()),
        pipeline_(checkpoint_, config_, vocabulary_, profile_, encoder_, RunOptions{}) {
    std::printf("weights: %s\n", checkpoint_.is_random() ? "random" : "of the folder");
  }

  int run() {
    encoder();
    sampling();
    segments();
    const std::string base = std::to_string(config_.image_base_size);
    picture(base + "x" + base);
    picture("auto");
    return report_.finish();
  }

 private:
  void encoder() {
    const std::string text = "a <think>b</think> <x \xc3\xa9";
    const auto ids = encoder_.encode(text);
    report_.check(ids.size() == text.size() - 7 - 8 + 2, "special tokens are single ids");
    report_.check(encoder_.encode(encoder_.decode(ids)) == ids, "ids survive decoding and encoding");
    const std::vector<hunyuan_reso::TokenId> others{5, 70000, 1060, hunyuan_reso::tokens::recaption};
    report_.check(encoder_.encode(encoder_.decode(others)) == others, "so do ids that are no text");
  }

  void sampling() {
    const at::Tensor logits = at::tensor({0.0F, 3.0F, 1.0F, 2.9F});
    const auto generator = at::detail::getDefaultCPUGenerator();
    report_.check(sample(logits, {0, 1, 1}, generator) == 1, "temperature 0 takes the best");
    bool inside = true;
    for (int i = 0; i < 50; ++i) {
      const auto id = sample(logits, {1, 2, 1}, generator);
      inside = inside && (id == 1 || id == 3);
    }
    report_.check(inside, "top-k 2 keeps the best two");
    report_.check(sample(logits, {1, 4, 0.1}, generator) == 1, "top-p keeps at least the best");
  }

  // Attention by segments agrees with the mask that the library writes.
  void segments() {
    const hunyuan_reso::Slice full[] = {{3, 5}, {9, 20}};
    const auto layout = require(hunyuan_reso::AttentionLayout::create(full, 2), "layout");
    const at::Tensor q = at::randn({2, 4, 24, 8}), k = at::randn({2, 2, 24, 8}), v = at::randn({2, 2, 24, 8});
    const at::Tensor mask = mask_tensor(layout, {0, 24}, 24);
    const at::Tensor whole = attention(q, k, v, mask);
    const at::Tensor parts = segmented_attention(q, k, v, attention_segments(layout, {{0, 24}}, at::kCPU));
    report_.check((whole - parts).abs().max().item<double>() < 1e-5, "segments of a whole sequence");
    const at::Tensor later =
        segmented_attention(q.narrow(2, 7, 13), k, v, attention_segments(layout, {{7, 20}}, at::kCPU));
    report_.check((whole.narrow(2, 7, 13) - later).abs().max().item<double>() < 1e-5, "segments of a later step");
  }

  void picture(const std::string& size) {
    Request request;
    request.prompt = "a small test";
    request.size = size;
    request.steps = 4;
    request.task = hunyuan_reso::BotTask::image;
    request.precision = hunyuan_reso::Precision::fp32;
    hunyuan_reso::GenerationPlan plan = plan_request(request, {}, profile_, vocabulary_, encoder_);
    require_feasible(plan, vocabulary_);
    const TextResult found = pipeline_.text_stage(request, plan, {}, 1, {});
    report_.check(found.ratio_index.has_value() == (size == "auto"), size + ": only auto predicts a ratio");
    plan = plan_request(request, found, profile_, vocabulary_, encoder_);
    const at::Tensor pixels = pipeline_.image_stage(request, found, plan, 1, {});
    const std::vector<std::int64_t> expected{plan.latent_shape[2] * config_.vae.ffactor_spatial,
                                             plan.latent_shape[3] * config_.vae.ffactor_spatial, 3};
    report_.check(pixels.sizes() == at::IntArrayRef(expected), size + ": pixels in the planned size");
    report_.check(pixels.min().item<int>() != pixels.max().item<int>(), size + ": pixels differ");
    report_.check(at::equal(pixels, pipeline_.image_stage(request, found, plan, 1, {})), size + ": repeatable");

    const TemporaryFolder folder;
    const std::string path = (folder.path() / "picture.png").string();
    write_png(path, pixels);
    report_.check(at::equal(read_png(path), pixels), size + ": the file holds the pixels in memory");
    write_png(path, pixels);
    report_.check(entries(folder.path()) == 1, size + ": nothing else is left in the folder");
  }

  static int entries(const std::filesystem::path& folder) {
    int count = -2;  // . and ..
    DIR* open = ::opendir(folder.c_str());
    while (open != nullptr && ::readdir(open) != nullptr) ++count;
    if (open != nullptr) ::closedir(open);
    return count;
  }

  TestReport report_;
  ModelConfig config_;
  Vocabulary vocabulary_;
  hunyuan_reso::ModelProfile profile_;
  BytesEncoder encoder_;
  Checkpoint checkpoint_;
  Pipeline pipeline_;
};

}  // namespace
}  // namespace hunyuan_generate

int main(int count, char** values) {
  try {
    if (count != 2) throw hunyuan_generate::Error("usage: hunyuan-generate-pipeline-test DIR");
    const c10::InferenceMode inference;
    at::manual_seed(1);
    return hunyuan_generate::PipelineTest(values[1]).run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "hunyuan-generate-pipeline-test: %s\n", error.what());
  }
  return 2;
}
