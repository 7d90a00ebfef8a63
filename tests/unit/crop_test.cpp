// SPDX-License-Identifier: MIT
// Resize and crop of conditioning images, and output alignment.
#include <hunyuan_reso/crop.hpp>
#include <hunyuan_reso/model.hpp>

#include <vector>

#include "support/expect.hpp"
#include "support/plain.hpp"
#include "support/random.hpp"

namespace hunyuan_reso_test {
namespace {

using namespace hunyuan_reso;

constexpr bool is_crop(Resolution original, Resolution target, std::int64_t height, std::int64_t width,
                       std::int64_t top, std::int64_t left) {
  const Result<ResizeCrop> crop = resize_and_center_crop(original, target);
  return crop && crop->resized_height == height && crop->resized_width == width && crop->crop_top == top &&
         crop->crop_left == left;
}

constexpr bool both_branches() {
  EXPECT(is_crop({4000, 6000}, {832, 1216}, 832, 1248, 0, 16));
  EXPECT(is_crop({2480, 3508}, {832, 1216}, 860, 1216, 14, 0));
  EXPECT(is_crop({480, 640}, {768, 1024}, 768, 1024, 0, 0));  // equal ratios
  EXPECT(is_crop({1, 1}, {16, 16}, 16, 16, 0, 0));
  EXPECT(is_crop({1, 1}, {16, 32}, 32, 32, 8, 0));
  EXPECT(is_crop({1, 1}, {32, 16}, 32, 32, 0, 8));
  return true;
}
BOTH_TIMES(both_branches)

constexpr bool halves_go_to_the_even_integer() {
  // resized side: 2 / 4 * 3 = 1.5 and 2 / 4 * 5 = 2.5 both give 2
  EXPECT(is_crop({3, 4}, {2, 4}, 3, 4, 0, 0));
  EXPECT(is_crop({3, 4}, {1, 2}, 2, 2, 0, 0));
  EXPECT(is_crop({5, 4}, {1, 2}, 2, 2, 0, 0));
  EXPECT(is_crop({7, 4}, {1, 2}, 4, 2, 2, 0));
  EXPECT(is_crop({4, 3}, {2, 1}, 2, 2, 0, 0));
  EXPECT(is_crop({4, 5}, {2, 1}, 2, 2, 0, 0));
  // margins of 1, 3, 5 and 7 pixels: 0.5, 1.5, 2.5, 3.5 give 0, 2, 2, 4
  for (std::int32_t side = 2; side <= 20; ++side) {
    EXPECT(is_crop({side + 1, side}, {side, side}, side + 1, side, 0, 0));
    EXPECT(is_crop({side + 3, side}, {side, side}, side + 3, side, 2, 0));
    EXPECT(is_crop({side + 5, side}, {side, side}, side + 5, side, 2, 0));
    EXPECT(is_crop({side + 7, side}, {side, side}, side + 7, side, 4, 0));
    EXPECT(is_crop({side, side + 1}, {side, side}, side, side + 1, 0, 0));
    EXPECT(is_crop({side, side + 3}, {side, side}, side, side + 3, 0, 2));
  }
  return true;
}
BOTH_TIMES(halves_go_to_the_even_integer)

constexpr bool thin_images() {
  EXPECT(is_crop({1, max_side}, {2048, 512}, 2048, std::int64_t{2048} * max_side, 0,
                 (std::int64_t{2048} * max_side - 512) / 2));
  EXPECT(is_crop({max_side, 1}, {512, 2048}, std::int64_t{2048} * max_side, 2048,
                 (std::int64_t{2048} * max_side - 512) / 2, 0));
  // (2^31 - 1)^2 in binary64: 62 bits, of which the last nine are rounded away
  EXPECT(resize_and_center_crop({1, max_side}, {max_side, 1})->resized_width == 4611686014132420608);
  EXPECT(is_crop({max_side, max_side}, {1024, 1024}, 1024, 1024, 0, 0));
  return true;
}
BOTH_TIMES(thin_images)

constexpr bool stretching_and_errors() {
  const Result<ResizeCrop> stretched = resize_only({700, 1000}, {768, 1024});
  EXPECT(stretched->resized_height == 768 && stretched->resized_width == 1024);
  EXPECT(stretched->crop_top == 0 && stretched->crop_left == 0);
  for (const Resolution bad : {Resolution{0, 1}, Resolution{1, 0}, Resolution{-1, 5}, Resolution{5, -1}}) {
    EXPECT(resize_only(bad, {1, 1}).error() == Errc::side_not_positive);
    EXPECT(resize_only({1, 1}, bad).error() == Errc::side_not_positive);
    EXPECT(resize_and_center_crop(bad, {1, 1}).error() == Errc::side_not_positive);
    EXPECT(resize_and_center_crop({1, 1}, bad).error() == Errc::side_not_positive);
  }
  return true;
}
BOTH_TIMES(stretching_and_errors)

constexpr bool what_happens_to_conditioning_images() {
  // with output alignment they are stretched to their row, else resized to cover it and cut at the centre
  const Result<ResizeCrop> stretched = resize_conditioning_image({2480, 3508}, {832, 1216}, true);
  EXPECT(stretched->resized_height == 832 && stretched->resized_width == 1216 && stretched->crop_top == 0);
  const Result<ResizeCrop> cropped = resize_conditioning_image({2480, 3508}, {832, 1216}, false);
  EXPECT(cropped->resized_height == 860 && cropped->resized_width == 1216 && cropped->crop_top == 14);
  EXPECT(resize_conditioning_image({0, 1}, {1, 1}, true).error() == Errc::side_not_positive);
  EXPECT(resize_conditioning_image({1, 1}, {1, 0}, false).error() == Errc::side_not_positive);
  return true;
}
BOTH_TIMES(what_happens_to_conditioning_images)

constexpr bool pictures_that_wrap() {
  EXPECT((*wrapped_size(profiles::panorama, {960, 1952}) == Resolution{960, 1920}));
  EXPECT((*wrapped_size(profiles::panorama, {16, 48}) == Resolution{16, 16}));
  EXPECT(wrapped_size(profiles::panorama, {16, 32}).error() == Errc::side_not_positive);
  for (const ModelProfile* profile : profiles::all) {
    EXPECT(wrapped_size(*profile, {960, 1952})->width == 1952 - profile->wrap_pixels);
    EXPECT(wrapped_size(*profile, {0, 1952}).error() == Errc::side_not_positive);
    EXPECT(wrapped_size(*profile, {960, -max_side - 1}).error() == Errc::side_not_positive);
  }
  ModelProfile odd = profiles::instruct;
  odd.wrap_pixels = -5;  // no profile, but no harm either
  EXPECT((*wrapped_size(odd, {960, 1952}) == Resolution{960, 1952}));
  return true;
}
BOTH_TIMES(pictures_that_wrap)

bool same_crop(Resolution original, Resolution target) {
  const ResizeCrop actual = *resize_and_center_crop(original, target);
  const plain::Crop expected =
      plain::resize_and_center_crop({original.height, original.width}, {target.height, target.width});
  return actual.resized_height == expected.resized_height && actual.resized_width == expected.resized_width &&
         actual.crop_top == expected.top && actual.crop_left == expected.left;
}

TEST_CASE("crops equal the plain definition's") {
  Random random(51);
  const ResolutionGroup group = *make_group(profiles::panorama);
  int wrong = 0;
  for (std::int32_t h = 1; h <= 900; ++h) {
    for (std::int32_t w = 1; w <= 900; ++w) wrong += same_crop({h, w}, group[group.snap({h, w})]) ? 0 : 1;
  }
  for (std::int32_t h = 1; h <= 24; ++h) {  // small targets are rich in halves
    for (std::int32_t w = 1; w <= 24; ++w) {
      for (std::int32_t th = 1; th <= 24; ++th) {
        for (std::int32_t tw = 1; tw <= 24; ++tw) wrong += same_crop({h, w}, {th, tw}) ? 0 : 1;
      }
    }
  }
  for (int i = 0; i < 200000; ++i) {
    const Resolution size{random.side(), random.side()};
    wrong += same_crop(size, group[group.snap(size)]) ? 0 : 1;
    wrong += same_crop(size, group[random.place_below(group.size())]) ? 0 : 1;
  }
  CHECK(wrong == 0);
}

constexpr bool alignment_of_outputs() {
  const ResolutionGroup group = *make_group(profiles::instruct);
  const Resolution original = Resolution::from_wh(564, 700);
  const OutputAlignment aligned = *align_output(group, {1152, 896}, &original, 1);
  EXPECT(aligned.resize && aligned.width == 919 && aligned.height == 1141 && aligned.conditioning_index == 0);
  const Resolution itself = Resolution::from_wh(919, 1141);
  EXPECT(align_output(group, {1152, 896}, &itself, 1)->width == 919);
  // another ratio index, no conditioning image, or a difference below 0.01: nothing changes
  EXPECT(!align_output(group, {1024, 1024}, &original, 1)->resize);
  EXPECT(align_output(group, {1024, 1024}, &original, 1)->height == 1024);
  EXPECT(!align_output(group, {1152, 896}, nullptr, 0)->resize);
  const Resolution near = {1009, 1000};
  EXPECT(!align_output(group, {1024, 1024}, &near, 1)->resize);
  return true;
}
BOTH_TIMES(alignment_of_outputs)

constexpr bool the_first_matching_image_decides() {
  const ResolutionGroup group = *make_group(profiles::instruct);
  const Resolution square{1000, 1000}, far{1040, 1000}, other{700, 564};
  const Resolution far_first[] = {other, far, square};
  const Resolution square_first[] = {other, square, far};
  EXPECT(align_output(group, {1024, 1024}, far_first, 3)->resize);
  EXPECT(align_output(group, {1024, 1024}, far_first, 3)->conditioning_index == 1);
  EXPECT(align_output(group, {1024, 1024}, far_first, 3)->height == 1044);
  EXPECT(align_output(group, {1024, 1024}, far_first, 3)->width == 1004);
  EXPECT(!align_output(group, {1024, 1024}, square_first, 3)->resize);
  return true;
}
BOTH_TIMES(the_first_matching_image_decides)

constexpr bool a_difference_of_one_hundredth() {
  const ResolutionGroup group = *make_group(profiles::instruct);
  // In binary64, 1.01 - 1 is over 0.01 and 0.99 is further than 0.01 from 1.
  const Resolution at{10100, 10000}, below{10099, 10000}, under{9900, 10000}, under_below{9901, 10000};
  EXPECT(align_output(group, {1024, 1024}, &at, 1)->resize);
  EXPECT(!align_output(group, {1024, 1024}, &below, 1)->resize);
  EXPECT(align_output(group, {1024, 1024}, &under, 1)->resize);
  EXPECT(!align_output(group, {1024, 1024}, &under_below, 1)->resize);
  return true;
}
BOTH_TIMES(a_difference_of_one_hundredth)

// Any group will do, also a list of one's own; that has no base size, so the row's own area is kept.
constexpr bool alignment_in_other_groups() {
  const Resolution rows[] = {{512, 512}, {512, 768}, {768, 512}};
  const auto own = *BasicResolutionGroup<3>::from_rows(rows, 3);
  const Resolution original{1000, 1400};
  const OutputAlignment aligned = *align_output(own, {512, 768}, &original, 1);
  EXPECT(aligned.resize);
  // s = sqrt(512 * 768 / (1000 * 1400)) = 0.52998..
  EXPECT(aligned.height == 530 && aligned.width == 742);
  EXPECT(!align_output(own, {512, 512}, &original, 1)->resize);
  const auto large = *BasicResolutionGroup<200>::create(GroupSpec{}.with_step(16));
  const Resolution narrow{1030, 1000};
  EXPECT(align_output(large, large[large.snap(narrow)], &narrow, 1).has_value());
  return true;
}
BOTH_TIMES(alignment_in_other_groups)

constexpr bool errors_of_alignment() {
  const ResolutionGroup group = *make_group(profiles::instruct);
  const Resolution originals[] = {{700, 564}, {0, 5}};
  EXPECT(align_output(group, {0, 1024}, originals, 2).error() == Errc::side_not_positive);
  EXPECT(align_output(group, {0, 1024}, originals, 2).position() == 2);
  EXPECT(align_output(group, {1024, 1024}, originals, 2).error() == Errc::side_not_positive);
  EXPECT(align_output(group, {1024, 1024}, originals, 2).position() == 1);
  return true;
}
BOTH_TIMES(errors_of_alignment)

TEST_CASE("alignment equals the plain definition's") {
  Random random(52);
  int wrong = 0, resized = 0;
  for (const std::int32_t base_size : {256, 1024, 1536, 8192}) {
    const ResolutionGroup group = *make_group(profiles::instruct, base_size);
    const plain::Group definition(plain::instruct(base_size));
    for (int i = 0; i < 20000; ++i) {
      std::vector<Resolution> originals;
      std::vector<plain::Size> sizes;
      const Resolution output = group[random.place_below(group.size())];
      for (std::uint64_t k = random.below(4); k != 0; --k) {
        // Around the output's own ratio, and sides below 2^26, so that the area is exact in double.
        const auto width = static_cast<std::int32_t>(1 + random.below(20000));
        const std::int64_t height = std::int64_t{width} * output.height / output.width;
        const auto spread = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(height / 10 + 3)));
        originals.push_back({static_cast<std::int32_t>(height * 19 / 20 + spread + 1), width});
        sizes.push_back({originals.back().height, width});
      }
      const OutputAlignment actual = *align_output(group, output, originals.data(), originals.size());
      const plain::Alignment expected =
          plain::align_output(definition, base_size, {output.height, output.width}, sizes);
      resized += actual.resize ? 1 : 0;
      if (actual.resize != expected.resize || actual.height != expected.height || actual.width != expected.width)
        ++wrong;
    }
  }
  CHECK(wrong == 0);
  CHECK(resized > 10000);
}

}  // namespace
}  // namespace hunyuan_reso_test
