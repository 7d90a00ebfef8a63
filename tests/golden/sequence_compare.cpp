// SPDX-License-Identifier: MIT
#include "sequence_compare.hpp"

#include <algorithm>
#include <iterator>

#include "common.hpp"
#include "sequence_input.hpp"

namespace hunyuan_reso_test {

using hunyuan_reso::ImageRun;
using hunyuan_reso::ImageRunKind;
using hunyuan_reso::Slice;
using hunyuan_reso::TokenSequence;

namespace {

using Positions = std::vector<std::int32_t>;
using Slices = std::vector<Slice>;

std::string list_text(const std::vector<std::int64_t>& values) {
  std::string text = "[";
  for (std::size_t i = 0; i < values.size() && i < 12; ++i) text += (i == 0 ? "" : ", ") + std::to_string(values[i]);
  return text + (values.size() > 12 ? ", ...]" : "]");
}

void compare_values(const std::vector<std::int64_t>& actual, const Json& expected, const std::string& what,
                    Report& report) {
  std::vector<std::int64_t> values;
  for (const Json& value : expected.elements()) values.push_back(value.integer());
  if (actual != values) report.fail(what + " is " + list_text(actual) + ", expected " + expected.dump());
}

/// Lengths of the runs of zeros and ones of a mask, zeros first, with ones where the slices are. Positions as upstream
/// indexes with them: cut at the length, negative ones from the end.
std::vector<std::int64_t> mask_runs(const Slices& slices, std::int32_t length) {
  std::vector<bool> mask(static_cast<std::size_t>(length), false);
  for (const Slice& slice : slices) {
    const auto clamp = [length](std::int32_t position) {
      const std::int32_t from_start = position < 0 ? std::max(position + length, 0) : position;
      return std::min(from_start, length);
    };
    for (std::int32_t i = clamp(slice.start); i < clamp(slice.stop); ++i) mask[static_cast<std::size_t>(i)] = true;
  }
  std::vector<std::int64_t> runs{0};
  bool last = false;
  for (const bool bit : mask) {
    if (bit != last) runs.push_back(0);
    ++runs.back();
    last = bit;
  }
  return runs;
}

/// Writes a row out in both id types and counts it back.
template <class Id>
void check_expansion(const TokenSequence& row, Report& report) {
  std::vector<Id> ids(static_cast<std::size_t>(row.length), Id{-1});
  if (row.expand(ids.data(), ids.size()) != hunyuan_reso::Errc::none) return report.fail("expand refuses");
  std::size_t i = 0;
  for (const hunyuan_reso::TokenRun& run : row.runs) {
    for (std::int32_t k = 0; k < run.count; ++k, ++i) {
      if (i >= ids.size() || ids[i] != run.id) return report.fail("expand differs from the runs");
    }
  }
  report.is_true(i == ids.size(), "expand writes as many ids as the length");
}

/// What the rows of an output hold under a name.
struct Column {
  const char* name;
  bool is_mask;  ///< runs of a mask made of slices; else the list itself
  Slices (*slices)(const TokenSequence&);
  Positions (*positions)(const TokenSequence&);
};

template <ImageRunKind Kind>
Slices slices_of(const TokenSequence& row) {
  return row.image_slices(Kind);
}
Slices all_slices(const TokenSequence& row) {
  Slices slices;
  for (const ImageRun& run : row.image_runs) slices.push_back(run.slice);
  return slices;
}
Slices joint_slices(const TokenSequence& row) { return row.joint_slices(); }
Slices text_slices(const TokenSequence& row) { return row.text_slices; }
Slices text_mask_slices(const TokenSequence& row) { return row.text_mask_slices; }

const Column columns[] = {
    {"text_slices", false, text_slices, nullptr},
    {"gen_image_slices", false, slices_of<ImageRunKind::generated>, nullptr},
    {"vae_image_slices", false, slices_of<ImageRunKind::vae>, nullptr},
    {"vit_image_slices", false, slices_of<ImageRunKind::vit>, nullptr},
    {"cond_vae_image_slices", false, slices_of<ImageRunKind::vae>, nullptr},
    {"cond_vit_image_slices", false, slices_of<ImageRunKind::vit>, nullptr},
    {"joint_image_slices", false, joint_slices, nullptr},
    {"all_image_slices", false, all_slices, nullptr},
    {"text_mask", true, text_mask_slices, nullptr},
    {"gen_image_mask", true, slices_of<ImageRunKind::generated>, nullptr},
    {"vae_image_mask", true, slices_of<ImageRunKind::vae>, nullptr},
    {"vit_image_mask", true, slices_of<ImageRunKind::vit>, nullptr},
    {"cond_vae_image_mask", true, slices_of<ImageRunKind::vae>, nullptr},
    {"cond_vit_image_mask", true, slices_of<ImageRunKind::vit>, nullptr},
    {"real_pos", false, nullptr, [](const TokenSequence& row) { return Positions{row.real_length()}; }},
    {"timestep_scatter_index", false, nullptr, all_timestep_positions},
    {"gen_timestep_scatter_index", false, nullptr, [](const TokenSequence& row) { return row.gen_timestep_positions; }},
    {"cond_timestep_scatter_index", false, nullptr,
     [](const TokenSequence& row) { return row.cond_timestep_positions; }},
    {"guidance_scatter_index", false, nullptr, [](const TokenSequence& row) { return row.guidance_positions; }},
    {"gen_timestep_r_scatter_index", false, nullptr, [](const TokenSequence& row) { return row.timestep_r_positions; }},
};

Json row_of_output(const Json& output, OutputForm form, const char* key, std::size_t row) {
  return form == OutputForm::batch ? output[key][row] : output[key];
}

void compare_column(const Column& column, const std::vector<TokenSequence>& rows, const Json& output, OutputForm form,
                    Report& report) {
  if (!given(output, column.name)) {  // upstream looks at the first row alone for whether there is anything to record
    const bool none = column.slices != nullptr ? column.slices(rows[0]).empty() : column.positions(rows[0]).empty();
    return report.is_true(none, (std::string(column.name) + " is not recorded, but there is something").c_str());
  }
  if (form == OutputForm::batch && output[column.name].size() != rows.size()) {
    return report.fail(std::string(column.name) + " has another number of rows");
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Json expected = row_of_output(output, form, column.name, i);
    const std::string what = std::string(column.name) + " of row " + std::to_string(i);
    if (column.is_mask) {
      compare_values(mask_runs(column.slices(rows[i]), rows[i].length), expected, what, report);
    } else if (column.slices != nullptr) {
      compare_slices(column.slices(rows[i]), expected, what, report);
    } else {
      compare_positions(column.positions(rows[i]), expected, what, report);
    }
  }
}

/// Whether a column is to be compared, also where nothing is recorded: then there must be nothing.
bool is_made(const Column& column, const Json& output, Recorded recorded) {
  const std::string name = column.name;
  if (given(output, column.name)) return true;
  if (recorded == Recorded::partly) return false;
  if (name == "text_mask") return recorded == Recorded::everything;
  if (output.has(column.name)) return true;
  // Two releases, two sets of names.
  const bool is_base = output.has("cond_vae_image_slices");
  if (name == "timestep_scatter_index") return is_base;
  if (name.rfind("cond_va", 0) == 0 || name.rfind("cond_vi", 0) == 0) return is_base;
  if (name.rfind("vae_", 0) == 0 || name.rfind("vit_", 0) == 0) return !is_base;
  return true;
}

}  // namespace

void compare_tokens(const TokenSequence& row, const Json& runs, Report& report) {
  std::vector<std::int64_t> actual;
  std::int64_t total = 0;
  for (const hunyuan_reso::TokenRun& run : row.runs) {
    actual.push_back(run.id);
    actual.push_back(run.count);
    total += run.count;
  }
  report.equal(total, row.length, "sum of the runs");
  std::vector<std::int64_t> expected;
  for (const Json& run : runs.elements()) {
    expected.push_back(run[std::size_t{0}].integer());
    expected.push_back(run[1].integer());
  }
  if (actual != expected) report.fail("tokens are " + list_text(actual) + ", expected " + runs.dump());
  check_expansion<std::int32_t>(row, report);
  check_expansion<std::int64_t>(row, report);
}

void compare_slices(const Slices& actual, const Json& expected, const std::string& what, Report& report) {
  std::vector<std::int64_t> values;
  for (const Slice& slice : actual) {
    values.push_back(slice.start);
    values.push_back(slice.stop);
  }
  std::vector<std::pair<std::int64_t, std::int64_t>> pairs;
  for (const Json& slice : expected.elements()) pairs.emplace_back(slice[std::size_t{0}].integer(), slice[1].integer());
  // Upstream lists some by kind; ours ascend.
  const bool ascends =
      std::is_sorted(actual.begin(), actual.end(), [](const Slice& a, const Slice& b) { return a.start < b.start; });
  if (ascends) std::stable_sort(pairs.begin(), pairs.end());
  std::vector<std::int64_t> recorded;
  for (const auto& [start, stop] : pairs) {
    recorded.push_back(start);
    recorded.push_back(stop);
  }
  if (values != recorded) report.fail(what + " is " + list_text(values) + ", expected " + expected.dump());
}

void compare_positions(const Positions& actual, const Json& expected, const std::string& what, Report& report) {
  compare_values({actual.begin(), actual.end()}, expected, what, report);
}

Positions all_timestep_positions(const TokenSequence& row) {
  Positions positions = row.gen_timestep_positions;
  positions.insert(positions.end(), row.cond_timestep_positions.begin(), row.cond_timestep_positions.end());
  std::sort(positions.begin(), positions.end());
  return positions;
}

namespace {

/// The positions below an end.
Positions below(const Positions& positions, std::int32_t end) {
  Positions kept;
  std::copy_if(positions.begin(), positions.end(), std::back_inserter(kept),
               [end](std::int32_t position) { return position < end; });
  return kept;
}

}  // namespace

void check_reading(const hunyuan_reso::ModelProfile& profile, const TokenSequence& row,
                   const std::vector<hunyuan_reso::Section>& sections, Report& report) {
  const std::int32_t end = row.real_length();
  std::vector<hunyuan_reso::ImageInfo> images;
  std::size_t begun = 0;  // image blocks whose <eoi> is still there
  for (const std::int32_t eoi : row.eoi_positions) begun += eoi < end ? 1 : 0;
  for (const hunyuan_reso::Section& section : sections) {
    if (section.is_image && images.size() < begun) images.push_back(section.image);
  }
  std::vector<hunyuan_reso::TokenId> ids(static_cast<std::size_t>(row.length));
  if (row.expand(ids.data(), ids.size()) != hunyuan_reso::Errc::none) return report.fail("expand refuses");
  hunyuan_reso::SequenceReading reading;
  reading.images = images.data();
  reading.image_count = images.size();
  const auto read = read_sequence(profile, ids.data(), ids.size(), reading);
  if (!read) {
    return report.fail("read_sequence refuses at " + std::to_string(read.position()) + ": " + message(read.error()));
  }
  const auto same = [&](const Positions& actual, const Positions& written, const char* what) {
    if (actual != below(written, end)) report.fail(std::string("read_sequence finds other positions of ") + what);
  };
  report.equal(read->length, row.length, "length read");
  report.equal(read->real_length(), end, "real length read");
  // A block that a clip leaves open is no image.
  const std::int32_t open = begun < row.boi_positions.size() ? row.boi_positions[begun] : end;
  same(read->boi_positions, below(row.boi_positions, open), "<boi>");
  same(read->eoi_positions, row.eoi_positions, "<eoi>");
  same(read->gen_timestep_positions, below(row.gen_timestep_positions, open), "<timestep>");
  same(read->cond_timestep_positions, below(row.cond_timestep_positions, open), "conditioning <timestep>");
  same(read->guidance_positions, below(row.guidance_positions, open), "<guidance>");
  same(read->timestep_r_positions, below(row.timestep_r_positions, open), "<timestep_r>");
  same(read->joint_img_sep_positions, row.joint_img_sep_positions, "<joint_img_sep>");
  std::size_t runs = 0;
  for (const ImageRun& run : row.image_runs) {
    if (run.slice.stop > end || run.slice.start >= open) continue;
    const bool has_run = runs < read->image_runs.size();
    const ImageRun found = has_run ? read->image_runs[runs] : ImageRun{};
    report.is_true(has_run && found.slice == run.slice && found.kind == run.kind &&
                       found.in_joint_block == run.in_joint_block && found.token_height == run.token_height &&
                       found.token_width == run.token_width,
                   "an image run read");
    ++runs;
  }
  report.equal(static_cast<std::int64_t>(read->image_runs.size()), static_cast<std::int64_t>(runs), "image runs read");
}

bool has_null_token(const Json& output, OutputForm form) {
  const std::vector<Json> rows =
      form == OutputForm::batch ? output["tokens"].elements() : std::vector<Json>{output["tokens"]};
  for (const Json& row : rows) {
    for (const Json& run : row.elements()) {
      if (run[std::size_t{0}].is_null()) return true;
    }
  }
  return false;
}

void compare_output(const std::vector<TokenSequence>& rows, const Json& output, OutputForm form, Recorded recorded,
                    Report& report) {
  for (const auto& [key, value] : output.members()) {
    const auto is_key = [name = key](const Column& column) { return name == column.name; };
    if (key == "tokens" || key == "length" || std::any_of(std::begin(columns), std::end(columns), is_key)) continue;
    report.fail("the output has the key '" + key + "', which no test handles");
  }
  const std::size_t recorded_rows = form == OutputForm::batch ? output["tokens"].size() : 1;
  report.equal(static_cast<std::int64_t>(rows.size()), static_cast<std::int64_t>(recorded_rows), "rows");
  if (rows.size() != recorded_rows) return;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    report.equal(rows[i].length, output["length"].integer(), "length");
    compare_tokens(rows[i], row_of_output(output, form, "tokens", i), report);
  }
  for (const Column& column : columns) {
    if (is_made(column, output, recorded)) compare_column(column, rows, output, form, report);
  }
}

}  // namespace hunyuan_reso_test
