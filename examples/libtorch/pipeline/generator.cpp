// SPDX-License-Identifier: MIT
#include "pipeline/generator.hpp"

#include <ATen/CPUGeneratorImpl.h>  // CPUGeneratorImpl

#include <algorithm>  // clamp, min
#include <utility>    // move

#include "adapter/adapter.hpp"
#include "pipeline/conditioning.hpp"
#include "pipeline/memory.hpp"
#include "pipeline/refine.hpp"
#include "pipeline/vae_tiles.hpp"

namespace hunyuan_generate {
namespace {

namespace hr = hunyuan_reso;

at::Generator seeded(std::uint64_t seed) { return at::make_generator<at::CPUGeneratorImpl>(seed); }

// The published order: bfloat16 numbers, which on a CPU are drawn by another algorithm than float32 ones.
at::Tensor draw_noise(at::IntArrayRef shape, const at::Generator& generator) {
  return at::randn(shape, generator, at::TensorOptions().dtype(at::kBFloat16));
}

bool is_finite(const at::Tensor& values) { return values.isfinite().all().item<bool>(); }

// A conditioning picture after everything of it that no seed changes.
struct EncodedPicture {
  at::Tensor moments;  // of the VAE encoder; undefined without a VAE run
  VisionInput vision;
};

}  // namespace

void check_tensors(const Checkpoint& checkpoint, const ModelConfig& config) {
  LoadOptions meta;
  meta.device = at::kMeta;
  (void)Model(checkpoint, config, meta);
}

// One request from beginning to end.
class RequestRun {
 public:
  RequestRun(const Generator& owner, const Request& request, const Listener& listener)
      : owner_(owner),
        model_(owner.model_),
        request_(request),
        listener_(listener),
        device_(model_.backbone.device()),
        planned_(*owner.folder_, *owner.encoder_, request) {}

  Outcome run() {
    if (request_.count < 1 || request_.count > 1000) throw Error("the number of pictures must be 1 to 1000");
    announce();
    encode_pictures();
    write_text();
    outcome_.plan = planned_.plan();
    if (planned_.enlargement() != nullptr) outcome_.enlargement = *planned_.enlargement();
    if (!request_.text_only) draw();
    return std::move(outcome_);
  }

 private:
  void announce() {
    require_feasible(planned_);
    if (listener_.planned) listener_.planned(planned_);
  }

  void report(const std::string& name, const at::Tensor& value) const {
    if (listener_.tensors) listener_.tensors(name, value);
  }

  // Where the images of a row lie, and its full attention slices, for those who compare.
  void report_layout(const std::string& stage, const hr::TokenLayout& layout) const {
    if (!listener_.tensors) return;
    std::vector<std::int64_t> sections, slices;
    for (const hr::ImageRun& run : layout.image_runs) {
      sections.insert(sections.end(), {run.slice.start, run.slice.stop, run.token_height, run.token_width});
    }
    for (const hr::Slice& slice : attention_layout(planned_.profile(), layout)) {
      slices.insert(slices.end(), {slice.start, slice.stop});
    }
    report(stage + ".positions", at::tensor(sections, at::kLong).view({-1, 4}));
    report(stage + ".full_attention", at::tensor(slices, at::kLong).view({-1, 2}));
  }

  void encode_pictures() {
    const double begin = now();
    const hr::GenerationPlan& plan = planned_.plan();
    for (std::size_t i = 0; i < planned_.pictures().size(); ++i) {
      const hr::ImageInfo& info = plan.conditioning_images[i];
      const std::string name = "image.cond" + std::to_string(i) + ".";
      EncodedPicture encoded;
      if (hr::has_vae_run(info.kind)) {
        if (!model_.vae_encoder) throw Error("the checkpoint has no VAE encoder, so it takes no conditioning pictures");
        const at::Tensor picture = vae_picture(planned_.pictures()[i], info.image_size(), request_.align_output);
        report(name + "vae_input", picture.permute({2, 0, 1}).unsqueeze(0));
        encoded.moments =
            model_.vae_encoder->moments(vae_input(picture).to(device_, model_.options.vae_dtype), {}).to(at::kCPU);
      }
      if (hr::has_vit_run(info.kind)) {
        if (!model_.vision) throw Error("the checkpoint has no vision tower, so it takes no conditioning pictures");
        const hr::ModelProfile& profile = planned_.profile();
        encoded.vision = vision_input(planned_.pictures()[i], info.vit_grid(), profile.vit_patch, profile.vit_slots);
        report(name + "vit_patches", encoded.vision.patches);
      }
      pictures_.push_back(std::move(encoded));
    }
    outcome_.encode_seconds = now() - begin;
  }

  // The pictures' vectors in a row. Their latents are drawn first of all in a pass, picture by picture.
  std::vector<Overwrite> conditioning(const hr::TokenLayout& layout, const std::string& stage,
                                      const at::Generator& generator) {
    report_layout(stage, layout);
    ConditioningImages images;
    std::vector<at::Tensor> pixels, grids, masks;
    for (std::size_t i = 0; i < pictures_.size(); ++i) {
      const EncodedPicture& picture = pictures_[i];
      const std::string name = stage + ".cond" + std::to_string(i) + ".";
      if (picture.moments.defined()) {
        std::vector<std::int64_t> shape = picture.moments.sizes().vec();
        shape[1] /= 2;
        shape.insert(shape.begin() + 2, 1);
        const at::Tensor noise = given_or(
            name + "noise", [&] { return at::randn(shape, generator, at::TensorOptions().dtype(at::kFloat)); });
        const at::Tensor latents = model_.vae_encoder->sample(picture.moments, noise.squeeze(2));
        report(name + "noise", noise);
        report(name + "latents", latents);
        images.latents.push_back(latents.to(device_));
      }
      if (!picture.vision.pixels.defined()) continue;
      pixels.push_back(picture.vision.pixels);
      grids.push_back(picture.vision.grid);
      masks.push_back(picture.vision.mask);
    }
    if (!pixels.empty()) {
      images.vit_pixel_values = at::cat(pixels).to(device_);
      images.vit_grids = at::cat(grids);
      images.vit_mask = at::cat(masks);
    }
    return conditioning_vectors(model_, layout, images, {});
  }

  template <class Draw>
  at::Tensor given_or(const std::string& name, Draw&& draw) const {
    const at::Tensor given = listener_.noise ? listener_.noise(name) : at::Tensor();
    return given.defined() ? given : draw();
  }

  void write_text() {
    if (!planned_.plan().text_stage.is_needed()) return;
    const double begin = now();
    text_seed_ = request_.text_seed.value_or(request_.seed);
    const at::Generator generator = seeded(text_seed_);
    const Conditioning vectors = [&](const hr::TokenSequence& row) {
      return conditioning(row, "text", seeded(text_seed_));
    };
    outcome_.text = run_text_stage(model_, planned_, *owner_.encoder_, vectors, generator, owner_.compute_,
                                   listener_.text, listener_.tensors);
    if (!request_.text_only) {
      planned_.found(outcome_.text.ratio_index, outcome_.text.thought_tokens);
      announce();
    }
    outcome_.text_seconds = now() - begin;
  }

  // Keys and values of the text stage for the rows of the image stage, as far as the tokens are the same.
  void reuse_cache(Denoiser& loop, const hr::TokenBatch& batch, const ImageSequence& sequence, std::uint64_t seed) {
    const TextResult& text = outcome_.text;
    const hr::GenerationPlan& plan = planned_.plan();
    const bool is_rescaled = plan.rope_scaling != hr::RopeScaling::none && plan.rope_area_factor > 1.0;
    if (!request_.keep_cache || !text.decoder || is_rescaled || (!pictures_.empty() && seed != text_seed_)) return;
    for (std::size_t row = 0; row < batch.rows.size(); ++row) {
      const std::vector<hr::TokenId> ids = ids_of(batch.rows[row]);
      const std::size_t shared = hr::common_prefix(text.fed.data(), text.fed.size(), ids.data(), ids.size());
      const std::int64_t count = std::min<std::int64_t>(static_cast<std::int64_t>(shared), sequence.scalars.start);
      if (count < 1) continue;
      loop.reuse(static_cast<std::int64_t>(row), text.decoder->cache(), count,
                 segments_from(planned_.profile(), batch.rows[row], count, device_));
      if (row == 0) outcome_.reused_tokens = count;
    }
  }

  void draw() {
    // Pictures share a loop unless each has conditioning latents or tiles of its own, as many as the free memory takes.
    const std::int32_t wanted = std::clamp(request_.batch, 1, request_.count);
    const MemoryNeed need = memory_need(planned_, model_.config);
    const bool alone = !pictures_.empty() || planned_.enlargement() != nullptr;
    const std::int32_t fit = alone ? 1 : pictures_at_once(need, free_memory(device_), wanted);
    const auto at_once = static_cast<std::int32_t>(model_.parallel().agreed(fit));
    outcome_.batch = at_once;
    for (std::int32_t done = 0; done < request_.count; done += at_once) {
      draw_some(request_.seed + static_cast<std::uint64_t>(done), std::min(at_once, request_.count - done));
    }
  }

  void draw_some(std::uint64_t seed, std::int32_t count) {
    const double begin = now();
    const hr::GenerationPlan& plan = planned_.plan();
    const hr::TokenBatch batch = planned_.image_rows(outcome_.text.chain_of_thought, count);
    const ScheduleTensors schedule = schedule_tensors(plan.steps, plan.flow_shift);
    const ImageSequence sequence = image_sequence(planned_.profile(), batch, schedule, device_);
    report("image.input_ids", sequence.ids);
    at::Generator generator = seeded(seed);
    std::vector<Overwrite> vectors = conditioning(batch.rows.front(), "image", generator);
    const at::Tensor noise = given_or("image.init_noise", [&] {
      std::vector<std::int64_t> shape = latent_shape(plan);
      shape[0] = 1;
      std::vector<at::Tensor> each{draw_noise(shape, generator)};
      for (std::int32_t i = 1; i < count; ++i)
        each.push_back(draw_noise(shape, seeded(seed + static_cast<std::uint64_t>(i))));
      return at::cat(each);
    });
    report("image.init_noise", noise);
    report("image.sigmas", schedule.sigmas);
    report("image.timesteps", schedule.timesteps());
    report("image.timesteps_full", schedule.timesteps_full);
    at::Tensor latents;
    {
      Denoiser loop(model_, sequence, std::move(vectors), schedule, plan.guidance, owner_.compute_, count);
      reuse_cache(loop, batch, sequence, seed);
      const at::Tensor start = noise.to(device_, at::kFloat);
      run(loop, start);
      latents = loop.latents();
      if (!is_finite(latents)) name_step(loop, start);
      if (static_cast<std::int32_t>(outcome_.seeds.size()) + count == request_.count) outcome_.text.decoder.reset();
    }  // the caches are gone before the VAE needs memory
    release_memory();
    outcome_.loop_seconds += now() - begin;
    decode(latents, seed);
  }

  void run(Denoiser& loop, const at::Tensor& noise) {
    const hr::GenerationPlan& plan = planned_.plan();
    if (!listener_.tensors) {
      const bool graph = owner_.options_.graph && owner_.can_capture(owner_.compute_);
      outcome_.times = run_loop(loop, noise, plan.steps, device_, graph, listener_.step);
      return;
    }
    loop.start(noise);
    for (std::int32_t step = 0; step < plan.steps; ++step) {
      const std::string name = "image.step" + std::to_string(step) + ".";
      const Probe probe = [&](const std::string& leaf, const at::Tensor& value) {
        if (leaf == "guided" || leaf == "velocity") report(name + leaf, value);
        if (leaf == "latents_out") report(name + "latents", value);
      };
      step == 0 ? loop.first_step(probe) : loop.later_step(probe);
    }
  }

  // Runs the loop again, step by step, to find where its latents stop being finite.
  [[noreturn]] void name_step(Denoiser& loop, const at::Tensor& noise) const {
    if (!is_finite(noise)) throw Error("the noise that the loop starts from is not finite");
    loop.start(noise);
    std::int32_t step = 0;
    for (; step < planned_.plan().steps; ++step) {
      step == 0 ? loop.first_step() : loop.later_step();
      if (!is_finite(loop.latents())) break;
    }
    throw Error("the latents are not finite after step " + std::to_string(step) + " of 0 to " +
                std::to_string(planned_.plan().steps - 1));
  }

  void decode(const at::Tensor& latents, std::uint64_t seed) {
    const double begin = now();
    if (!model_.vae_decoder) throw Error("the checkpoint has no VAE decoder");
    for (std::int64_t i = 0; i < latents.size(0); ++i) {
      if (listener_.decoding) listener_.decoding(i);
      const std::uint64_t own = seed + static_cast<std::uint64_t>(i);
      const at::Tensor one = latents.narrow(0, i, 1);
      outcome_.pictures.push_back(planned_.enlargement() != nullptr ? enlarged(one, own) : finished(decoded(one)));
      model_.parallel().require_same(outcome_.pictures.back(), "the picture");
      outcome_.seeds.push_back(own);
      if (listener_.picture) listener_.picture(outcome_);
      if (i == 0) report("picture", outcome_.pictures.back());
    }
    if (planned_.enlargement() == nullptr) outcome_.decode_seconds += now() - begin;
  }

  at::Tensor decoded(const at::Tensor& latents) const {
    const at::Tensor image = model_.vae_decoder->decode(latents);
    if (!is_finite(image)) throw Error("the decoded picture's values are not finite");
    return to_pixels(image).select(0, 0).to(at::kCPU);
  }

  // From the latents of the bucket's picture to a picture of the target's size.
  at::Tensor enlarged(const at::Tensor& latents, std::uint64_t seed) {
    const hr::EnlargementPlan& plan = *planned_.enlargement();
    const bool in_latents = plan.is_refined && request_.target->enlarges_latents;
    const double begin = now();
    const at::Tensor pixels = in_latents ? at::Tensor() : decoded(latents);
    const double decode = now() - begin;
    if (!in_latents) outcome_.decode_seconds += decode;
    if (!plan.is_refined) return cut_to_target(planned_, pixels);
    at::Generator generator = seeded(seed);
    const hr::TokenBatch rows = planned_.tile_rows(outcome_.text.chain_of_thought, plan.tiles_at_once);
    std::vector<Overwrite> vectors = conditioning(rows.rows.front(), "tile", generator);
    const at::Tensor noise = given_or("tile.init_noise", [&] { return draw_noise(canvas_shape(planned_), generator); });
    const std::int64_t before = planned_.plan().steps;
    const StepReport heard = [&](std::int64_t call, double seconds) {
      if (listener_.step) listener_.step(before + (call + 1) * plan.tiles_at_once - 1, seconds);
    };
    const bool graph = owner_.options_.graph && owner_.can_capture(owner_.compute_);
    const Refined refined =
        refine(latents, pixels, {model_, planned_, rows, std::move(vectors), noise, owner_.compute_, graph, heard});
    rate(refined, decode, pixels);
    outcome_.encode_seconds += refined.encode_seconds;
    outcome_.loop_seconds += refined.loop_seconds;
    outcome_.decode_seconds += refined.decode_seconds;
    return refined.pixels;
  }

  // What the steps at the trained size and the coder's own work say about the device.
  void rate(const Refined& refined, double decode, const at::Tensor& pixels) {
    const hr::EnlargementPlan& plan = *planned_.enlargement();
    Rates& rates = outcome_.rates;
    const std::vector<double>& steps = outcome_.times.steps;
    if (steps.size() > 1) rates.flop_per_second = plan.generation.later_step_flop / steps.back();
    if (pixels.defined()) {
      rates.decoded_pixels_per_second = static_cast<double>(pixels.size(0) * pixels.size(1)) / decode;
      rates.encoded_pixels_per_second = static_cast<double>(plan.encoded_pixels) / refined.encoder_seconds;
    } else {
      rates.decoded_pixels_per_second = static_cast<double>(plan.decoded_pixels) / refined.decode_seconds;
    }
    outcome_.planned_seconds = planned_.enlargement_seconds(rates);
  }

  // A panorama's edges, then output alignment.
  at::Tensor finished(const at::Tensor& decoded_pixels) const {
    const at::Tensor pixels = wrap_round(decoded_pixels, planned_.profile().wrap_pixels);
    if (!request_.align_output || planned_.pictures().empty()) return pixels;
    std::vector<hr::Resolution> originals;
    for (const at::Tensor& picture : planned_.pictures()) {
      originals.push_back({static_cast<std::int32_t>(picture.size(0)), static_cast<std::int32_t>(picture.size(1))});
    }
    const hr::Resolution size{static_cast<std::int32_t>(pixels.size(0)), static_cast<std::int32_t>(pixels.size(1))};
    const auto aligned =
        require(hr::align_output(planned_.model().group, size, originals.data(), originals.size()), "output alignment");
    return aligned.resize ? resize_picture(pixels, aligned.height, aligned.width, ResizeFilter::lanczos) : pixels;
  }

  const Generator& owner_;
  const Model& model_;
  const Request& request_;
  const Listener& listener_;
  at::Device device_;
  PlannedRequest planned_;
  std::vector<EncodedPicture> pictures_;
  std::uint64_t text_seed_ = 0;
  Outcome outcome_;
};

Generator::Generator(const Folder& folder, const TextEncoder& encoder, const Checkpoint& checkpoint,
                     const RunOptions& options)
    : folder_(&folder), encoder_(&encoder), options_(options), model_(checkpoint, folder.config, options.load) {
  compute_.drop_tokens = folder.config.moe_drop_tokens;
  compute_.experts = best_experts(folder.config, options.load.device, options.load.dtype);
  for (const at::Device device : model_.backbone.layer_devices()) {
    if (best_experts(folder.config, device, options.load.dtype) == ExpertPath::sorted) {
      compute_.experts = ExpertPath::sorted;
    }
  }
}

Outcome Generator::generate(const Request& request, const Listener& listener) const {
  return RequestRun(*this, request, listener).run();
}

std::unique_ptr<Denoiser> Generator::denoiser(const PlannedRequest& request, const ComputeOptions& compute) const {
  const hr::GenerationPlan& plan = request.plan();
  const ScheduleTensors schedule = schedule_tensors(plan.steps, plan.flow_shift);
  return std::make_unique<Denoiser>(
      model_, image_sequence(request.profile(), request.image_rows({}, 1), schedule, model_.backbone.device()),
      std::vector<Overwrite>(), schedule, plan.guidance, compute);
}

at::Tensor Generator::noise(const hr::GenerationPlan& plan, std::uint64_t seed) const {
  std::vector<std::int64_t> shape = latent_shape(plan);
  shape[0] = 1;
  return draw_noise(shape, seeded(seed)).to(model_.backbone.device(), at::kFloat);
}

bool Generator::can_capture(const ComputeOptions& compute) const {
  // Copies of streamed layers reach from one step into the next.
  bool one_device = model_.backbone.device().is_cuda() && model_.backbone.streamed_bytes() == 0;
  for (const at::Device device : model_.backbone.layer_devices()) {
    one_device = one_device && device == model_.backbone.device();
  }
  return one_device && compute.experts != ExpertPath::sorted;
}

}  // namespace hunyuan_generate
