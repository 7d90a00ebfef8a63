// SPDX-License-Identifier: MIT
// snap_samples.json: the whole 2048 x 2048 table of the instruct group, random sizes, and sizes next to thresholds.
#include "common.hpp"
#include "report.hpp"
#include "support/sha256.hpp"

namespace hunyuan_reso_test {
namespace {

using hunyuan_reso::Resolution;

void check_table(const Json& recorded, Report& report) {
  const AnyGroup group(profile_of("instruct").group_spec(1024, hunyuan_reso::ExtraScaling::absolute));
  const std::int32_t heights = int32(recorded["rows"]);
  const std::int32_t widths = int32(recorded["cols"]);
  std::vector<std::uint8_t> table;
  std::vector<std::int64_t> histogram(group.rows().size());
  for (std::int32_t h = 1; h <= heights; ++h) {
    for (std::int32_t w = 1; w <= widths; ++w) {
      const std::size_t index = group.snap({h, w});
      table.push_back(static_cast<std::uint8_t>(index));
      ++histogram[index];
    }
  }
  report.begin_case("table");
  report.is_true(sha256(table.data(), table.size()) == recorded["sha256_uncompressed"].text(), "sha256");
  if (recorded.has("sha256_first_64_rows")) {
    report.begin_case("first 64 rows of the table");
    const std::size_t size = std::size_t{64} * static_cast<std::size_t>(widths);
    report.is_true(sha256(table.data(), size) == recorded["sha256_first_64_rows"].text(), "sha256");
  }
  report.begin_case("histogram of the table");
  report.equal(static_cast<std::int64_t>(histogram.size()), static_cast<std::int64_t>(recorded["histogram"].size()),
               "number of rows");
  if (histogram.size() != recorded["histogram"].size()) return;
  for (std::size_t i = 0; i < histogram.size(); ++i) {
    report.equal(histogram[i], recorded["histogram"][i].integer(), ("row " + std::to_string(i)).c_str());
  }
}

void check_random(const std::string& variant, const AnyGroup& group, const Json& pairs, const Json& indices,
                  Report& report) {
  if (indices.size() != pairs.size()) report.fail(variant + ": number of random indices");
  const std::vector<Json> sizes = pairs.elements();
  const std::vector<Json> expected = indices.elements();
  for (std::size_t i = 0; i < sizes.size() && i < expected.size(); ++i) {
    const auto size = Resolution::from_wh(int32(sizes[i][std::size_t{0}]), int32(sizes[i][1]));
    report.begin_case(variant + " " + text_of(size));
    report.equal(static_cast<std::int64_t>(group.snap(size)), expected[i].integer(), "index");
  }
}

/// What the flags of an adversarial row mean, recomputed.
int adversarial_flags(const plain::Group& group, std::size_t i, std::size_t j, std::size_t index, Resolution size) {
  const bool in_double = group.ties_in_double(i, j, plain_size(size));
  const bool exactly = group.ties_exactly(i, j, plain_size(size));
  return (in_double ? 1 : 0) | (exactly ? 2 : 0) | (exactly && index == j ? 8 : 0);
}

void check_adversarial(const std::string& variant, const AnyGroup& group, const Json& rows, const Json* summary,
                       Report& report) {
  const plain::Group definition = plain_group(group.rows());
  std::int64_t in_double = 0, exact = 0, later = 0;
  for (const Json& row : rows.elements()) {
    const auto size = Resolution::from_wh(int32(row[std::size_t{0}]), int32(row[1]));
    const auto i = static_cast<std::size_t>(row[4].integer());
    const auto j = static_cast<std::size_t>(row[5].integer());
    report.begin_case(variant + " " + text_of(size) + " (" + row[3].text() + ")");
    const std::size_t index = group.snap(size);
    report.equal(static_cast<std::int64_t>(index), row[2].integer(), "index");
    if (i >= j || j >= group.rows().size()) {
      report.fail("i < j must be rows of the group");
      continue;
    }
    const int flags = adversarial_flags(definition, i, j, index, size);
    report.equal(flags, row[6].integer(), "flags");
    if (row[3].text() == "mid_exact") report.is_true((flags & 2) != 0, "no exact tie");
    in_double += flags & 1;
    exact += flags >> 1 & 1;
    later += flags >> 3 & 1;
  }
  if (summary == nullptr || (*summary)["total"].integer() != static_cast<std::int64_t>(rows.size())) return;
  report.begin_case(variant + ", summary of the adversarial rows");
  report.equal(in_double, (*summary)["float_tie"].integer(), "float_tie");
  report.equal(exact, (*summary)["exact_tie"].integer(), "exact_tie");
  report.equal(later, (*summary)["exact_tie_later_chosen"].integer(), "exact_tie_later_chosen");
  report.equal(0, (*summary)["float_differs_from_exact"].integer(), "float_differs_from_exact");
}

void check_square_ties(const Json& ties, Report& report) {
  const AnyGroup group(profile_of("instruct").group_spec(1024, hunyuan_reso::ExtraScaling::absolute));
  const plain::Group definition = plain_group(group.rows());
  for (const Json& tie : ties.elements()) {
    const auto size = Resolution::from_wh(int32(tie[std::size_t{0}]), int32(tie[1]));
    const auto i = static_cast<std::size_t>(tie[3].integer());
    const auto j = static_cast<std::size_t>(tie[4].integer());
    report.begin_case("exact tie " + text_of(size));
    report.equal(static_cast<std::int64_t>(group.snap(size)), tie[2].integer(), "index");
    report.is_true(definition.ties_exactly(i, j, plain_size(size)), "no exact tie");
    report.equal(definition.ties_in_double(i, j, plain_size(size)) ? 1 : 0, tie[5].integer(), "tie in binary64");
  }
}

/// All sizes up to 2048 a side that lie exactly half-way between two neighbouring ratios and tie in binary64 too.
std::int64_t count_square_ties_in_double() {
  const plain::Group group(plain::instruct());
  const std::vector<std::size_t> order = group.order();
  std::vector<std::size_t> place(order.size());
  for (std::size_t k = 0; k < order.size(); ++k) place[order[k]] = k;
  std::int64_t count = 0;
  for (std::int32_t h = 1; h <= 2048; ++h) {
    for (std::int32_t w = 1; w <= 2048; ++w) {
      const std::size_t index = group.nearest_index(w, h);
      for (const std::size_t k : {place[index] - 1, place[index] + 1}) {
        if (k >= order.size() || !group.ties_exactly(index, order[k], {h, w})) continue;
        count += group.ties_in_double(index, order[k], {h, w}) ? 1 : 0;
      }
    }
  }
  return count;
}

void check_snap_samples(const Json& root, Report& report) {
  if (root.has("snap_bin")) check_table(root["snap_bin"], report);
  if (root.has("variants")) {
    for (const auto& [name, parameters] : root["variants"].members()) {
      const AnyGroup group(spec_of(parameters));
      if (group.error() != hunyuan_reso::Errc::none) {
        report.fail("variant " + name + " is refused");
        continue;
      }
      const char* key = name.c_str();
      if (root.has("random_index") && root["random_index"].has(key)) {
        check_random(name, group, root["random_pairs"], root["random_index"][key], report);
      }
      if (!root.has("adversarial") || !root["adversarial"].has(key)) continue;
      const bool summarized = root.has("adversarial_summary") && root["adversarial_summary"].has(key);
      const Json summary = summarized ? root["adversarial_summary"][key] : root;
      check_adversarial(name, group, root["adversarial"][key], summarized ? &summary : nullptr, report);
    }
  }
  if (root.has("square_exact_ties")) check_square_ties(root["square_exact_ties"], report);
  if (root.has("square_float_tie_count")) {
    report.begin_case("square_float_tie_count");
    report.equal(count_square_ties_in_double(), root["square_float_tie_count"].integer(), "own count");
  }
}

const Registration registration{"snap_samples.json", check_snap_samples};

}  // namespace
}  // namespace hunyuan_reso_test
