// SPDX-License-Identifier: MIT
// Lists of sizes for people.
#include <hunyuan_reso/presets.hpp>

#include <cmath>
#include <string>

#include "support/expect.hpp"
#include "support/random.hpp"

namespace hunyuan_reso_test {
namespace {

using namespace hunyuan_reso;

constexpr bool orientations() {
  EXPECT(orientation_of({1024, 768}) == Orientation::portrait);
  EXPECT(orientation_of({768, 1024}) == Orientation::landscape);
  EXPECT(orientation_of({5, 5}) == Orientation::square);
  return true;
}
BOTH_TIMES(orientations)

constexpr bool is_named(Resolution size, std::string_view name, bool exact) {
  const CommonRatio ratio = nearest_common_ratio(size);
  return ratio.text() == name && ratio.exact == exact;
}

constexpr bool common_ratios() {
  EXPECT(is_named({1024, 1024}, "1:1", true));
  EXPECT(is_named({768, 1024}, "4:3", true));
  EXPECT(is_named({1024, 768}, "3:4", true));
  EXPECT(is_named({720, 1280}, "16:9", true));
  EXPECT(is_named({1280, 720}, "9:16", true));
  EXPECT(is_named({832, 1216}, "3:2", false));
  EXPECT(is_named({1216, 832}, "2:3", false));
  EXPECT(is_named({896, 1152}, "5:4", false));
  EXPECT(is_named({1000, 1250}, "5:4", true));
  EXPECT(is_named({768, 1280}, "16:10", false));
  EXPECT(is_named({800, 1280}, "16:10", true));
  EXPECT(is_named({704, 1344}, "2:1", false));
  EXPECT(is_named({640, 1408}, "21:9", false));
  EXPECT(is_named({900, 2100}, "21:9", true));
  EXPECT(is_named({512, 1536}, "3:1", true));
  EXPECT(is_named({512, 2048}, "4:1", true));
  EXPECT(is_named({2048, 512}, "1:4", true));
  EXPECT(is_named({1, max_side}, "4:1", false));
  EXPECT(is_named({max_side, 1}, "1:4", false));
  EXPECT(is_named({max_side, max_side - 1}, "1:1", false));
  EXPECT(is_named({0, 5}, "1:1", false));
  return true;
}
BOTH_TIMES(common_ratios)

TEST_CASE("the limits between names are the roots of their products") {
  constexpr detail::RatioNames table;
  for (std::size_t i = 0; i + 1 < detail::RatioNames::count; ++i) {
    const auto product = [&](std::int32_t detail::RatioName::*side) {
      return static_cast<std::uint64_t>(table.names[i].*side) * static_cast<std::uint64_t>(table.names[i + 1].*side);
    };
    CHECK(table.limits[i] == detail::square_root(detail::divide(product(&detail::RatioName::longer),
                                                                product(&detail::RatioName::shorter))));
  }
}

TEST_CASE("the nearest name is nearest by quotient") {
  const struct {
    int longer, shorter;
  } names[] = {{1, 1}, {5, 4}, {4, 3}, {3, 2}, {16, 10}, {16, 9}, {2, 1}, {21, 9}, {3, 1}, {4, 1}};
  const auto off = [](Resolution size, int a, int b) {
    return std::fabs(std::log(static_cast<double>(size.width) / size.height) - std::log(static_cast<double>(a) / b));
  };
  for (std::int32_t h = 1; h <= 300; ++h) {
    for (std::int32_t w = 1; w <= 300; ++w) {
      double best = 1e9;
      for (const auto& name : names) {
        best = std::fmin(best, off({h, w}, name.longer, name.shorter));
        best = std::fmin(best, off({h, w}, name.shorter, name.longer));
      }
      const CommonRatio ratio = nearest_common_ratio({h, w});
      const bool nearest = off({h, w}, ratio.width, ratio.height) <= best + 1e-12;
      const bool exact = w * ratio.height == h * ratio.width;
      if (!nearest || exact != ratio.exact) FAIL_CHECK(h << "x" << w << " is called " << ratio.text().view());
    }
  }
}

constexpr bool one_preset() {
  const Preset preset = *preset_of_row(*Model::create(profiles::instruct), 36);
  EXPECT((preset.size == Resolution{720, 1280}));
  EXPECT(preset.orientation == Orientation::landscape);
  EXPECT(preset.common_ratio.text() == "16:9" && preset.common_ratio.exact);
  EXPECT(preset.pixel_count == 921600);
  EXPECT(preset.megapixels() > 0.921599 && preset.megapixels() < 0.921601);
  EXPECT(preset.image_token_length == 3600);
  EXPECT(preset.base_size == 1024 && preset.ratio_index == 36 && *preset.ratio_token_id == 130106);
  EXPECT(preset.trained.all());
  EXPECT(preset_of_row(*Model::create(profiles::instruct), 37).error() == Errc::ratio_index_out_of_range);
  return true;
}
BOTH_TIMES(one_preset)

constexpr bool lists_at_compile_time() {
  const PresetList list = make_presets(*Model::create(profiles::base, 1024));
  EXPECT(list.size() == 33 && list.end() - list.begin() == 33);
  EXPECT((list.begin()->size == Resolution{512, 2048}));
  EXPECT(make_presets(Model{}).size() == 0);  // a model that nobody made has no rows
  return true;
}
BOTH_TIMES(lists_at_compile_time)

TEST_CASE("presets of every profile and base size") {
  for (const ModelProfile* profile : profiles::all) {
    const ResolutionGroup published = *make_group(*profile);
    for (const std::int32_t base_size : {256, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144, 8192}) {
      for (const ExtraScaling scaling : {ExtraScaling::absolute, ExtraScaling::scaled}) {
        const Model model = *Model::create(*profile, base_size, scaling);
        const ResolutionGroup& group = model.group;
        const PresetList list = make_presets(model);
        REQUIRE(list.size() == group.size());
        std::size_t i = 0;
        for (const Preset& preset : list) {
          INFO(std::string(profile->name) << " at " << base_size << ", row " << i);
          CHECK(preset.size == group[i]);
          CHECK(preset.ratio_index == i);
          CHECK(preset.base_size == base_size);
          CHECK(preset.pixel_count == std::int64_t{group[i].height} * group[i].width);
          CHECK(preset.image_token_length == std::int64_t{group[i].height / 16} * (group[i].width / 16));
          const TokenId id = i <= 32   ? 128044 + static_cast<TokenId>(i)
                             : i <= 36 ? 130103 + static_cast<TokenId>(i - 33)
                                       : -1;
          CHECK(preset.ratio_token_id.value_or(-1) == id);
          CHECK(preset.ratio_token_id.error() == (i <= 36 ? Errc::none : Errc::ratio_token_id_unknown));
          const CommonRatio name = nearest_common_ratio(group[i]);
          CHECK(preset.common_ratio.text() == name.text().view());
          CHECK(preset.orientation == (i == 16 ? Orientation::square : orientation_of(group[i])));
          CHECK(preset.trained.base_size == (base_size == 1024));
          CHECK(preset.trained.ratio_token);
          // Absolute extras are trained rows at every base size; other rows where they happen to be one of 1024.
          bool trained = false;
          for (const Resolution row : published) trained = trained || row == group[i];
          CHECK(preset.trained.grid == trained);
          ++i;
        }
      }
    }
  }
}

}  // namespace
}  // namespace hunyuan_reso_test
