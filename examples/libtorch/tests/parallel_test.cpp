// SPDX-License-Identifier: MIT
// hunyuan-generate-parallel-test LAYOUT DIR [cuda]: started once for each process of the layout (see processes.sh).
// Every process also runs the whole model by itself, and what the processes compute together must be equal to that.
#include <algorithm>  // find, max
#include <cstdlib>    // atoll

#include "pipeline/generator.hpp"
#include "pipeline/processes.hpp"
#include "tests/test_support.hpp"

namespace hunyuan_generate {
namespace {

namespace hr = hunyuan_reso;

constexpr double latent_limit = 1e-3, pixel_limit = 1;

// The recorded network has 2 key and value heads. With random weights there are 4 for 8 query heads, 12 experts of
// which 3 are chosen, and a dense first layer.
void enlarge(Folder& folder) {
  ModelConfig& config = folder.config;
  config.heads = 8;
  config.key_value_heads = 4;
  config.layers.assign(3, {false, 12, 3, 48, 48});
  config.layers[0].dense = true;
  folder.profile = configured_profile(folder.profile, config);
}

// Every process makes its own copy of this: a checkpoint, the whole model and a part of it.
struct Setting {
  Setting(const std::filesystem::path& path, bool random, const LoadOptions& load)
      : folder(read_folder(path)),
        for_one(random ? Checkpoint::random() : Checkpoint(path)),
        for_part(random ? Checkpoint::random() : Checkpoint(path)) {
    if (random) enlarge(folder);
    RunOptions run;
    run.load = load;
    run.load.parallel = Parallel::alone();
    at::manual_seed(5);
    one = std::make_unique<Generator>(folder, *folder.encoder, for_one, run);
    run.load.parallel = load.parallel;
    at::manual_seed(5);
    part = std::make_unique<Generator>(folder, *folder.encoder, for_part, run);
  }

  Folder folder;
  Checkpoint for_one, for_part;
  std::unique_ptr<Generator> one, part;
};

class ParallelTest : TestReport {
 public:
  ParallelTest(const hr::ParallelLayout& layout, const Place& place, const LoadOptions& load)
      : layout_(layout), place_(place), load_(load), parallel_(*load.parallel) {
    where_ = process_;
  }

  int run(const std::filesystem::path& path) {
    teams();
    shares();
    for (const bool random : {false, true}) {
      const std::int64_t heads = read_folder(path).config.key_value_heads;
      if (!random && heads % layout_.tensor != 0) continue;  // the recorded network does not divide
      const Setting setting(path, random, load_);
      where_ = process_ + (random ? "random weights: " : "recorded weights: ");
      if (!random) read_tensors(setting);
      steps(setting);
      pictures(setting);
      texts(setting);
    }
    return finish();
  }

 private:
  // The teams themselves: sums, copies, agreement.
  void teams() {
    const auto options = at::TensorOptions().device(load_.device);
    const auto filled = [&](double value, at::ScalarType type) { return at::full({3, 2}, value, options.dtype(type)); };
    const std::int64_t count = layout_.tensor, own = parallel_.tensor.index + 1;
    for (const at::ScalarType type : {at::kFloat, at::kBFloat16, at::kHalf, at::kLong}) {
      const at::Tensor sum = parallel_.sum(filled(static_cast<double>(own), type));
      check(sum.scalar_type() == type && sum.eq(count * (count + 1) / 2).all().item<bool>(), "a sum");
    }
    const at::Tensor transposed = parallel_.sum(filled(1, at::kFloat).t());
    check(transposed.eq(count).all().item<bool>() && transposed.size(0) == 2, "a sum of a transposed tensor");
    at::Tensor values = filled(static_cast<double>(place_.rank), at::kFloat);
    parallel_.agree(values);
    check(values.eq(0).all().item<bool>(), "everyone has the first one's values");
    check(parallel_.agreed(100 + place_.rank) == 100, "and number");
    const at::Tensor rows =
        parallel_.all_rows(at::full({2, 3}, static_cast<double>(parallel_.guidance.index), options));
    bool good = rows.size(0) == 2 * layout_.guidance;
    for (std::int64_t i = 0; good && i < rows.size(0); ++i) good = rows[i].eq(i / 2).all().item<bool>();
    check(good, "all rows");
    parallel_.require_same(at::ones({4}), "ones");
    // One process differs in one value: all must hear of it.
    at::Tensor other = at::zeros({4, 4});
    if (place_.rank == place_.world - 1) other[2][3] = 1;
    refused([&] { parallel_.require_same(other, "the tensor"); }, "the tensor is not the same");
  }

  void shares() {
    const Share third{1, 3};
    check(third.part(12, "x") == 4 && third.of(at::arange(6), 0, "x").eq(at::arange(2, 4)).all().item<bool>(),
          "a share");
    refused([&] { (void)third.part(8, "heads"); }, "heads: 8 cannot be shared by 3 processes");
  }

  // Of the experts a process reads its own and no other, of everything else what one process reads.
  void read_tensors(const Setting& setting) {
    const std::vector<std::string> one = setting.for_one.unused(), part = setting.for_part.unused();
    const std::int64_t each = setting.folder.config.layers[0].experts / layout_.tensor;
    std::size_t others = 0;
    bool good = true;
    for (const std::string& name : part) {
      if (std::find(one.begin(), one.end(), name) != one.end()) continue;
      const std::size_t at = name.find(".experts.");
      good = good && at != std::string::npos && std::atoll(name.c_str() + at + 9) / each != parallel_.tensor.index;
      ++others;
    }
    const std::size_t expected = setting.folder.config.layers.size() * 2 *
                                 static_cast<std::size_t>(setting.folder.config.layers[0].experts - each);
    check(good && others == expected, "experts of other processes are not read");
  }

  // Latents after each step, with either way of computing the experts.
  void steps(const Setting& setting) {
    const std::int64_t base = setting.folder.config.image_base_size;
    const Request wanted = small_request(setting.folder, std::to_string(base) + "x" + std::to_string(base));
    const PlannedRequest planned(setting.folder, *setting.folder.encoder, wanted);
    if (planned.plan().cfg_rows % layout_.guidance != 0) return;  // the pictures below make up for it
    check(share_of(planned, layout_).rows == planned.plan().cfg_rows / layout_.guidance, "rows of the plan");
    for (const ExpertPath path : {ExpertPath::sorted, ExpertPath::every_expert}) {
      const auto one = setting.one->denoiser(planned, {path, false});
      const auto part = setting.part->denoiser(planned, {path, false});
      const at::Tensor noise = setting.one->noise(planned.plan(), 3);
      one->start(noise);
      part->start(noise);
      for (int step = 0; step < 3; ++step) {
        step == 0 ? one->first_step() : one->later_step();
        step == 0 ? part->first_step() : part->later_step();
        largest_ = std::max(largest_, distance(one->latents(), part->latents()));
        near(part->latents(), one->latents(), latent_limit, "latents of step " + std::to_string(step));
      }
      parallel_.require_same(part->latents(), "the latents");
    }
  }

  void compare(const Outcome& one, const Outcome& part, const std::string& what) {
    if (!check(one.pictures.size() == part.pictures.size() && one.seeds == part.seeds, what + ": as many")) return;
    for (std::size_t i = 0; i < one.pictures.size(); ++i) {
      near(part.pictures[i], one.pictures[i], pixel_limit, what + ": the same picture");
    }
    check(one.text.chain_of_thought == part.text.chain_of_thought && one.text.fed == part.text.fed &&
              one.text.ratio_index == part.text.ratio_index && one.reused_tokens == part.reused_tokens,
          what + ": the same text");
  }

  void pictures(const Setting& setting) {
    const std::int64_t base = setting.folder.config.image_base_size;
    Request wanted = small_request(setting.folder, std::to_string(base) + "x" + std::to_string(base));
    wanted.count = layout_.guidance;  // rows for everybody, also without guidance
    compare(setting.one->generate(wanted), setting.part->generate(wanted), "several pictures");
    wanted.size = "auto";
    compare(setting.one->generate(wanted), setting.part->generate(wanted), "a predicted ratio");
    wanted.count = 3;
    wanted.guidance = 1;
    if (layout_.guidance == 2) {
      refused([&] { (void)setting.part->generate(wanted); }, "rows of the batch: 3 cannot be shared");
    }
  }

  // A chain of thought that is drawn, whose cache the image stage takes over. The processes' generators stand apart, so
  // only what they agree on can be equal.
  void texts(const Setting& setting) {
    Request wanted = small_request(setting.folder, "1:1");
    wanted.count = layout_.guidance;
    wanted.task = hr::BotTask::recaption;
    wanted.max_new_tokens = 12;
    wanted.sampling.draws = true;
    wanted.text_seed = 7;
    const Outcome one = setting.one->generate(wanted);
    check(one.reused_tokens > 10, "tokens of the text stage are reused");
    compare(one, setting.part->generate(wanted), "a drawn text");
    wanted.text_seed = 7 + static_cast<std::uint64_t>(place_.rank);
    compare(one, setting.part->generate(wanted), "the text of the first process");
  }

  hr::ParallelLayout layout_;
  Place place_;
  LoadOptions load_;
  const Parallel& parallel_;
  std::string process_ = "process " + std::to_string(place_.rank) + ": ";

 public:
  double largest_ = 0;
};

int run(const std::string& layout_text, const std::string& folder, const std::string& device) {
  const hr::ParallelLayout layout = parse_layout("LAYOUT", layout_text);
  const Place place = place_from_environment();
  LoadOptions load = load_options("DEVICE", own_devices("DEVICE", device, place), "fp32");
  Processes processes("hunyuan-generate-parallel-test", layout, place, load.device, 60);
  load.parallel = processes.parallel();
  processes.wait_for_all();
  ParallelTest test(layout, place, load);
  const int status = test.run(folder);
  std::printf("process %lld of %lld: latents at most %.2g apart\n", static_cast<long long>(place.rank),
              static_cast<long long>(place.world), test.largest_);
  std::fflush(stdout);
  processes.leave();
  return status;
}

}  // namespace
}  // namespace hunyuan_generate

int main(int count, char** values) {
  return hunyuan_generate::run_test("hunyuan-generate-parallel-test", [&] {
    if (count < 3) throw hunyuan_generate::Error("usage: LAYOUT DIR [DEVICES]");
    return hunyuan_generate::run(values[1], values[2], count > 3 ? values[3] : "cpu");
  });
}
