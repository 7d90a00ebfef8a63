// SPDX-License-Identifier: MIT
#include "adapter.hpp"

#include <algorithm>  // fill_n, min

namespace hunyuan_generate {
namespace {

using hunyuan_reso::Slice;

bool same_positions(const hunyuan_reso::TokenSequence& a, const hunyuan_reso::TokenSequence& b) {
  const auto same_runs = [&] {
    for (std::size_t i = 0; i < a.image_runs.size(); ++i) {
      if (a.image_runs[i].slice != b.image_runs[i].slice || a.image_runs[i].kind != b.image_runs[i].kind) return false;
    }
    return true;
  };
  return a.image_runs.size() == b.image_runs.size() && same_runs() &&
         a.gen_timestep_positions == b.gen_timestep_positions && a.guidance_positions == b.guidance_positions &&
         a.timestep_r_positions == b.timestep_r_positions;
}

// A position of every row, [rows, 1]; undefined where there is none.
at::Tensor position_of_rows(const std::vector<std::int32_t>& positions, std::int64_t rows, at::Device device) {
  if (positions.empty()) return {};
  return at::full({rows, 1}, std::int64_t{positions.back()}, at::TensorOptions().dtype(at::kLong).device(device));
}

const hunyuan_reso::ImageRun& generated_run(const hunyuan_reso::TokenSequence& sequence) {
  const hunyuan_reso::ImageRun* found = nullptr;
  for (const hunyuan_reso::ImageRun& run : sequence.image_runs) {
    if (run.kind != hunyuan_reso::ImageRunKind::generated) continue;
    if (found != nullptr) throw Error("a sequence with several images to generate is not supported");
    found = &run;
  }
  if (found == nullptr) throw Error("the sequence has no image to generate");
  return *found;
}

}  // namespace

at::Tensor id_tensor(const hunyuan_reso::TokenBatch& batch, const Vocabulary& vocabulary) {
  at::Tensor ids = at::empty({static_cast<std::int64_t>(batch.rows.size()), batch.length}, at::kLong);
  auto* out = ids.data_ptr<std::int64_t>();
  for (const hunyuan_reso::TokenSequence& row : batch.rows) {
    for (const hunyuan_reso::TokenRun& run : row.runs) {
      out = std::fill_n(out, run.count, vocabulary.to_model(run.id));
    }
  }
  return ids;
}

hunyuan_reso::AttentionLayout attention_layout(const hunyuan_reso::TokenSequence& sequence) {
  return require(
      hunyuan_reso::AttentionLayout::create(sequence.image_runs.data(), sequence.image_runs.size(),
                                            hunyuan_reso::ConditioningImageType::vae_vit, conditioning_attention),
      "attention");
}

at::Tensor mask_tensor(const hunyuan_reso::AttentionLayout& layout, Slice queries, std::int64_t length) {
  at::Tensor mask = at::empty({1, 1, queries.length(), length}, at::kBool);
  (void)layout.write_mask(queries, static_cast<std::int32_t>(length), mask.data_ptr<bool>(),
                          static_cast<std::size_t>(mask.numel()));
  return mask;
}

std::vector<AttentionSegment> attention_segments(const hunyuan_reso::AttentionLayout& layout,
                                                 const std::vector<Slice>& queries, at::Device device) {
  std::vector<AttentionSegment> segments;
  std::int64_t fed = 0;
  const auto append = [&](Slice part) {
    const std::int64_t keys = layout.allowed_end(part.stop - 1);
    const bool all_alike = layout.allowed_end(part.start) == keys;
    segments.push_back(
        {fed, part.length(), keys, all_alike ? at::Tensor() : mask_tensor(layout, part, keys).to(device)});
    fed += part.length();
  };
  for (const Slice& fed_slice : queries) {
    std::int32_t next = fed_slice.start;
    while (next < fed_slice.stop) {
      // Up to the end of the full slice that `next` is in, or up to the start of the next one.
      Slice part{next, fed_slice.stop};
      for (const Slice& full : layout) {
        if (full.contains(next)) part.stop = std::min(part.stop, full.stop);
        if (full.start > next) part.stop = std::min(part.stop, full.start);
      }
      const bool causal = layout.allowed_end(next) == next + 1;
      if (causal && part.length() <= 4) part.stop = next + 1;
      append(part);
      next = part.stop;
    }
  }
  return segments;
}

at::Tensor position_tensor(const hunyuan_reso::TokenSequence& sequence, std::int64_t room) {
  const auto length = static_cast<std::int32_t>(sequence.length + room);
  const auto layout = require(hunyuan_reso::RopeLayout::create(sequence.image_runs.data(), sequence.image_runs.size(),
                                                               conditioning_attention, length),
                              "rotary positions");
  static_assert(sizeof(hunyuan_reso::RopePosition) == 2 * sizeof(std::int32_t), "a pair of int32 (y, x)");
  std::vector<hunyuan_reso::RopePosition> positions(static_cast<std::size_t>(length));
  (void)hunyuan_reso::write_rope_positions(layout, positions.data(), positions.size());
  return at::from_blob(positions.data(), {length, 2}, at::kInt).to(at::kLong);
}

at::Tensor refeed_tensor(const hunyuan_reso::TokenSequence& sequence, const hunyuan_reso::ModelProfile& profile) {
  auto positions = require(hunyuan_reso::refeed_positions(sequence, profile), "positions fed again");
  return at::from_blob(positions.data(), {1, static_cast<std::int64_t>(positions.size())}, at::kInt).to(at::kLong);
}

ImageSequence image_sequence_of(const hunyuan_reso::TokenBatch& batch, const hunyuan_reso::ModelProfile& profile,
                                const ModelConfig& config, const Vocabulary& vocabulary, at::Device device) {
  const hunyuan_reso::TokenSequence& first = batch.rows.front();
  for (const hunyuan_reso::TokenSequence& row : batch.rows) {
    if (!same_positions(first, row)) throw Error("the rows of the batch have their images at different positions");
  }
  const auto rows = static_cast<std::int64_t>(batch.rows.size());
  const hunyuan_reso::ImageRun& image = generated_run(first);
  const hunyuan_reso::AttentionLayout layout = attention_layout(first);

  ImageSequence sequence;
  sequence.input_ids = id_tensor(batch, vocabulary).to(device);
  sequence.rope = rotary_table(position_tensor(first), config.head_dim, config.rope_theta, device);
  const auto options = at::TensorOptions().dtype(at::kLong).device(device);
  sequence.image_positions = at::arange(image.slice.start, image.slice.stop, options).unsqueeze(0).repeat({rows, 1});
  sequence.timestep_position = position_of_rows(first.gen_timestep_positions, rows, device);
  sequence.guidance_position = position_of_rows(first.guidance_positions, rows, device);
  sequence.timestep_r_position = position_of_rows(first.timestep_r_positions, rows, device);
  sequence.grid_height = image.token_height;
  sequence.grid_width = image.token_width;
  sequence.first_segments = attention_segments(layout, {Slice{0, batch.length}}, device);
  sequence.later_segments =
      attention_segments(layout, require(hunyuan_reso::refeed_slices(first, profile), "positions fed again"), device);
  return sequence;
}

std::vector<std::int64_t> latent_shape(const hunyuan_reso::GenerationPlan& plan) {
  return {plan.latent_shape, plan.latent_shape + 4};
}

at::Tensor published_logits(const at::Tensor& logits, const Vocabulary& vocabulary,
                            const hunyuan_reso::ModelProfile& profile) {
  const at::Tensor row = logits.reshape({-1}).to(at::kCPU, at::kFloat).contiguous();
  if (vocabulary.is_published()) return row;
  at::Tensor published = at::full({profile.vocabulary_size}, hunyuan_reso::lowest_logit, at::kFloat);
  const float* in = row.data_ptr<float>();
  auto* out = published.data_ptr<float>();
  for (std::int64_t id = 0; id < row.numel(); ++id) {
    const hunyuan_reso::TokenId token = vocabulary.to_published(id);
    if (token >= 0 && token < profile.vocabulary_size) out[token] = in[id];
  }
  return published;
}

at::Tensor compact_ratio_logits(const at::Tensor& published, const hunyuan_reso::RatioSlices& slices) {
  at::Tensor scores = at::empty({static_cast<std::int64_t>(slices.token_count())}, at::kFloat);
  (void)require(hunyuan_reso::slice_logits(published.data_ptr<float>(), static_cast<std::size_t>(published.numel()),
                                           slices.slices, slices.count, scores.data_ptr<float>(),
                                           static_cast<std::size_t>(scores.numel())),
                "ratio logits");
  return scores;
}

}  // namespace hunyuan_generate
