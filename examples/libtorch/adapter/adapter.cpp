// SPDX-License-Identifier: MIT
#include "adapter/adapter.hpp"

namespace hunyuan_generate {
namespace {

using hunyuan_reso::ImageRun;
using hunyuan_reso::Slice;
using hunyuan_reso::TokenLayout;

bool same_images(const TokenLayout& a, const TokenLayout& b) {
  bool same = a.length == b.length && a.image_runs.size() == b.image_runs.size() &&
              a.gen_timestep_positions == b.gen_timestep_positions && a.guidance_positions == b.guidance_positions &&
              a.timestep_r_positions == b.timestep_r_positions;
  for (std::size_t i = 0; same && i < a.image_runs.size(); ++i) {
    same = a.image_runs[i].slice == b.image_runs[i].slice && a.image_runs[i].kind == b.image_runs[i].kind;
  }
  return same;
}

const ImageRun& generated_run(const TokenLayout& layout) {
  const ImageRun* found = nullptr;
  for (const ImageRun& run : layout.image_runs) {
    if (run.kind != hunyuan_reso::ImageRunKind::generated) continue;
    if (found != nullptr) throw Error("a sequence with several images to generate is not supported");
    found = &run;
  }
  if (found == nullptr) throw Error("the sequence has no image to generate");
  return *found;
}

}  // namespace

void require(hunyuan_reso::Errc error, const std::string& what) {
  if (error != hunyuan_reso::Errc::none) throw Error(what + ": " + hunyuan_reso::message(error));
}

at::Tensor id_tensor(const hunyuan_reso::TokenSequence& row) {
  at::Tensor ids = at::empty({1, row.length}, at::kLong);
  require(row.expand(ids.data_ptr<std::int64_t>(), static_cast<std::size_t>(row.length)), "token ids");
  return ids;
}

at::Tensor id_tensor(const hunyuan_reso::TokenBatch& batch) {
  std::vector<at::Tensor> rows;
  for (const hunyuan_reso::TokenSequence& row : batch.rows) rows.push_back(id_tensor(row));
  return at::cat(rows);
}

std::vector<hunyuan_reso::TokenId> ids_of(const hunyuan_reso::TokenSequence& row) {
  std::vector<hunyuan_reso::TokenId> ids(static_cast<std::size_t>(row.length));
  require(row.expand(ids.data(), ids.size()), "token ids");
  return ids;
}

at::Tensor position_tensor(const hunyuan_reso::ModelProfile& profile, const TokenLayout& layout, std::int64_t room) {
  const auto length = static_cast<std::int32_t>(layout.length + room);
  const auto rope =
      require(hunyuan_reso::RopeLayout::create(profile, layout.image_runs.data(), layout.image_runs.size(), length),
              "rotary positions");
  static_assert(sizeof(hunyuan_reso::RopePosition) == 2 * sizeof(std::int32_t), "a pair of int32 (y, x)");
  std::vector<hunyuan_reso::RopePosition> positions(static_cast<std::size_t>(length));
  require(rope.write(positions.data(), positions.size()), "rotary positions");
  return at::from_blob(positions.data(), {length, 2}, at::kInt).to(at::kLong);
}

namespace {

// [D / 2] on the CPU.
at::Tensor frequencies(const hunyuan_reso::ModelProfile& profile, double base_rescale) {
  const std::int64_t half = profile.head_dimension / 2;
  at::Tensor thetas = at::empty({half}, at::kFloat);
  require(
      hunyuan_reso::write_rope_thetas(profile, thetas.data_ptr<float>(), static_cast<std::size_t>(half), base_rescale),
      "rotary frequencies");
  return thetas;
}

// Each token's y at even components and x at odd ones, [tokens, half].
at::Tensor coordinates(const at::Tensor& positions_yx, std::int64_t half) {
  const at::Tensor axis = at::arange(half, at::kLong).remainder_(2);  // 0 = y, 1 = x
  return positions_yx.to(at::kCPU, at::kFloat).index_select(1, axis);
}

}  // namespace

RotaryTable rotary_table(const at::Tensor& frequencies, const at::Tensor& coordinates) {
  const at::Tensor angles = (coordinates * frequencies).repeat({1, 2}).unsqueeze(0);
  return {angles.cos(), angles.sin()};
}

RotaryTable rotary_table(const hunyuan_reso::ModelProfile& profile, const at::Tensor& positions_yx, at::Device device,
                         double base_rescale) {
  const RotaryTable table = rotary_table(frequencies(profile, base_rescale).unsqueeze(0),
                                         coordinates(positions_yx, profile.head_dimension / 2));
  return {table.cos.to(device), table.sin.to(device)};
}

double rotary_rescale(const hunyuan_reso::ModelProfile& profile, const TokenLayout& layout, double sigma) {
  const double factor = hunyuan_reso::rope_area_factor(profile, layout.image_runs.data(), layout.image_runs.size());
  return hunyuan_reso::rope_base_rescale(profile.rope_scaling, factor, sigma);
}

hunyuan_reso::AttentionLayout attention_layout(const hunyuan_reso::ModelProfile& profile, const TokenLayout& layout) {
  return require(hunyuan_reso::AttentionLayout::create(profile, layout.image_runs.data(), layout.image_runs.size()),
                 "attention");
}

at::Tensor mask_tensor(const hunyuan_reso::AttentionLayout& attention, Slice queries, std::int64_t length) {
  at::Tensor mask = at::empty({1, 1, queries.length(), length}, at::kBool);
  require(attention.write_mask(queries, static_cast<std::int32_t>(length), mask.data_ptr<bool>(),
                               static_cast<std::size_t>(mask.numel())),
          "attention mask");
  return mask;
}

std::vector<AttentionSegment> attention_segments(const hunyuan_reso::AttentionLayout& attention,
                                                 const std::vector<Slice>& queries, std::int64_t length,
                                                 at::Device device) {
  constexpr std::int32_t masked_from = 5;  // fewer causal tokens go one by one
  std::vector<hunyuan_reso::AttentionSegment> parts(queries.size() * (2 * attention.size() + 1));
  parts.resize(require(attention.write_segments(queries.data(), queries.size(), static_cast<std::int32_t>(length),
                                                parts.data(), parts.size()),
                       "attention segments"));
  std::vector<AttentionSegment> segments;
  std::int64_t fed = 0;
  const auto append = [&](Slice part, std::int64_t keys, const at::Tensor& mask) {
    segments.push_back({fed, part.length(), keys, mask});
    fed += part.length();
  };
  for (const hunyuan_reso::AttentionSegment& part : parts) {
    if (!part.causal) {
      append(part.queries, part.keys.stop, {});
    } else if (part.queries.length() >= masked_from) {
      append(part.queries, part.keys.stop, mask_tensor(attention, part.queries, part.keys.stop).to(device));
    } else {
      for (std::int32_t i = part.queries.start; i < part.queries.stop; ++i) append({i, i + 1}, i + 1, {});
    }
  }
  return segments;
}

std::vector<AttentionSegment> segments_from(const hunyuan_reso::ModelProfile& profile, const TokenLayout& layout,
                                            std::int64_t start, at::Device device) {
  return attention_segments(attention_layout(profile, layout), {Slice{static_cast<std::int32_t>(start), layout.length}},
                            layout.length, device);
}

ImageSequence image_sequence(const hunyuan_reso::ModelProfile& profile, const at::Tensor& ids,
                             const TokenLayout& layout, at::Device device) {
  const ImageRun& image = generated_run(layout);
  const std::vector<Slice> refed = require(hunyuan_reso::refeed_slices(profile, layout), "tokens fed again");
  for (std::size_t i = 1; i < refed.size(); ++i) {
    if (refed[i].start != refed[i - 1].stop) throw Error("the image does not follow its scalar tokens");
  }
  ImageSequence sequence;
  sequence.ids = ids.to(device);
  sequence.rope = rotary_table(profile, position_tensor(profile, layout), device, rotary_rescale(profile, layout));
  sequence.image = image.slice;
  sequence.scalars = {refed.front().start, image.slice.start};
  sequence.grid_height = image.token_height;
  sequence.grid_width = image.token_width;
  const hunyuan_reso::AttentionLayout attention = attention_layout(profile, layout);
  sequence.first_segments = attention_segments(attention, {Slice{0, layout.length}}, layout.length, device);
  sequence.later_segments = attention_segments(attention, refed, layout.length, device);
  return sequence;
}

ImageSequence image_sequence(const hunyuan_reso::ModelProfile& profile, const hunyuan_reso::TokenBatch& batch,
                             at::Device device) {
  if (batch.rows.empty()) throw Error("the batch has no rows");
  for (const hunyuan_reso::TokenSequence& row : batch.rows) {
    if (!same_images(batch.rows.front(), row))
      throw Error("the rows of the batch have their images at other positions");
  }
  return image_sequence(profile, id_tensor(batch), batch.rows.front(), device);
}

ImageSequence image_sequence(const hunyuan_reso::ModelProfile& profile, const hunyuan_reso::TokenBatch& batch,
                             const ScheduleTensors& schedule, at::Device device) {
  ImageSequence sequence = image_sequence(profile, batch, device);
  const TokenLayout& layout = batch.rows.front();
  const bool changes =
      profile.rope_scaling == hunyuan_reso::RopeScaling::area_by_sigma && rotary_rescale(profile, layout) != 1.0;
  if (!changes) return sequence;
  std::vector<at::Tensor> steps;
  for (std::int64_t step = 0; step < schedule.steps; ++step) {
    const double sigma = schedule.sigmas[step].item<float>();
    steps.push_back(frequencies(profile, rotary_rescale(profile, layout, sigma)));
  }
  sequence.step_frequencies = at::stack(steps).to(device);
  sequence.positions = coordinates(position_tensor(profile, layout), profile.head_dimension / 2).to(device);
  return sequence;
}

ScheduleTensors schedule_tensors(std::int64_t steps, double flow_shift) {
  const auto flow =
      require(hunyuan_reso::FlowSchedule::create(static_cast<std::int32_t>(steps), flow_shift), "schedule");
  ScheduleTensors schedule;
  schedule.steps = steps;
  schedule.sigmas = at::empty({steps + 1}, at::kFloat);
  auto* sigmas = schedule.sigmas.data_ptr<float>();
  for (std::int32_t j = 0; j <= flow.steps(); ++j) sigmas[j] = static_cast<float>(flow.sigma(j));
  schedule.timesteps_full = schedule.sigmas * 1000;
  return schedule;
}

std::vector<std::int64_t> latent_shape(const hunyuan_reso::GenerationPlan& plan) {
  return {plan.latent_shape, plan.latent_shape + 4};
}

at::Tensor logits_row(const at::Tensor& logits) {
  return logits.reshape({-1}).to(at::kCPU, at::kFloat, /*non_blocking=*/false, /*copy=*/true).contiguous();
}

at::Tensor ratio_scores(const hunyuan_reso::ModelProfile& profile, const at::Tensor& row) {
  const hunyuan_reso::RatioSlices slices = hunyuan_reso::ratio_slices(profile);
  at::Tensor scores = at::empty({static_cast<std::int64_t>(slices.token_count())}, at::kFloat);
  (void)require(
      hunyuan_reso::slice_logits(row.data_ptr<float>(), static_cast<std::size_t>(row.numel()), slices.slices,
                                 slices.count, scores.data_ptr<float>(), static_cast<std::size_t>(scores.numel())),
      "ratio logits");
  return scores;
}

}  // namespace hunyuan_generate
