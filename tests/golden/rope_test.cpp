// SPDX-License-Identifier: MIT
// rope.json: frequencies, positions and cos/sin of the two-dimensional rotary embedding.
#include <hunyuan_reso/rope.hpp>

#include <cmath>
#include <cstring>
#include <exception>
#include <memory>
#include <sstream>
#include <stdexcept>

#include "common.hpp"
#include "report.hpp"
#include "support/sha256.hpp"

namespace hunyuan_reso_test {
namespace {

using hunyuan_reso::Errc;
using hunyuan_reso::ImageRun;
using hunyuan_reso::RopeImage;
using hunyuan_reso::RopePosition;

using Layout = hunyuan_reso::BasicRopeLayout<64>;

bool same_bits(float a, float b) { return std::memcmp(&a, &b, sizeof a) == 0; }

/// n_elem_base_rescale.
struct ThetaKey {
  std::int32_t dimension = 0;
  double base = 0;
  double rescale = 0;
};

ThetaKey theta_key(const std::string& text) {
  std::istringstream stream(text);
  ThetaKey key;
  char separator = 0;
  char second = 0;
  stream >> key.dimension >> separator >> key.base >> second >> key.rescale;
  if (!stream || separator != '_' || second != '_') throw std::runtime_error("malformed key " + text);
  return key;
}

Errc write_thetas(std::vector<float>& values, std::int32_t dimension, double base, double rescale) {
  values.resize(dimension < 0 ? 0 : static_cast<std::size_t>(dimension / 2));
  return hunyuan_reso::write_rope_thetas(values.data(), values.size(), dimension, base, rescale);
}

std::vector<float> thetas(std::int32_t dimension, double base, double rescale) {
  std::vector<float> values;
  const Errc error = write_thetas(values, dimension, base, rescale);
  if (error != Errc::none) throw std::runtime_error("write_rope_thetas refuses");
  return values;
}

void check_theta(const std::string& name, const Json& entry, Report& report) {
  report.begin_case("theta " + name);
  const ThetaKey key = theta_key(name);
  const std::vector<float> actual = thetas(key.dimension, key.base, key.rescale);
  const std::vector<Json> expected = entry["float32"].elements();
  report.equal(static_cast<std::int64_t>(actual.size()), static_cast<std::int64_t>(expected.size()), "frequencies");
  for (std::size_t i = 0; i < actual.size() && i < expected.size(); ++i) {
    if (!same_bits(actual[i], static_cast<float>(expected[i].number()))) report.fail("entry " + std::to_string(i));
  }
}

bool is_unsized(const Json& image) { return image[2].is_null() || image[3].is_null(); }

/// The images of a layout; null stands for none at all.
std::vector<Json> images_of(const Json& layout) {
  return layout["images"].is_null() ? std::vector<Json>{} : layout["images"].elements();
}

bool has_unsized_image(const Json& layout) {
  for (const Json& image : images_of(layout)) {
    if (is_unsized(image)) return true;
  }
  return false;
}

hunyuan_reso::Result<Layout> layout_of(const Json& entry) {
  std::vector<RopeImage> images;
  for (const Json& image : images_of(entry)) {
    images.push_back({int32(image[std::size_t{0}]), int32(image[2]), int32(image[3])});
  }
  return Layout::create(images.data(), images.size(), int32(entry["seq_len"]));
}

/// The same as image runs, where an unknown grid is an error.
hunyuan_reso::Errc error_as_runs(const Json& entry) {
  std::vector<ImageRun> runs;
  for (const Json& image : images_of(entry)) {
    ImageRun run;
    run.slice = {int32(image[std::size_t{0}]), int32(image[1])};
    if (!is_unsized(image)) {
      run.token_height = int32(image[2]);
      run.token_width = int32(image[3]);
    }
    runs.push_back(run);
  }
  return Layout::create(hunyuan_reso::profiles::instruct, runs.data(), runs.size(), int32(entry["seq_len"])).error();
}

void compare_row(const RopePosition& actual, const Json& y, const Json& x, const std::string& what, Report& report) {
  if (actual.y == y.integer() && actual.x == x.integer()) return;
  report.fail(what + " is (" + std::to_string(actual.y) + ", " + std::to_string(actual.x) + "), expected (" + y.dump() +
              ", " + x.dump() + ")");
}

/// What the hash says, with places to look at when it does not fit.
void compare_positions_of(const std::vector<RopePosition>& rows, const Json& entry, Report& report) {
  for (const auto& [key, offset] :
       {std::pair<const char*, bool>{"positions", false}, {"first", false}, {"last", true}}) {
    if (!entry.has(key)) continue;
    const std::vector<Json> expected = entry[key].elements();
    if (expected.size() > rows.size()) return report.fail(std::string(key) + " has more rows");
    const std::size_t first = offset ? rows.size() - expected.size() : 0;
    if (std::string(key) == "positions" && expected.size() != rows.size()) report.fail("positions has fewer rows");
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const std::string what = "row " + std::to_string(first + i);
      compare_row(rows[first + i], expected[i][std::size_t{0}], expected[i][1], what, report);
    }
  }
  if (entry.has("around")) {
    for (const Json& row : entry["around"].elements()) {
      const auto index = static_cast<std::size_t>(int32(row[std::size_t{0}]));
      if (index >= rows.size()) return report.fail("around: no such row");
      compare_row(rows[index], row[1], row[2], "row " + std::to_string(index), report);
    }
  }
  report.equal(static_cast<std::int64_t>(rows.size()), entry["rows"].integer(), "rows");
  // (y, x) as little-endian 32-bit integers
  std::vector<unsigned char> bytes;
  bytes.reserve(rows.size() * 8);
  for (const RopePosition& row : rows) {
    for (const std::int32_t value : {row.y, row.x}) {
      for (int shift = 0; shift < 32; shift += 8) {
        bytes.push_back(static_cast<unsigned char>(static_cast<std::uint32_t>(value) >> shift));
      }
    }
  }
  report.is_true(sha256(bytes.data(), bytes.size()) == entry["sha256"].text(), "sha256 of the positions");
}

/// cos and sin of the binary32 product agree with a double evaluation of it within 5e-8; ours is that one, rounded.
void compare_spots(const std::vector<RopePosition>& rows, const Json& entry, Report& report) {
  const std::int32_t dimension = int32(entry["n_elem"]);
  const std::vector<float> frequencies =
      thetas(dimension, entry["base"].number(), entry["base_rescale_factor"].number());
  const auto width = static_cast<std::size_t>(dimension);
  std::vector<float> cos_row(width);
  std::vector<float> sin_row(width);
  for (const Json& spot : entry["spots"].elements()) {
    const auto row = static_cast<std::size_t>(int32(spot[std::size_t{0}]));
    const auto column = static_cast<std::size_t>(int32(spot[1]));
    if (row >= rows.size() || column >= width) return report.fail("spot outside the table");
    const std::size_t k = column % (width / 2);
    report.equal(k % 2 == 0 ? rows[row].y : rows[row].x, spot[2].integer(), "position of a spot");
    const Errc error = hunyuan_reso::write_rope_table(&rows[row], 1, frequencies.data(), dimension, cos_row.data(),
                                                      sin_row.data(), width);
    report.is_true(error == Errc::none, "write_rope_table accepts");
    const auto angle = static_cast<double>(static_cast<float>(spot[2].integer()) * frequencies[k]);
    const double spacing = 5.9604644775390625e-8;  // of binary32 below 1: a rounded value is at most half of it away
    report.is_true(std::abs(spot[3].number() - std::cos(angle)) <= 5e-8, "recorded cos");
    report.is_true(std::abs(spot[4].number() - std::sin(angle)) <= 5e-8, "recorded sin");
    report.is_true(std::abs(static_cast<double>(cos_row[column]) - std::cos(angle)) <= spacing / 2, "cos");
    report.is_true(std::abs(static_cast<double>(sin_row[column]) - std::sin(angle)) <= spacing / 2, "sin");
  }
}

/// The sums of all values of the table, where they are recorded.
void compare_sums(const std::vector<RopePosition>& rows, const Json& entry, Report& report) {
  if (!entry.has("cos_sum")) return;
  const std::int32_t dimension = int32(entry["n_elem"]);
  const std::vector<float> frequencies =
      thetas(dimension, entry["base"].number(), entry["base_rescale_factor"].number());
  const std::size_t count = rows.size() * static_cast<std::size_t>(dimension);
  std::vector<float> cos_table(count);
  std::vector<float> sin_table(count);
  const Errc error = hunyuan_reso::write_rope_table(rows.data(), rows.size(), frequencies.data(), dimension,
                                                    cos_table.data(), sin_table.data(), count);
  report.is_true(error == Errc::none, "write_rope_table accepts");
  double cos_sum = 0;
  double sin_sum = 0;
  for (std::size_t i = 0; i < count; ++i) {
    cos_sum += static_cast<double>(cos_table[i]);
    sin_sum += static_cast<double>(sin_table[i]);
  }
  const double tolerance = 1e-7 * static_cast<double>(count);
  report.is_true(std::abs(cos_sum - entry["cos_sum"].number()) <= tolerance, "sum of the cosines");
  report.is_true(std::abs(sin_sum - entry["sin_sum"].number()) <= tolerance, "sum of the sines");
}

void check_layout(const Json& entry, Report& report) {
  const std::string name = entry["name"].text();
  if (images_of(entry).size() > 64) return report.not_applicable(name + ": more images than the test's layout holds");
  report.begin_case(name);
  for (const auto& [key, value] : entry.members()) {
    const bool known = key == "name" || key == "seq_len" || key == "n_elem" || key == "base" || key == "rows" ||
                       key == "base_rescale_factor" || key == "images" || key == "sha256" || key == "positions" ||
                       key == "first" || key == "last" || key == "around" || key == "spots" || key == "cos_sum" ||
                       key == "sin_sum" || key == "error";
    if (!known) report.fail("the key '" + key + "' is not handled");
  }
  if (has_unsized_image(entry)) {
    report.is_true(error_as_runs(entry) == Errc::image_grid_unknown, "an unknown grid is refused");
    if (entry.has("error")) return;
    return report.deliberate(name + ": an image without a size, whose positions upstream lists twice, is refused");
  }
  const auto layout = std::make_unique<hunyuan_reso::Result<Layout>>(layout_of(entry));
  if (entry.has("error")) {
    // Refused as positions or as a table of their angles.
    std::vector<float> values;
    const Errc error =
        write_thetas(values, int32(entry["n_elem"]), entry["base"].number(), entry["base_rescale_factor"].number());
    return report.is_true(!*layout || error != Errc::none, "accepted, upstream refuses");
  }
  if (!*layout) {
    if (layout->error() == Errc::position_too_large) {
      return report.deliberate(name + ": positions from 2^22 on are refused, since upstream's lose their halves");
    }
    return report.fail("refused, upstream accepts");
  }
  const auto length = static_cast<std::size_t>((*layout)->sequence_length());
  std::vector<RopePosition> rows(length);
  report.is_true((*layout)->write(rows.data(), rows.size()) == Errc::none, "written");
  for (std::size_t i = 0; i < length; ++i) {
    if ((*layout)->position(static_cast<std::int32_t>(i)) != rows[i]) {
      report.fail("position(" + std::to_string(i) + ") differs from write");
      break;
    }
  }
  compare_positions_of(rows, entry, report);
  compare_spots(rows, entry, report);
  compare_sums(rows, entry, report);
}

void check_rope(const Json& root, Report& report) {
  for (const auto& [key, section] : root.members()) {
    if (key == "theta") {
      for (const auto& [name, entry] : section.members()) check_theta(name, entry, report);
    } else if (key == "layouts") {
      for (const Json& entry : section.elements()) {
        try {
          check_layout(entry, report);
        } catch (const std::exception& error) {
          report.fail("the layout " + entry["name"].dump() + " is malformed: " + error.what());
        }
      }
    } else {
      report.not_applicable("section " + key);
    }
  }
}

const Registration registration{"rope.json", check_rope};

}  // namespace
}  // namespace hunyuan_reso_test
