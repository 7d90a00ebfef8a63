// SPDX-License-Identifier: MIT
// Snapping on both sides of every threshold. The numbers come from the definition, evaluated
// in binary64 by a program that shares nothing with the library: for every pair of neighbouring ratios, the last size
// up to 2048 a side that goes to the lower row, and the first one that goes to the upper row.
#include <hunyuan_reso/hunyuan_reso.hpp>

namespace hr = hunyuan_reso;

namespace {

struct Step {
  hr::Resolution last;
  std::size_t lower;
  hr::Resolution first;
  std::size_t upper;
};
struct Known {
  hr::Resolution size;
  std::size_t ratio_index;
};

constexpr Step base_steps[] = {
    {{63, 248}, 0, {488, 1921}, 1},    {{435, 1658}, 1, {122, 465}, 2},    {{539, 1987}, 2, {118, 435}, 3},
    {{57, 203}, 3, {554, 1973}, 4},    {{55, 189}, 4, {589, 2024}, 5},     {{106, 351}, 5, {575, 1904}, 6},
    {{102, 325}, 6, {553, 1762}, 7},   {{49, 150}, 7, {621, 1901}, 8},     {{25, 69}, 8, {729, 2012}, 9},
    {{107, 253}, 9, {760, 1797}, 10},  {{113, 231}, 10, {972, 1987}, 11},  {{59, 105}, 11, {1130, 2011}, 12},
    {{61, 95}, 12, {1290, 2009}, 13},  {{125, 171}, 13, {1481, 2026}, 14}, {{1607, 1936}, 14, {127, 153}, 15},
    {{16, 17}, 15, {1921, 2041}, 16},  {{16, 15}, 16, {2047, 1919}, 17},   {{127, 105}, 17, {1980, 1637}, 18},
    {{125, 91}, 18, {2011, 1464}, 19}, {{61, 39}, 19, {1988, 1271}, 20},   {{59, 33}, 20, {2040, 1141}, 21},
    {{113, 55}, 21, {1958, 953}, 22},  {{107, 45}, 22, {2014, 847}, 23},   {{25, 9}, 23, {2039, 734}, 24},
    {{49, 16}, 24, {2006, 655}, 25},   {{51, 16}, 25, {2005, 629}, 26},    {{53, 16}, 26, {2024, 611}, 27},
    {{55, 16}, 27, {2011, 585}, 28},   {{57, 16}, 28, {2020, 567}, 29},    {{59, 16}, 29, {1995, 541}, 30},
    {{61, 16}, 30, {1994, 523}, 31},   {{63, 16}, 31, {2020, 513}, 32},
};

// Four more rows split four intervals. 55x72 lies exactly between two rows, and rounding gives it to the later one.
constexpr Step instruct_steps[] = {
    {{63, 248}, 0, {488, 1921}, 1},     {{435, 1658}, 1, {122, 465}, 2},    {{539, 1987}, 2, {118, 435}, 3},
    {{57, 203}, 3, {554, 1973}, 4},     {{55, 189}, 4, {589, 2024}, 5},     {{106, 351}, 5, {575, 1904}, 6},
    {{102, 325}, 6, {553, 1762}, 7},    {{49, 150}, 7, {621, 1901}, 8},     {{25, 69}, 8, {729, 2012}, 9},
    {{107, 253}, 9, {760, 1797}, 10},   {{113, 231}, 10, {972, 1987}, 11},  {{365, 672}, 11, {988, 1819}, 36},
    {{1184, 2037}, 36, {93, 160}, 12},  {{61, 95}, 12, {1290, 2009}, 13},   {{109, 152}, 13, {1379, 1923}, 35},
    {{55, 72}, 35, {1553, 2033}, 14},   {{1607, 1936}, 14, {127, 153}, 15}, {{16, 17}, 15, {1921, 2041}, 16},
    {{16, 15}, 16, {2047, 1919}, 17},   {{127, 105}, 17, {1980, 1637}, 18}, {{55, 42}, 18, {2018, 1541}, 33},
    {{1955, 1399}, 33, {109, 78}, 19},  {{61, 39}, 19, {1988, 1271}, 20},   {{2027, 1177}, 20, {31, 18}, 34},
    {{1978, 1073}, 34, {365, 198}, 21}, {{113, 55}, 21, {1958, 953}, 22},   {{107, 45}, 22, {2014, 847}, 23},
    {{25, 9}, 23, {2039, 734}, 24},     {{49, 16}, 24, {2006, 655}, 25},    {{51, 16}, 25, {2005, 629}, 26},
    {{53, 16}, 26, {2024, 611}, 27},    {{55, 16}, 27, {2011, 585}, 28},    {{57, 16}, 28, {2020, 567}, 29},
    {{59, 16}, 29, {1995, 541}, 30},    {{61, 16}, 30, {1994, 523}, 31},    {{63, 16}, 31, {2020, 513}, 32},
};

// Row 37, 960x1952, splits one more.
constexpr Step panorama_steps[] = {
    {{732, 1547}, 10, {635, 1342}, 37},
    {{618, 1217}, 37, {683, 1345}, 11},
};

// Instruct, up to the longest sides: corners, and sizes within one pixel of the middle between two rows.
constexpr Known large_sizes[] = {
    {{1, 1}, 16},
    {{2147483647, 2147483647}, 16},
    {{2147483647, 1}, 32},
    {{1, 2147483647}, 0},
    {{2147483646, 2147483647}, 16},
    {{2147483647, 2147483646}, 16},
    {{156232230, 536870754}, 4},
    {{1103025657, 536870895}, 21},
    {{839721121, 536870880}, 20},
    {{140856442, 536870865}, 2},
    {{194518425, 536870853}, 8},
    {{505290256, 536870897}, 15},
    {{312056199, 536870880}, 12},
    {{1276559647, 536870880}, 22},
    {{291603974, 536870880}, 11},
    {{168494820, 536870750}, 6},
    {{1711275981, 536870896}, 25},
    {{140856443, 536870865}, 2},
    {{384992905, 536870840}, 13},
    {{344727592, 536870840}, 12},
    {{410109700, 536870880}, 35},
    {{162131877, 536870646}, 6},
    {{445637919, 536870880}, 14},
    {{1778384843, 536870896}, 26},
    {{649358112, 536870880}, 17},
    {{839721119, 536870880}, 19},
    {{445637920, 536870880}, 15},
    {{1491308075, 536870907}, 23},
    {{2113929153, 536870896}, 31},
    {{924610992, 536870898}, 34},
};

template <std::size_t Count>
constexpr bool agrees(const hr::ResolutionGroup& group, const Step (&steps)[Count]) {
  for (const Step& step : steps) {
    if (group.snap(step.last) != step.lower || group.snap(step.first) != step.upper) return false;
    if (group.get_base_size_and_ratio_index(step.last.width, step.last.height).ratio_index != step.lower) return false;
    if (group.get_target_size(step.first.width, step.first.height) != group[step.upper]) return false;
  }
  return true;
}

// The thresholds that the group reports are the same steps, in the same order.
template <std::size_t Count>
constexpr bool reports(const hr::ResolutionGroup& group, const Step (&steps)[Count]) {
  if (!group.separable() || group.threshold_count() != Count) return false;
  for (std::size_t k = 0; k < Count; ++k) {
    const hr::SnapThreshold threshold = group.threshold(k);
    if (threshold.lower != steps[k].lower || threshold.upper != steps[k].upper) return false;
    if (group.snap(threshold.last) != threshold.lower) return false;
  }
  return true;
}

constexpr bool agrees(const hr::ResolutionGroup& group, const Known (&sizes)[30]) {
  for (const Known& known : sizes) {
    if (group.snap(known.size) != known.ratio_index) return false;
  }
  return true;
}

constexpr const hr::ResolutionGroup& instruct = hr::group_for<hr::profiles::instruct>;

static_assert(agrees(hr::group_for<hr::profiles::base>, base_steps));
static_assert(agrees(hr::group_for<hr::profiles::panorama>, panorama_steps));
static_assert(agrees(instruct, instruct_steps));
static_assert(agrees(instruct, large_sizes));
static_assert(reports(hr::group_for<hr::profiles::base>, base_steps));
static_assert(reports(instruct, instruct_steps));

// Extras stay absolute at another base size: 4:3 goes to 768x1024 also at 2048.
static_assert(hr::group_for<hr::profiles::instruct, 2048>.get_target_size(4, 3) == hr::Resolution{768, 1024});
static_assert(instruct.get_base_size_and_ratio_index(1920, 1080).ratio_index == 36);
static_assert(instruct.get_base_size_and_ratio_index(1920, 1080).base_size == 1024);

// The batch: the same answers, and 255 for what is no size.
constexpr bool batch_agrees() {
  constexpr std::int32_t widths[] = {72, 0, 1920, -5, 1, hr::max_side};
  constexpr std::int32_t heights[] = {55, 7, 1080, 5, hr::max_side, 1};
  constexpr std::uint8_t expected[] = {35, 255, 36, 255, 32, 0};
  std::uint8_t got[6]{};
  hr::snap_batch(instruct, widths, heights, got, 6);
  for (std::size_t i = 0; i < 6; ++i) {
    if (got[i] != expected[i]) return false;
  }
  return true;
}
static_assert(batch_agrees());

// Rows closer than thresholds can tell apart: the definition itself decides.
constexpr auto close_rows = hr::ResolutionGroup::create(
    hr::GroupSpec{}.with_align(1).with_extra({1000001, 1000000}).with_extra({1000000, 999999}));
static_assert(close_rows && !close_rows->separable() && close_rows->size() == 35);
static_assert(close_rows->snap({1000001, 1000000}) == 33 && close_rows->snap({1000000, 999999}) == 34);
static_assert(close_rows->snap({1, 1}) == 16 && close_rows->snap({1, 4}) == 0);

}  // namespace
