// SPDX-License-Identifier: MIT
// What later denoising steps feed again: scalar tokens in upstream's order, then the generated images.
#include <hunyuan_reso/sequence.hpp>

#include <doctest/doctest.h>

namespace hunyuan_reso_test {
namespace {

using namespace hunyuan_reso;

ModelProfile profile_with(bool distilled, bool meanflow) {
  ModelProfile profile = profiles::instruct;
  profile.cfg_distilled = distilled;
  profile.use_meanflow = meanflow;
  return profile;
}

TokenSequence build(const std::vector<ImageInfo>& images) {
  std::vector<Section> sections;
  for (const ImageInfo& image : images) sections.push_back(Section::of_image(image));
  const auto no_text = [](std::string_view) { return std::vector<TokenId>{}; };
  return *build_sequence(profiles::instruct, sections, no_text);
}

ImageInfo image(bool timestep, bool guidance, bool timestep_r) {
  ImageInfo block;
  block.image_token_length = 6;
  block.base_size = 1024;
  block.ratio_index = 16;
  block.add_timestep_token = timestep;
  block.add_guidance_token = guidance;
  block.add_timestep_r_token = timestep_r;
  return block;
}

// <bos> 0, <boi> 1, size 2, ratio 3, <timestep> 4, <guidance> 5, <timestep_r> 6, <img> 7 .. 12, <eoi> 13
TEST_CASE("slices and positions") {
  const TokenSequence sequence = build({image(true, true, true)});
  using Slices = std::vector<Slice>;
  CHECK(*refeed_slices(profile_with(false, false), sequence) == Slices{{4, 5}, {7, 13}});
  CHECK(*refeed_slices(profile_with(true, false), sequence) == Slices{{4, 6}, {7, 13}});
  CHECK(*refeed_slices(profile_with(false, true), sequence) == Slices{{4, 5}, {6, 13}});
  CHECK(*refeed_slices(profile_with(true, true), sequence) == Slices{{4, 13}});
  CHECK(*refeed_positions(profile_with(true, false), sequence) == std::vector<std::int32_t>{4, 5, 7, 8, 9, 10, 11, 12});
}

TEST_CASE("a history of generated images") {
  const TokenSequence sequence = build({image(true, false, false), image(true, false, false)});
  // The last one's <timestep> comes first, the <img> runs follow in order.
  const std::vector<Slice> expected{{15, 16}, {5, 11}, {16, 22}};
  CHECK(*refeed_slices(profile_with(false, false), sequence) == expected);
  CHECK(refeed_positions(profile_with(false, false), sequence)->size() == 13);
}

TEST_CASE("missing tokens") {
  CHECK(refeed_slices(profile_with(false, false), build({image(false, true, true)})).error() ==
        Errc::no_generated_image);
  CHECK(refeed_slices(profile_with(false, false), TokenSequence{}).error() == Errc::no_generated_image);
  CHECK(refeed_slices(profile_with(true, true), build({image(true, false, true)})).error() ==
        Errc::scalar_token_missing);
  CHECK(refeed_slices(profile_with(true, true), build({image(true, true, false)})).error() ==
        Errc::scalar_token_missing);
  CHECK(refeed_positions(profile_with(false, true), build({image(true, true, false)})).error() ==
        Errc::scalar_token_missing);
}

}  // namespace
}  // namespace hunyuan_reso_test
