// SPDX-License-Identifier: MIT
// groups.json: rows, ratios, refused parameters, and how one size argument is read.
#include <hunyuan_reso/image_size.hpp>

#include <cstring>

#include "common.hpp"
#include "parse_rules.hpp"
#include "report.hpp"

namespace hunyuan_reso_test {
namespace {

using hunyuan_reso::Errc;
using hunyuan_reso::GroupSpec;
using hunyuan_reso::Resolution;

bool same_bits(double a, double b) { return std::memcmp(&a, &b, sizeof(a)) == 0; }

/// One recorded group: `entry` has the rows, `step` the value in force.
void check_rows(const Json& entry, std::int32_t step, const AnyGroup& group, Report& report) {
  if (group.error() != Errc::none) {
    report.fail(std::string("refused: ") + std::to_string(static_cast<int>(group.error())));
    return;
  }
  const std::vector<Resolution>& rows = group.rows();
  report.equal(group.step(), step, "step");
  report.equal(static_cast<std::int64_t>(rows.size()), entry["count"].integer(), "count");
  report.equal(static_cast<std::int64_t>(rows.size()), static_cast<std::int64_t>(entry["sizes"].size()), "rows");
  if (rows.size() != entry["sizes"].size() || rows.size() != entry["ratio"].size()) return;
  std::vector<std::int64_t> not_itself;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string row = "row " + std::to_string(i);
    const Resolution expected = row_of(entry["sizes"][i]);
    if (rows[i] != expected) report.fail(row + " is " + text_of(rows[i]) + ", expected " + text_of(expected));
    if (!same_bits(rows[i].ratio(), entry["ratio"][i].number())) report.fail(row + ": ratio");
    if (group.snap(rows[i]) != i) not_itself.push_back(static_cast<std::int64_t>(i));
  }
  const std::vector<Json> mismatches = entry["self_index_mismatch"].elements();
  report.equal(static_cast<std::int64_t>(not_itself.size()), static_cast<std::int64_t>(mismatches.size()),
               "rows whose own size snaps elsewhere");
  for (std::size_t i = 0; i < mismatches.size() && i < not_itself.size(); ++i) {
    const Json& index = mismatches[i].is_array() ? mismatches[i][std::size_t{0}] : mismatches[i];
    report.equal(not_itself[i], index.integer(), "row whose own size snaps elsewhere");
  }
}

void check_profile_groups(const std::string& name, const Json& by_base_size, Report& report) {
  const hunyuan_reso::ModelProfile& profile =
      name == "instruct38" ? hunyuan_reso::profiles::panorama : profile_of(name);
  for (const auto& [base_size, entry] : by_base_size.members()) {
    report.begin_case(name + " " + base_size);
    const std::int32_t size = int32(entry["base_size"]);
    report.equal(std::stoi(base_size), size, "base_size");
    const GroupSpec spec = profile.group_spec(size, hunyuan_reso::ExtraScaling::absolute);
    report.equal(spec.align, entry["align"].integer(), "align");
    check_rows(entry, int32(entry["step"]), AnyGroup(spec), report);
  }
}

void check_refused(const Json& entry, Report& report) {
  for (const char* name : {"base_size", "step", "align"}) {
    if (!fits_int32(entry[name]) && !(entry[name].is_null() && std::string(name) == "step")) {
      return report.not_applicable("group parameter that is no 32-bit integer");
    }
  }
  if (entry["step"].is_integer() && entry["step"].integer() == 0) {
    return report.not_applicable("step 0, which means the default here");
  }
  const Errc error = AnyGroup(spec_of(entry)).error();
  report.begin_case("parameters " + entry.dump());
  for (const char* release : {"instruct", "base"}) {
    if (!entry.has(release)) continue;
    const bool upstream_refuses = entry[release].has("type");
    if (upstream_refuses == (error != Errc::none)) continue;
    if (error == Errc::align_not_positive || error == Errc::base_size_too_large) {
      report.deliberate("alignment below 1 or base size over 1073741823 refused");
    } else {
      report.fail(upstream_refuses ? "accepted, upstream refuses" : "refused, upstream accepts");
    }
  }
}

/// One text argument. Upstream reads a single number as a square and ignores what follows a second x; here both are
/// errors with a position, beside the differences that parse_rules.hpp allows.
void check_parsed_text(const Json& entry, const std::string& text, Report& report) {
  const auto parsed = hunyuan_reso::parse_image_size(text, hunyuan_reso::profiles::instruct);
  report.begin_case("resolution '" + text + "'");
  const bool upstream_refuses = entry.has("type");
  if (upstream_refuses && !parsed) return;
  if (upstream_refuses) {
    // Ratios, ratio tokens and `auto` are other forms of image_size; recorded here are sizes alone.
    const bool other_form = parsed->kind != hunyuan_reso::ImageSizeKind::pixels;
    if (!other_form && !may_accept(text)) return report.fail("accepted, upstream refuses");
    return report.deliberate("text accepted that upstream refuses");
  }
  if (!parsed) {
    const bool one_number = parsed.error() == Errc::expected_separator && parsed.position() == text.size();
    const bool third_part = parsed.error() == Errc::expected_end && text[parsed.position()] == 'x';
    if (!one_number && !third_part && !may_refuse(text, 0)) return report.fail("refused, upstream accepts");
    return report.deliberate("text refused that upstream accepts");
  }
  report.equal(parsed->size.height, entry["height"].integer(), "height");
  report.equal(parsed->size.width, entry["width"].integer(), "width");
  report.is_true(same_bits(parsed->size.ratio(), entry["ratio"].number()), "ratio");
  const auto formatted = hunyuan_reso::format_image_size(*parsed, hunyuan_reso::profiles::instruct);
  report.is_true(formatted.view() == entry["str"].text(), "str");
}

void check_parsed_numbers(const Json& entry, Resolution size, Report& report) {
  report.begin_case("resolution " + entry["args"].dump());
  report.equal(size.height, entry["height"].integer(), "height");
  report.equal(size.width, entry["width"].integer(), "width");
  report.is_true(same_bits(size.ratio(), entry["ratio"].number()), "ratio");
}

void check_resolution_parse(const Json& entry, Report& report) {
  std::vector<Json> args = entry["args"].elements();
  if (args.size() == 1 && args[0].is_string()) return check_parsed_text(entry, args[0].text(), report);
  if (args.size() == 1 && args[0].is_array()) args = args[0].elements();
  const bool pair = args.size() == 2 && fits_int32(args[0]) && fits_int32(args[1]);
  if (!pair || entry.has("type") || args[0].integer() <= 0 || args[1].integer() <= 0) {
    return report.not_applicable("size argument that is neither a text nor two positive integers");
  }
  check_parsed_numbers(entry, {int32(args[0]), int32(args[1])}, report);
}

void check_groups(const Json& root, Report& report) {
  for (const auto& [name, section] : root.members()) {
    if (name == "instruct" || name == "base" || name == "instruct38") {
      check_profile_groups(name, section, report);
    } else if (name == "odd") {
      for (const Json& entry : section.elements()) {
        report.begin_case("odd, base_size " + entry["base_size"].dump() + ", step " + entry["step"].dump());
        check_rows(entry, int32(entry["resolved_step"]), AnyGroup(spec_of(entry)), report);
      }
    } else if (name == "errors") {
      for (const Json& entry : section.elements()) check_refused(entry, report);
    } else if (name == "resolution_parse") {
      for (const Json& entry : section.elements()) check_resolution_parse(entry, report);
    } else {
      report.not_applicable("section " + name);
    }
  }
}

const Registration registration{"groups.json", check_groups};

}  // namespace
}  // namespace hunyuan_reso_test
