// SPDX-License-Identifier: MIT
// Crop geometry, output alignment and preset rows.
#include <hunyuan_reso/hunyuan_reso.hpp>

namespace hr = hunyuan_reso;

namespace {

constexpr const hr::ResolutionGroup& group = hr::group_for<hr::profiles::instruct>;

constexpr bool crops(hr::Resolution original, hr::Resolution target, hr::ResizeCrop expected) {
  const auto crop = hr::resize_and_center_crop(original, target);
  return crop && crop->resized_height == expected.resized_height && crop->resized_width == expected.resized_width &&
         crop->crop_top == expected.crop_top && crop->crop_left == expected.crop_left;
}
// Results of the published releases: {resized height, resized width, top, left}.
static_assert(crops({480, 640}, {768, 1024}, {768, 1024, 0, 0}));
static_assert(crops({4000, 6000}, {832, 1216}, {832, 1248, 0, 16}));
static_assert(crops({719, 1281}, {720, 1280}, {720, 1283, 0, 2}));  // an odd margin
static_assert(crops({600, 800}, {896, 1152}, {896, 1195, 0, 22}));  // half of 43, to the even integer
static_assert(crops({4032, 3024}, {1152, 896}, {1195, 896, 22, 0}));
static_assert(crops({338, 600}, {720, 1280}, {721, 1280, 0, 0}));    // half of 1, to the even integer
static_assert(crops({537, 120}, {2000, 500}, {2238, 500, 119, 0}));  // a product exactly on .5
static_assert(crops({440, 1551}, {500, 1744}, {500, 1763, 0, 10}));  // rounding of the quotient decides
static_assert(crops({14756, 15872}, {960, 1088}, {1011, 1088, 26, 0}));
static_assert(hr::resize_and_center_crop({0, 5}, {16, 16}).error() == hr::Errc::side_not_positive);
static_assert(hr::resize_only({480, 640}, {768, 1024})->resized_width == 1024);

constexpr bool aligns(hr::Resolution output, hr::Resolution original, hr::Resolution expected) {
  const auto alignment = hr::align_output(group, output, &original, 1);
  return alignment && alignment->resize == (output != expected) && alignment->height == expected.height &&
         alignment->width == expected.width;
}
static_assert(aligns({832, 1216}, {4000, 6000}, {836, 1254}));
static_assert(aligns({1152, 896}, {1350, 1080}, {1145, 916}));
static_assert(aligns({1408, 640}, {2436, 1125}, {1507, 696}));
static_assert(aligns({1152, 896}, {1141, 919}, {1141, 919}));
static_assert(aligns({768, 1024}, {480, 640}, {768, 1024}));    // the same aspect: nothing changes
static_assert(aligns({1024, 1024}, {480, 640}, {1024, 1024}));  // another row: nothing changes
static_assert(hr::align_output(group, {1024, 1024}, nullptr, 0)->resize == false);

// The panorama wraps round: 32 of its columns are blended into one another. Other checkpoints' pictures stay.
static_assert(*hr::wrapped_size(hr::profiles::panorama, {960, 1952}) == hr::Resolution{960, 1920});
static_assert(*hr::wrapped_size(hr::profiles::instruct, {960, 1952}) == hr::Resolution{960, 1952});
static_assert(hr::wrapped_size(hr::profiles::panorama, {960, 32}).error() == hr::Errc::side_not_positive);
static_assert(*hr::wrapped_size(hr::profiles::panorama, {960, 33}) == hr::Resolution{960, 1});

constexpr bool is_named(hr::Resolution size, std::int32_t width, std::int32_t height, bool exact) {
  const hr::CommonRatio ratio = hr::nearest_common_ratio(size);
  return ratio.width == width && ratio.height == height && ratio.exact == exact;
}
static_assert(is_named({1024, 1024}, 1, 1, true) && is_named({768, 1024}, 4, 3, true));
static_assert(is_named({1280, 720}, 9, 16, true) && is_named({832, 1216}, 3, 2, false));
static_assert(is_named({512, 2048}, 4, 1, true) && is_named({1, hr::max_side}, 4, 1, false));

constexpr const hr::Model& instruct = hr::model_for<hr::profiles::instruct>;
constexpr auto presets = hr::make_presets(instruct);
static_assert(presets.size() == 37);
static_assert(presets.rows[36].size == hr::Resolution{720, 1280} && *presets.rows[36].ratio_token_id == 130106);
static_assert(presets.rows[36].orientation == hr::Orientation::landscape && presets.rows[36].trained.all());
static_assert(presets.rows[36].common_ratio.text() == "16:9" && presets.rows[36].pixel_count == 921600);
static_assert(presets.rows[36].image_token_length == 3600 && presets.rows[36].base_size == 1024);
constexpr auto panorama_presets = hr::make_presets(hr::model_for<hr::profiles::panorama>);
static_assert(panorama_presets.rows[37].ratio_token_id.error() == hr::Errc::ratio_token_id_unknown);
static_assert(hr::preset_of_row(instruct, 37).error() == hr::Errc::ratio_index_out_of_range);

constexpr bool has_presets(std::int32_t base_size) {
  const auto list = hr::make_presets(*hr::Model::create(hr::profiles::base, base_size));
  return list.size() == 33 && list.rows[0].trained.all() == (base_size == 1024);
}
static_assert(has_presets(256));
static_assert(has_presets(512));
static_assert(has_presets(768));
static_assert(has_presets(1024));
static_assert(has_presets(1536));
static_assert(has_presets(2048));
static_assert(has_presets(3072));
static_assert(has_presets(4096));
static_assert(has_presets(6144));
static_assert(has_presets(8192));

}  // namespace
