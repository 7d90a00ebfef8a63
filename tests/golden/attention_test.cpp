// SPDX-License-Identifier: MIT
// attention.json: full slices, masks and the positions of later denoising steps.
#include <hunyuan_reso/attention.hpp>
#include <hunyuan_reso/chat.hpp>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>

#include "common.hpp"
#include "sequence_compare.hpp"
#include "sequence_input.hpp"
#include "support/sha256.hpp"

namespace hunyuan_reso_test {
namespace {

using hunyuan_reso::AttentionLayout;
using hunyuan_reso::AttentionSegment;
using hunyuan_reso::ConditioningAttention;
using hunyuan_reso::ConditioningImageType;
using hunyuan_reso::Errc;
using hunyuan_reso::ImageRun;
using hunyuan_reso::ImageRunKind;
using hunyuan_reso::Slice;
using hunyuan_reso::TokenSequence;

Slice slice_of(const Json& value) { return {int32(value[std::size_t{0}]), int32(value[1])}; }

std::vector<Slice> slices_of(const Json& output, const char* key, std::size_t row, bool batched) {
  std::vector<Slice> slices;
  if (!given(output, key)) return slices;
  const Json list = batched ? output[key][row] : output[key];
  for (const Json& slice : list.elements()) slices.push_back(slice_of(slice));
  return slices;
}

std::vector<std::int32_t> positions_of(const Json& output, const char* key, std::size_t row) {
  std::vector<std::int32_t> positions;
  if (!given(output, key)) return positions;
  for (const Json& position : output[key][row].elements()) positions.push_back(int32(position));
  return positions;
}

/// The image runs that a recorded output lists. Grid sides do not matter here.
std::vector<ImageRun> recorded_runs(const Json& output, std::size_t row, bool batched) {
  const auto holds = [](const std::vector<Slice>& slices, Slice slice) {
    for (const Slice& other : slices) {
      if (other.start <= slice.start && slice.stop <= other.stop) return true;
    }
    return false;
  };
  const std::vector<Slice> generated = slices_of(output, "gen_image_slices", row, batched);
  const std::vector<Slice> vae = slices_of(output, "vae_image_slices", row, batched);
  const std::vector<Slice> joint = slices_of(output, "joint_image_slices", row, batched);
  std::vector<ImageRun> runs;
  for (const Slice& slice : slices_of(output, "all_image_slices", row, batched)) {
    ImageRun run;
    run.slice = slice;
    run.kind = holds(generated, slice) ? ImageRunKind::generated
               : holds(vae, slice)     ? ImageRunKind::vae
                                       : ImageRunKind::vit;
    run.in_joint_block = run.kind != ImageRunKind::generated && holds(joint, slice);
    runs.push_back(run);
  }
  return runs;
}

TokenSequence recorded_sequence(const Json& output, std::size_t row) {
  TokenSequence sequence;
  sequence.length = int32(output["length"]);
  sequence.image_runs = recorded_runs(output, row, true);
  sequence.gen_timestep_positions = positions_of(output, "gen_timestep_scatter_index", row);
  sequence.guidance_positions = positions_of(output, "guidance_scatter_index", row);
  sequence.timestep_r_positions = positions_of(output, "gen_timestep_r_scatter_index", row);
  return sequence;
}

/// The rows of every sequence: ours, where the images that it names can be looked up, else the recorded ones.
class Sequences {
 public:
  Sequences(const Json& sequences, Report& report) {
    const char* folder = std::getenv("HUNYUAN_RESO_GOLDEN_DIR");
    const auto path = std::filesystem::path(folder != nullptr ? folder : HUNYUAN_RESO_TEST_DATA_DIR) / "sequence.json";
    if (std::filesystem::exists(path)) {
      images_.emplace(path.string());
      tables_.emplace(images_->root());
    }
    for (const auto& [name, entry] : sequences.members()) add(name, entry, report);
  }
  const std::vector<TokenSequence>& rows(const std::string& name) const { return rows_.at(name); }

 private:
  void add(const std::string& name, const Json& entry, Report& report) {
    const Json output = entry["output"];
    std::vector<TokenSequence> recorded;
    for (std::size_t i = 0; i < output["all_image_slices"].size(); ++i) {
      recorded.push_back(recorded_sequence(output, i));
    }
    rows_[name] = recorded;
    if (!tables_) {
      return report.not_applicable("sequence " + name +
                                   ": there is no sequence.json beside it to look its images up in");
    }
    try {
      const ChatCall call = chat_call_of(entry, *tables_, "instruct", "gen_image");
      report.begin_case("sequence " + name);
      const auto model = call.model(tables_->profile("instruct"));
      if (!model) return report.fail("no model");
      const auto batch = encode_chat_batch(*model, call.conversations, call.options, tables_->tokenizer(),
                                           call.unconditional_passes, call.max_length);
      if (!batch) return report.fail("refused");
      compare_output(batch->rows, output, OutputForm::batch, Recorded::partly, report);
      if (batch->rows.size() == recorded.size()) rows_[name] = batch->rows;
    } catch (const NotApplicable& why) {
      report.not_applicable("sequence " + name + ": " + why.reason);
    } catch (const std::exception& error) {
      report.fail("the sequence " + name + " is malformed: " + error.what());
    }
  }

  std::optional<JsonFile> images_{};
  std::optional<SequenceTables> tables_{};
  std::map<std::string, std::vector<TokenSequence>> rows_{};
};

struct Combination {
  ConditioningImageType image_type = ConditioningImageType::vae_vit;
  ConditioningAttention attention = ConditioningAttention::joint_full;
};

std::optional<Combination> combination_of(const Json& entry) {
  const std::string type = entry["cond_image_type"].text();
  const std::string attention = entry["cond_token_attn_type"].text();
  Combination result;
  if (type == "vae") {
    result.image_type = ConditioningImageType::vae;
  } else if (type == "vit") {
    result.image_type = ConditioningImageType::vit;
  } else if (type != "vae_vit") {
    return std::nullopt;
  }
  if (attention == "causal") {
    result.attention = ConditioningAttention::causal;
  } else if (attention == "full") {
    result.attention = ConditioningAttention::full;
  } else if (attention == "full_causal") {
    result.attention = ConditioningAttention::full_causal;
  } else if (attention != "joint_full") {
    return std::nullopt;
  }
  return result;
}

hunyuan_reso::Result<AttentionLayout> layout_of(const std::vector<ImageRun>& runs, const Combination& combination,
                                                bool include_generated = true) {
  hunyuan_reso::ModelProfile profile = hunyuan_reso::profiles::instruct;
  profile.conditioning_image_type = combination.image_type;
  profile.conditioning_attention = combination.attention;
  return AttentionLayout::create(profile, runs.data(), runs.size(), include_generated);
}

std::vector<Slice> listed(const AttentionLayout& layout) { return {layout.begin(), layout.end()}; }

/// Upstream lists the full slices by kind; what counts is the set.
void compare_as_sets(std::vector<Slice> actual, const Json& expected, const std::string& what, Report& report) {
  std::vector<Slice> slices;
  for (const Json& slice : expected.elements()) slices.push_back(slice_of(slice));
  const auto by_start = [](const Slice& a, const Slice& b) { return a.start < b.start; };
  std::sort(actual.begin(), actual.end(), by_start);
  std::sort(slices.begin(), slices.end(), by_start);
  if (actual != slices) report.fail(what + ", expected the set " + expected.dump());
}

/// The segments of these queries, expanded: exactly the rows of the mask, each query once.
void check_segments(const AttentionLayout& layout, const std::vector<Slice>& queries, std::int32_t length,
                    const char* what, Report& report) {
  std::vector<AttentionSegment> segments(queries.size() * (2 * layout.size() + 1));
  const auto count = layout.write_segments(queries.data(), queries.size(), length, segments.data(), segments.size());
  if (!count) return report.fail(std::string(what) + ": write_segments refuses");
  segments.resize(*count);
  std::vector<int> times(static_cast<std::size_t>(length));
  for (const AttentionSegment& segment : segments) {
    for (std::int32_t query = segment.queries.start; query < segment.queries.stop; ++query) {
      ++times[static_cast<std::size_t>(query)];
      const std::int32_t end = segment.keys.stop - (segment.causal ? segment.queries.stop - 1 - query : 0);
      const std::int32_t expected = layout.allowed_end(query);
      if (segment.keys.start != 0 || end != (expected < length ? expected : length)) {
        return report.fail(std::string(what) + ": the keys of query " + std::to_string(query));
      }
    }
  }
  for (const Slice& slice : queries) {
    for (std::int32_t query = slice.start; query < slice.stop; ++query) --times[static_cast<std::size_t>(query)];
  }
  report.is_true(std::all_of(times.begin(), times.end(), [](int number) { return number == 0; }), what);
  std::vector<std::int32_t> query_lengths(segments.size() + 1);
  std::vector<std::int32_t> key_lengths(segments.size() + 1);
  report.is_true(write_cumulative_lengths(segments.data(), segments.size(), query_lengths.data(), key_lengths.data(),
                                          query_lengths.size()) == Errc::none,
                 "write_cumulative_lengths");
  std::int32_t query_count = 0;
  for (const Slice& slice : queries) query_count += slice.length();
  report.equal(query_lengths.back(), query_count, "cumulative queries");
}

void compare_ranges(const AttentionLayout& layout, std::int32_t row, const Json& ranges, Report& report) {
  compare_slices({layout.row_range(row)}, ranges, "range of row " + std::to_string(row), report);
}

/// A recorded mask: hash, number of ones, ranges.
void compare_mask(const AttentionLayout& layout, std::int32_t length, const Json& mask, Report& report) {
  for (const auto& [key, value] : mask.members()) {
    const bool known = key == "sha256" || key == "allowed" || key == "row_ranges" || key == "some_row_ranges" ||
                       key == "name" || key == "cond" || key == "gen" || key == "length" ||
                       key == "joint_image_slices" || key == "gen_image_slices";
    if (!known) report.fail("the mask's key '" + key + "' is not handled");
  }
  const auto side = static_cast<std::size_t>(length);
  const auto bytes = std::make_unique<unsigned char[]>(side * side);
  report.is_true(layout.write_mask(length, bytes.get(), side * side) == Errc::none, "write_mask");
  report.is_true(sha256(bytes.get(), side * side) == mask["sha256"].text(), "sha256 of the mask");
  if (mask.has("allowed")) report.equal(layout.allowed_pairs(length), mask["allowed"].integer(), "allowed_pairs");
  if (mask.has("row_ranges")) {
    const std::vector<Json> rows = mask["row_ranges"].elements();
    report.equal(length, static_cast<std::int64_t>(rows.size()), "rows of row_ranges");
    for (std::size_t i = 0; i < rows.size(); ++i) {
      compare_ranges(layout, static_cast<std::int32_t>(i), rows[i], report);
      for (std::size_t key = 0; key < side && i < side; ++key) {
        const bool allowed = layout.allows(static_cast<std::int32_t>(i), static_cast<std::int32_t>(key));
        if (allowed != (bytes[i * side + key] != 0)) return report.fail("allows differs from the mask");
      }
    }
  }
  if (mask.has("some_row_ranges")) {
    for (const Json& row : mask["some_row_ranges"].elements()) {
      compare_ranges(layout, int32(row[std::size_t{0}]), row[1], report);
    }
  }
}

void check_slices(const Json& entry, const Sequences& sequences, const Json& masks, Report& report) {
  const std::string where =
      entry["sequence"].text() + ", " + entry["cond_image_type"].text() + ", " + entry["cond_token_attn_type"].text();
  const std::optional<Combination> combination = combination_of(entry);
  if (!combination) return report.not_applicable("slices of " + where + ": no such enumerator");
  report.begin_case("slices of " + where);
  const std::vector<TokenSequence>& rows = sequences.rows(entry["sequence"].text());
  report.equal(static_cast<std::int64_t>(rows.size()), static_cast<std::int64_t>(entry["slices"].size()), "rows");
  for (std::size_t i = 0; i < rows.size() && i < entry["slices"].size(); ++i) {
    const auto layout = layout_of(rows[i].image_runs, *combination);
    const auto without = layout_of(rows[i].image_runs, *combination, false);
    if (!layout || !without) return report.fail("refused, upstream accepts");
    compare_as_sets(listed(*layout), entry["slices"][i], "slices", report);
    if (given(entry, "slices_without_gen")) {
      compare_as_sets(listed(*without), entry["slices_without_gen"][i], "slices without generated images", report);
    }
    check_segments(*layout, {{0, rows[i].length}}, rows[i].length, "segments of the sequence", report);
    const auto fed = refeed_slices(hunyuan_reso::profiles::instruct, rows[i]);
    if (fed) check_segments(*layout, *fed, rows[i].length, "segments of later steps", report);
    if (!given(entry, "mask") || entry["mask"][i].is_null()) continue;
    const auto mask = static_cast<std::size_t>(int32(entry["mask"][i]));
    compare_mask(*layout, rows[i].length, masks[mask], report);
  }
}

void check_error(const Json& entry, const Sequences& sequences, Report& report) {
  const std::optional<Combination> combination = combination_of(entry);
  const std::string where =
      "combination " + entry["cond_image_type"].text() + ", " + entry["cond_token_attn_type"].text();
  if (!combination) return report.not_applicable(where + ": no such enumerator");
  report.begin_case(where);
  for (const TokenSequence& row : sequences.rows(entry["sequence"].text())) {
    report.is_true(!layout_of(row.image_runs, *combination), "accepted, upstream refuses");
  }
}

void check_flat(const Json& entry, const Json& output, Report& report) {
  const std::optional<Combination> combination = combination_of(entry);
  if (!combination) return report.not_applicable("flat: no such enumerator");
  report.begin_case("flat, " + entry["cond_image_type"].text() + ", " + entry["cond_token_attn_type"].text());
  const auto layout = layout_of(recorded_runs(output, 0, false), *combination);
  if (entry.has("error")) return report.is_true(!layout, "accepted, upstream refuses");
  if (!layout) return report.fail("refused, upstream accepts");
  compare_as_sets(listed(*layout), entry["slices"], "slices", report);
  check_segments(*layout, {{0, int32(output["length"])}}, int32(output["length"]), "segments", report);
}

void check_second_step(const Json& entry, const Sequences& sequences, Report& report) {
  hunyuan_reso::ModelProfile profile = hunyuan_reso::profiles::instruct;
  profile.cfg_distilled = entry["cfg_distilled"].boolean();
  profile.use_meanflow = entry["use_meanflow"].boolean();
  report.begin_case("second step of " + entry["sequence"].text() + (profile.cfg_distilled ? ", distilled" : "") +
                    (profile.use_meanflow ? ", meanflow" : ""));
  const std::vector<TokenSequence>& rows = sequences.rows(entry["sequence"].text());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto slices = refeed_slices(profile, rows[i]);
    const auto positions = refeed_positions(profile, rows[i]);
    if (entry.has("error")) {
      report.is_true(!slices && !positions, "accepted, upstream refuses");
      continue;
    }
    if (!slices || !positions) return report.fail("refused, upstream accepts");
    compare_slices(*slices, entry["position_ranges"][i], "positions", report);
    // mask_shape is [rows, 1, positions, length]
    report.equal(static_cast<std::int64_t>(positions->size()), entry["mask_shape"][2].integer(), "positions");
    report.equal(rows[i].length, entry["mask_shape"][3].integer(), "length");
    report.equal(static_cast<std::int64_t>(rows.size()), entry["mask_shape"][std::size_t{0}].integer(), "rows");
    std::size_t k = 0;
    for (const Slice& slice : *slices) {
      for (std::int32_t position = slice.start; position < slice.stop; ++position, ++k) {
        if (k >= positions->size() || (*positions)[k] != position) return report.fail("refeed_positions");
      }
    }
  }
}

/// Masks of the base release, which knows joint spans only. Where one span is split does not show in the mask.
void check_base_mask(const Json& entry, Report& report) {
  report.begin_case("base mask " + entry["name"].text());
  std::vector<ImageRun> runs;
  for (const Slice& span : slices_of(entry, "joint_image_slices", 0, false)) {
    runs.push_back({{span.start, span.start + 1}, ImageRunKind::vae, true});
    runs.push_back({{span.start + 2, span.stop}, ImageRunKind::vit, true});
  }
  for (const Slice& slice : slices_of(entry, "gen_image_slices", 0, false)) {
    runs.push_back({slice, ImageRunKind::generated, false});
  }
  const auto layout = layout_of(runs, Combination{});
  if (!layout) return report.fail("refused");
  compare_mask(*layout, int32(entry["length"]), entry, report);
  check_segments(*layout, {{0, int32(entry["length"])}}, int32(entry["length"]), "segments", report);
}

void check_attention(const Json& root, Report& report) {
  const Sequences sequences(root["sequences"], report);
  const auto each = [&report](const Json& list, const auto& check) {
    for (const Json& entry : list.elements()) {
      try {
        check(entry);
      } catch (const std::exception& error) {
        report.fail("the entry " + entry.dump() + " is malformed: " + error.what());
      }
    }
  };
  for (const auto& [key, list] : root.members()) {
    if (key == "slices") {
      each(list, [&](const Json& entry) { check_slices(entry, sequences, root["masks"], report); });
    } else if (key == "errors") {
      each(list, [&](const Json& entry) { check_error(entry, sequences, report); });
    } else if (key == "flat") {
      each(list, [&](const Json& entry) { check_flat(entry, root["flat_output"], report); });
    } else if (key == "second_step_positions") {
      each(list, [&](const Json& entry) { check_second_step(entry, sequences, report); });
    } else if (key == "base_masks") {
      each(list, [&](const Json& entry) { check_base_mask(entry, report); });
    } else if (key != "sequences" && key != "masks" && key != "flat_output") {
      report.not_applicable("section " + key);
    }
  }
}

const Registration registration{"attention.json", check_attention};

}  // namespace
}  // namespace hunyuan_reso_test
