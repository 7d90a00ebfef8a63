// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_TESTS_CUDA_QUESTIONS_HPP
#define HUNYUAN_RESO_TESTS_CUDA_QUESTIONS_HPP

#include <cuda_bf16.h>

#include <cmath>

#include "answer.hpp"

namespace hunyuan_reso_test {

// Each question is asked for a size, with a model and its table: on the device these are a kernel's argument and a copy
// in shared memory.

/// The nearest row, in every spelling.
struct Snapping {
  static constexpr const char* name = "snapping";
  HUNYUAN_RESO_HD static void ask(const hr::Model& model, const hr::SnapTable& table, hr::Resolution size,
                                  Answer& answer) {
    answer.add(model.group.snap(size));
    answer.add(model.group.get_target_size(size.width, size.height));
    answer.add(model.group.get_base_size_and_ratio_index(size.width, size.height).ratio_index);
    answer.add(model.group[model.group.snap({size.width, size.height})]);
    answer.add(table.snap(size));
    answer.add(table.look_up(size));
    answer.add(size.ratio());
  }
};

/// A model that is a constant of the kernel.
struct ConstantModel {
  static constexpr const char* name = "a model made by the compiler";
  HUNYUAN_RESO_HD static void ask(const hr::Model&, const hr::SnapTable&, hr::Resolution size, Answer& answer) {
    constexpr hr::Model model = hr::model_for<hr::profiles::instruct>;
    const std::size_t ratio_index = model.group.snap(size);
    answer.add(ratio_index);
    answer.add(model.group[ratio_index]);
    answer.add(hr::size_token_id(model.profile, model.group.base_size()));
    answer.add(hr::ratio_token_id(model.profile, ratio_index));
    answer.add(hr::ratio_index_of(model.profile, size.height));
  }
};

/// Token ids both ways; the height stands for an id, the width for a base size or a ratio index.
struct Tokens {
  static constexpr const char* name = "tokens";
  HUNYUAN_RESO_HD static void ask(const hr::Model& model, const hr::SnapTable&, hr::Resolution size, Answer& answer) {
    const hr::ModelProfile& profile = model.profile;
    const hr::TokenId id = size.height;
    answer.add(hr::size_token_id(profile, size.width));
    answer.add(hr::base_size_of(profile, id));
    answer.add(hr::ratio_token_id(profile, static_cast<std::size_t>(static_cast<std::uint32_t>(size.width))));
    answer.add(hr::ratio_token_id(profile, model.group.snap(size)));
    answer.add(hr::ratio_index_of(profile, id));
    answer.add(hr::generated_ratio_index(profile, id));
    answer.add(hr::ratio_token_count(profile));
    const hr::TokenId stream[] = {profile.special.eos, id, profile.special.img, size.width};
    answer.add(hr::last_ratio_index(profile, stream, 4));
    answer.add(hr::last_ratio_index(profile, stream, 2));
    answer.add(profile.special.timestep_r);
  }
};

HUNYUAN_RESO_HD __noinline__ inline void add_image(Answer& answer, const hr::Result<hr::ImageInfo>& info) {
  answer.add_error(info);
  answer.add(info->image_size());
  answer.add(info->token_grid());
  answer.add(info->image_token_length);
  answer.add(info->base_size);
  answer.add(info->ratio_index);
  answer.add(info->add_timestep_token | info->add_guidance_token << 1 | info->add_timestep_r_token << 2 |
             info->use_front_boi_token << 3 | info->add_image_shape_token << 4);
  answer.add(info->vit_grid());
  answer.add(info->vit_token_length);
  answer.add(static_cast<int>(info->kind));
  answer.add(info->requested);
  answer.add(static_cast<int>(info->grid_mode));
  answer.add(info->trained.base_size | info->trained.grid << 1 | info->trained.ratio_token << 2);
  answer.add(hr::image_block_length(*info));
}

/// The image to generate, in each way of choosing the grid.
struct GeneratedImages {
  static constexpr const char* name = "images to generate";
  HUNYUAN_RESO_HD static void ask(const hr::Model& model, const hr::SnapTable&, hr::Resolution size, Answer& answer) {
    add_image(answer, hr::build_gen_image_info(model, size));
    add_image(answer, hr::build_gen_image_info(model, size, hr::GridMode::follow_request));
    add_image(answer, hr::build_gen_image_info(model, size, hr::GridMode::follow_request_by_area));
    add_image(answer, hr::build_gen_image_info(model, hr::ImageSize{hr::ImageSizeKind::ratio, size, 0}));
    add_image(answer, hr::image_info_of_row(model, static_cast<std::uint32_t>(size.width) % 70));
    answer.add(hr::base_size_by_area(model.profile, size));
  }
};

/// A conditioning image: its row, and the vision tower's grid.
struct ConditioningImages {
  static constexpr const char* name = "conditioning images";
  HUNYUAN_RESO_HD static void ask(const hr::Model& model, const hr::SnapTable&, hr::Resolution size, Answer& answer) {
    add_image(answer, hr::build_cond_image_info(model, size));
    const hr::Resolution turned =
        hr::oriented(size, static_cast<std::int32_t>(static_cast<std::uint32_t>(size.width) % 9));
    add_image(answer, hr::build_cond_image_info(model, turned, hr::VitSlots::true_grid));
  }
};

HUNYUAN_RESO_HD __noinline__ inline void add_crop(Answer& answer, const hr::Result<hr::ResizeCrop>& crop) {
  answer.add_error(crop);
  answer.add(crop->resized_height);
  answer.add(crop->resized_width);
  answer.add(crop->crop_top);
  answer.add(crop->crop_left);
}

HUNYUAN_RESO_HD __noinline__ inline void add_alignment(Answer& answer,
                                                       const hr::Result<hr::OutputAlignment>& alignment) {
  answer.add_error(alignment);
  answer.add(alignment->resize);
  answer.add(alignment->height);
  answer.add(alignment->width);
  answer.add(alignment->conditioning_index);
}

/// Resizing, cropping, output alignment and the panorama's wrap.
struct Geometry {
  static constexpr const char* name = "geometry";
  HUNYUAN_RESO_HD static void ask(const hr::Model& model, const hr::SnapTable&, hr::Resolution size, Answer& answer) {
    const hr::Resolution row = model.group[model.group.snap(size)];
    add_crop(answer, hr::resize_and_center_crop(size, row));
    add_crop(answer, hr::resize_and_center_crop(size, {row.width, row.height}));
    add_crop(answer, hr::resize_only(size, row));
    add_crop(answer, hr::resize_conditioning_image(size, row, size.width % 2 != 0));
    add_alignment(answer, hr::align_output(model.group, row, &size, 1));
    const hr::Resolution several[] = {{size.width, size.height}, {768, 1024}, size};
    add_alignment(answer, hr::align_output(model.group, row, several, 3));
    answer.add(hr::wrapped_size(model.profile, size));
  }
};

/// Rows of a preset list.
struct Presets {
  static constexpr const char* name = "presets";
  HUNYUAN_RESO_HD static void ask(const hr::Model& model, const hr::SnapTable&, hr::Resolution size, Answer& answer) {
    const hr::CommonRatio ratio = hr::nearest_common_ratio(size);
    answer.add(ratio.width);
    answer.add(ratio.height);
    answer.add(ratio.exact);
    answer.add(static_cast<int>(hr::orientation_of(size)));
    const auto preset = hr::preset_of_row(model, static_cast<std::uint32_t>(size.width) % 70);
    answer.add_error(preset);
    answer.add(preset->size);
    answer.add(preset->common_ratio.width * 256 + preset->common_ratio.height);
    answer.add(preset->pixel_count);
    answer.add(preset->image_token_length);
    answer.add(preset->base_size);
    answer.add(preset->ratio_index);
    answer.add(preset->ratio_token_id);
    answer.add(preset->trained.all());
  }
};

/// The image runs of a sequence: a joint block of a conditioning image and the image to generate. The size chooses the
/// grids and where they lie.
struct Runs {
  hr::ImageRun runs[3];
  std::int32_t length;

  HUNYUAN_RESO_HD explicit Runs(hr::Resolution size) {
    Draw draw(size);
    std::int32_t position = draw.between(0, 900);
    for (int i = 0; i < 3; ++i) {
      const std::int32_t height = draw.between(1, 128);
      const std::int32_t width = draw.between(1, 64);
      const std::int32_t padding = i == 1 ? draw.between(0, 300) : 0;
      const std::int32_t stop = position + height * width + padding;
      const auto kind = i == 0 ? hr::ImageRunKind::vae : i == 1 ? hr::ImageRunKind::vit : hr::ImageRunKind::generated;
      runs[i] = {{position, stop}, kind, i != 2, height, width};
      position = stop + (i == 0 ? 1 : draw.between(2, 40));
    }
    length = position + draw.between(0, 10);
  }
};

/// Rotary positions, of runs as the profile places them, and of images given one by one.
struct Rope {
  static constexpr const char* name = "rotary positions";
  HUNYUAN_RESO_HD static void ask(const hr::Model& model, const hr::SnapTable&, hr::Resolution size, Answer& answer) {
    const Runs drawn(size);
    const auto layout = hr::RopeLayout::create(model.profile, drawn.runs, 3, drawn.length);
    answer.add_error(layout);
    answer.add(layout->image_count());
    answer.add(layout->sequence_length());
    Draw draw({size.width, size.height});
    for (int i = 0; i < 8; ++i) {
      const hr::RopePosition position = layout->position(draw.between(0, drawn.length));
      answer.add(position.y);
      answer.add(position.x);
    }
    // Images that begin before the one before has ended, as upstream's list takes them.
    const hr::RopeImage images[] = {{draw.between(-3, 3), draw.between(0, 3), draw.between(0, 3)},
                                    {draw.between(0, 6), draw.between(0, 3), draw.between(0, 3)}};
    const auto small = hr::BasicRopeLayout<2>::create(images, 2, draw.between(0, 12));
    answer.add_error(small);
    hr::RopePosition positions[12];
    answer.add(static_cast<int>(small->write(positions, 10)));
    for (const hr::RopePosition& position : positions) answer.add(position.y * 64 + position.x);
  }
};

/// What a query sees, as an end, a predicate, a mask, and segments for kernels.
struct Attention {
  static constexpr const char* name = "attention";
  HUNYUAN_RESO_HD static void ask(const hr::Model& model, const hr::SnapTable&, hr::Resolution size, Answer& answer) {
    const Runs drawn(size);
    const auto layout = hr::AttentionLayout::create(model.profile, drawn.runs, 3, size.height % 2 != 0);
    answer.add_error(layout);
    answer.add(layout->size());
    answer.add(layout->allowed_pairs(drawn.length));
    Draw draw({size.width, size.height});
    for (int i = 0; i < 6; ++i) {
      const std::int32_t query = draw.between(-1, drawn.length);
      answer.add(layout->allowed_end(query));
      answer.add(layout->allows(query, draw.between(-1, drawn.length)));
      answer.add(layout->row_range(query));
    }
    const std::int32_t start = draw.between(0, drawn.length);
    const hr::Slice queries[] = {{start / 2, start}, {start, draw.between(start, drawn.length)}};
    hr::AttentionSegment segments[8];
    const auto count = layout->write_segments(queries, 2, drawn.length, segments, 8);
    answer.add(count);
    std::int32_t query_lengths[9] = {};
    std::int32_t key_lengths[9] = {};
    answer.add(static_cast<int>(hr::write_cumulative_lengths(segments, *count, query_lengths, key_lengths, 9)));
    for (std::size_t i = 0; i < *count; ++i) {
      answer.add(segments[i].queries);
      answer.add(segments[i].keys);
      answer.add(segments[i].causal);
      answer.add(query_lengths[i + 1]);
      answer.add(key_lengths[i + 1]);
    }
    const hr::Slice tiny{draw.between(0, 2), draw.between(2, 4)};
    unsigned char mask[16] = {};
    answer.add(static_cast<int>(hr::BasicAttentionLayout<1>::create(&tiny, 1)->write_mask(4, mask, 16)));
    std::uint32_t bits = 0;
    for (const unsigned char allowed : mask) bits = bits << 1 | allowed;
    answer.add(bits);
  }
};

/// Rules on a small row of logits, with infinities and NaN among them, in three formats.
struct Logits {
  static constexpr const char* name = "logits";
  static constexpr std::size_t count = 24;

  HUNYUAN_RESO_HD static float logit(Draw& draw) {
    const std::uint32_t kind = draw.below(60);
    if (kind == 0) return -HUGE_VALF;
    if (kind == 1) return HUGE_VALF;
    if (kind == 2) return nanf("");
    return static_cast<float>(draw.between(-128, 127));
  }

  HUNYUAN_RESO_HD static void ask(const hr::Model& model, const hr::SnapTable&, hr::Resolution size, Answer& answer) {
    Draw draw(size);
    float logits[count];
    double doubles[count];
    __nv_bfloat16 halves[count];
    for (std::size_t i = 0; i < count; ++i) {
      logits[i] = logit(draw);
      doubles[i] = static_cast<double>(logits[i]);
      halves[i] = __float2bfloat16(logits[i]);
    }
    answer.add(hr::argmax_logit(logits, count));
    answer.add(hr::argmax_logit(doubles, count));
    answer.add(hr::argmax_logit(halves, count));

    const hr::RatioSlices ratios = hr::ratio_slices(model.profile);
    answer.add(ratios.count);
    answer.add(ratios.token_count());
    answer.add(hr::predict_ratio(model.profile, logits, count));
    hr::ModelProfile small = model.profile;  // the same with ids that the small row has, one of them unknown
    for (std::size_t i = 0; i < hr::ratio_token_count(small); ++i) {
      small.ratio_tokens.ids[i] = i == 5 ? hr::RatioTokens::unknown : static_cast<hr::TokenId>((i * 7 + 3) % count);
    }
    answer.add(hr::predict_ratio(small, logits, count));
    answer.add(hr::predict_ratio(small, doubles, count));
    answer.add(hr::predict_ratio(small, halves, count));

    const hr::VocabularySlice slices[] = {{3, 9}, hr::VocabularySlice::from(20), {draw.between(-1, 5), 2}};
    float compact[count] = {};
    answer.add(hr::slice_logits(logits, count, slices, 3, compact, count));
    for (const float value : compact) answer.add(value == value ? value : 1e9F);
    answer.add(static_cast<int>(hr::mask_logits(logits, count, slices, 2)));
    for (std::size_t i = 0; i < count; i += 2) answer.add(logits[i] == logits[i] ? logits[i] : 1e9F);
    answer.add(static_cast<int>(hr::mask_logits(logits, count, slices, 2, true)));
    answer.add(hr::argmax_logit(logits, count));
    answer.add(static_cast<int>(hr::force_token(logits, count, size.width)));
    answer.add(hr::argmax_logit(logits, count));
  }
};

/// Made on the host, or by the compiler; a kernel holds a copy.
inline constexpr hr::TextStage with_forced_tokens =
    *hr::plan_text_stage(hr::model_for<hr::profiles::instruct>, hr::BotTask::think_recaption, true);

/// The text stage of a row: forced tokens and masked ratios, over a history of tokens that matter to it.
struct TextStages {
  static constexpr const char* name = "text stages";

  HUNYUAN_RESO_HD static void ask(const hr::Model&, const hr::SnapTable&, hr::Resolution size, Answer& answer) {
    constexpr hr::TextStage stage = with_forced_tokens;
    Draw draw(size);
    const hr::TokenId choices[] = {hr::tokens::end_think,
                                   hr::tokens::recaption,
                                   hr::tokens::end_recaption,
                                   hr::tokens::answer,
                                   hr::tokens::boi,
                                   *stage.size_token,
                                   hr::tokens::eos,
                                   100,
                                   size.height};
    auto row = hr::TextStageRow::create(stage);
    answer.add_error(row);
    hr::TextStageRow running = *row;
    hr::TokenId history[12];
    for (std::size_t i = 0; i < 12; ++i) {
      const auto forced = hr::forced_token(stage, history, i);
      answer.add(forced);
      history[i] = forced && draw.below(4) != 0 ? *forced : choices[draw.below(9)];
      answer.add(stage.stops_at(history[i]));
      float logits[8] = {1, 2, 3, 4, 5, 6, 7, 8};
      answer.add(running.process(history[i], logits, 8, i % 2 != 0));
      answer.add(hr::argmax_logit(logits, 8));
      answer.add(running.machine().pending_count());
    }
  }
};

HUNYUAN_RESO_HD __noinline__ inline void add_group(Answer& answer, const hr::Result<hr::ResolutionGroup>& group) {
  answer.add_error(group);
  answer.add(group->size());
  answer.add(group->threshold_count());
  answer.add(group->separable());
  for (std::size_t i = 0; i <= group->size(); ++i) {
    const hr::SnapThreshold threshold = group->threshold(i);
    answer.add((*group)[i]);
    answer.add(threshold.last);
    answer.add(threshold.lower * 65536 + threshold.upper);
    answer.add(group->threshold_place(i));
  }
}

/// Groups made inside the kernel; the height is the base size, the width chooses the step.
struct Building {
  static constexpr const char* name = "groups made in the kernel";
  HUNYUAN_RESO_HD static void ask(const hr::Model& model, const hr::SnapTable&, hr::Resolution size, Answer& answer) {
    const hr::GroupSpec spec = model.profile.group_spec(size.height, hr::ExtraScaling::scaled);
    add_group(answer, hr::ResolutionGroup::create(spec.with_step(size.width)));
    add_group(answer, hr::make_group(model.profile, size.height));
  }
};

/// Rows of one's own, made inside the kernel.
struct OwnRows {
  static constexpr const char* name = "rows of one's own";
  HUNYUAN_RESO_HD static void ask(const hr::Model&, const hr::SnapTable&, hr::Resolution size, Answer& answer) {
    Draw draw(size);
    hr::Resolution rows[16];
    const std::uint32_t count = draw.below(17);
    const std::int32_t longest = 1 << draw.between(1, 30);
    for (hr::Resolution& row : rows)
      row = {draw.between(draw.below(200) == 0 ? 0 : 1, longest), draw.between(1, longest)};
    const auto group = hr::ResolutionGroup::from_rows(rows, count);
    add_group(answer, group);
    const hr::Resolution sizes[] = {size, rows[0], {rows[1].height, rows[2].width}};
    for (const hr::Resolution asked : sizes) answer.add(group->snap(asked));
  }
};

}  // namespace hunyuan_reso_test

#endif  // HUNYUAN_RESO_TESTS_CUDA_QUESTIONS_HPP
