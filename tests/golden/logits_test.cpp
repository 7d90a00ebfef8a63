// SPDX-License-Identifier: MIT
// logits.json: ratio slices, forced tokens and the text stage.
#include <algorithm>
#include <exception>

#include "common.hpp"
#include "logits_input.hpp"
#include "sequence_input.hpp"
#include "support/random.hpp"

namespace hunyuan_reso_test {
namespace {

using hunyuan_reso::RatioSlices;
using hunyuan_reso::TokenId;
using hunyuan_reso::VocabularySlice;

void check_generator(const Json& root, const LogitsGenerator& generator, Report& report) {
  const Json entry = root["generator"];
  report.begin_case("generator");
  const auto seed = static_cast<std::uint64_t>(entry["check_seed"].integer());
  Random random(seed);
  for (const Json& value : entry["check_u64"].elements()) {
    report.is_true(std::to_string(random.next()) == value.text(), "check_u64");
  }
  const std::vector<float> row = generator.matrix(seed, 1);
  for (std::size_t i = 0; i < entry["check_f32"].size(); ++i) {
    report.is_true(same_bits(row[i], logit_of(entry["check_f32"][i])), "check_f32");
  }
  for (const auto& [key, value] : entry.members()) {
    if (key.rfind("check_sha256", 0) == 0)
      report.is_true(sha256_of(row.data(), row.size()) == value.text(), "check_sha256");
  }
  report.is_true(same_bits(static_cast<float>(root["float32_min"].number()), hunyuan_reso::lowest_logit),
                 "float32_min");
}

/// Upstream indexes as Python does: negative ids count from the end. Here an id is what it says.
void only_plain_ids(const std::vector<VocabularySlice>& slices) {
  for (const VocabularySlice& slice : slices) {
    if (slice.start < 0 || slice.stop < 0) throw NotApplicable{"a negative id, which counts from the end upstream"};
  }
}

/// Whether these are the slices of the Instruct family, whose compact argmax is the ratio index.
bool are_ratio_slices(const std::vector<VocabularySlice>& slices) {
  const RatioSlices expected = ratio_slices(hunyuan_reso::profiles::instruct);
  bool same = slices.size() == expected.count;
  for (std::size_t i = 0; i < slices.size() && same; ++i) {
    same = slices[i].start == expected.slices[i].start && slices[i].stop == expected.slices[i].stop;
  }
  return same;
}

void check_slice(const Json& entry, const LogitsGenerator& generator, Report& report) {
  only_known_keys(entry,
                  {"name", "seed", "rows", "patches", "vocab_start", "vocab_end", "other_slices", "shape", "sha256",
                   "argmax", "max", "values", "repr", "error"},
                  "the entry");
  const std::vector<VocabularySlice> slices = vocabulary_slices(entry);
  only_plain_ids(slices);
  report.begin_case("slice " + entry["name"].text());
  const auto rows = static_cast<std::size_t>(int32(entry["rows"]));
  std::vector<float> matrix = generator.matrix(static_cast<std::uint64_t>(entry["seed"].integer()), rows);
  apply_patches(entry, generator.vocabulary, matrix);
  std::vector<float> compact;
  for (std::size_t row = 0; row < rows; ++row) {
    const float* values = matrix.data() + row * generator.vocabulary;
    std::vector<float> out(generator.vocabulary * slices.size());
    const auto written =
        slice_logits(values, generator.vocabulary, slices.data(), slices.size(), out.data(), out.size());
    if (entry.has("error")) return report.is_true(!written, "accepted, upstream refuses");
    const bool is_behind = slices.front().start < slices.front().stop &&
                           static_cast<std::size_t>(slices.front().start) >= generator.vocabulary;
    if (!written && is_behind) {
      return report.deliberate("slice " + entry["name"].text() + ": a first slice behind the vocabulary is refused");
    }
    if (!written) return report.fail("refused, upstream accepts");
    report.equal(static_cast<std::int64_t>(*written), entry["shape"][1].integer(), "values");
    out.resize(*written);
    const std::size_t best = *hunyuan_reso::argmax_logit(out.data(), out.size());
    report.equal(static_cast<std::int64_t>(best), entry["argmax"][row].integer(), "argmax");
    if (are_ratio_slices(slices)) {
      const auto ratio = predict_ratio(hunyuan_reso::profiles::instruct, values, generator.vocabulary);
      report.is_true(ratio && *ratio == best, "predict_ratio");
    }
    report.is_true(same_bits(out[best], logit_of(entry["max"][row])), "max");
    if (entry.has("values")) {
      for (std::size_t i = 0; i < out.size(); ++i) {
        report.is_true(same_bits(out[i], logit_of(entry["values"][row][i])), "values");
      }
    }
    compact.insert(compact.end(), out.begin(), out.end());
  }
  report.equal(static_cast<std::int64_t>(rows), entry["shape"][std::size_t{0}].integer(), "rows");
  report.is_true(sha256_of(compact.data(), compact.size()) == entry["sha256"].text(), "sha256");
}

/// The entries that are not the lowest number, or how many there are.
void compare_not_min(const float* row, std::size_t count, const Json& expected, Report& report) {
  std::vector<std::size_t> kept;
  for (std::size_t i = 0; i < count; ++i) {
    if (!same_bits(row[i], hunyuan_reso::lowest_logit)) kept.push_back(i);
  }
  if (expected.is_integer()) return report.equal(static_cast<std::int64_t>(kept.size()), expected.integer(), "not_min");
  report.equal(static_cast<std::int64_t>(kept.size()), static_cast<std::int64_t>(expected.size()), "not_min");
  for (std::size_t i = 0; i < kept.size() && i < expected.size(); ++i) {
    report.equal(static_cast<std::int64_t>(kept[i]), expected[i][std::size_t{0}].integer(), "not_min, token");
    report.is_true(same_bits(row[kept[i]], logit_of(expected[i][1])), "not_min, value");
  }
}

void check_conditional(const Json& entry, const LogitsGenerator& generator, Report& report) {
  only_known_keys(entry,
                  {"name", "seed", "last_tokens", "trigger_token_ids", "vocab_start", "vocab_end", "other_slices",
                   "patches", "force_greedy", "rows"},
                  "the entry");
  const std::vector<VocabularySlice> slices = vocabulary_slices(entry);
  only_plain_ids(slices);
  report.begin_case("conditional " + entry["name"].text());
  const std::vector<TokenId> last = token_list(entry["last_tokens"]);
  const std::vector<TokenId> triggers = token_list(entry["trigger_token_ids"]);
  std::vector<float> matrix = generator.matrix(static_cast<std::uint64_t>(entry["seed"].integer()), last.size());
  apply_patches(entry, generator.vocabulary, matrix);
  for (std::size_t i = 0; i < last.size(); ++i) {
    const Json expected = entry["rows"][i];
    float* row = matrix.data() + i * generator.vocabulary;
    const bool triggered = std::count(triggers.begin(), triggers.end(), last[i]) != 0;
    report.is_true(triggered != expected["unchanged"].boolean(), "unchanged");
    if (triggered) {
      const bool greedy = entry["force_greedy"].boolean();
      const auto error = mask_logits(row, generator.vocabulary, slices.data(), slices.size(), greedy);
      report.is_true(error == hunyuan_reso::Errc::none, "mask_logits accepts");
    }
    report.is_true(sha256_of(row, generator.vocabulary) == expected["sha256"].text(), "sha256");
    const std::size_t best = *hunyuan_reso::argmax_logit(row, generator.vocabulary);
    if (expected.has("argmax")) report.equal(static_cast<std::int64_t>(best), expected["argmax"].integer(), "argmax");
    if (expected.has("argmax_value")) {
      report.is_true(same_bits(row[best], logit_of(expected["argmax_value"])), "argmax_value");
    }
    if (expected.has("not_min")) compare_not_min(row, generator.vocabulary, expected["not_min"], report);
  }
}

const hunyuan_reso::ModelProfile* profile_of_group(const std::string& group) {
  if (group == "instruct_1024") return &hunyuan_reso::profiles::instruct;
  if (group == "base_like_33") return &hunyuan_reso::profiles::base;
  if (group == "instruct38") return &hunyuan_reso::profiles::panorama;
  return nullptr;
}

void check_ratio(const Json& entry, Report& report) {
  const std::string where = "ratio_from_token " + entry["group"].text() + ", token " + entry["token"].dump();
  if (entry.has("tokenizer_without_ratio_table") && entry["tokenizer_without_ratio_table"].boolean()) {
    return report.not_applicable(where + ": a tokenizer without the ratio table, which guesses from token - first");
  }
  const hunyuan_reso::ModelProfile* profile = profile_of_group(entry["group"].text());
  if (profile == nullptr) return report.not_applicable(where + ": no profile has this group");
  report.begin_case(where);
  const auto index = ratio_index_of(*profile, int32(entry["token"]));
  if (entry.has("error")) return report.is_true(!index, "accepted, upstream refuses");
  if (!index) return report.fail("refused, upstream accepts");
  report.equal(static_cast<std::int64_t>(*index), entry["ratio_index"].integer(), "ratio_index");
}

/// What each tokenizer version configures; its `end` is the last token, not the one after it.
void check_tokenizer_slices(const Json& entry, Report& report) {
  const std::string version = entry["model_version"].text();
  const bool is_base = version == "HunyuanImage-3.0";
  if (!is_base && version.rfind("HunyuanImage-3.0-Instruct", 0) != 0) {
    return report.not_applicable("tokenizer_slices " + version + ": no such profile");
  }
  report.begin_case("tokenizer_slices " + version);
  const RatioSlices slices = ratio_slices(is_base ? hunyuan_reso::profiles::base : hunyuan_reso::profiles::instruct);
  report.equal(slices.slices[0].start, entry["start"].integer(), "start");
  report.equal(slices.slices[0].stop - 1, entry["end"].integer(), "end");
  if (entry["compact"].has("error")) {
    return report.deliberate("tokenizer_slices " + version + ": its extra slices are malformed and upstream fails");
  }
  const std::vector<Json> other = entry["other"].elements();
  report.equal(static_cast<std::int64_t>(slices.count), static_cast<std::int64_t>(other.size() + 1), "slices");
  for (std::size_t i = 0; i < other.size() && i + 1 < slices.count; ++i) {
    report.equal(slices.slices[i + 1].start, other[i][std::size_t{0}].integer(), "start of an extra slice");
    report.equal(slices.slices[i + 1].stop, other[i][1].integer(), "end of an extra slice");
  }
  report.equal(static_cast<std::int64_t>(slices.token_count()), entry["compact"]["shape"][1].integer(), "compact size");
}

std::string key_of(const Json& entry) { return entry.has("name") ? entry["name"].text() + ": " : std::string(); }

void check_logits(const Json& root, Report& report) {
  const LogitsGenerator generator(root);
  const auto each = [&report](const Json& list, const auto& check) {
    for (const Json& entry : list.elements()) {
      try {
        check(entry);
      } catch (const NotApplicable& why) {
        report.not_applicable(key_of(entry) + why.reason);
      } catch (const std::exception& error) {
        report.fail("the entry " + entry.dump() + " is malformed: " + error.what());
      }
    }
  };
  for (const auto& [key, section] : root.members()) {
    if (key == "generator") {
      check_generator(root, generator, report);
    } else if (key == "slice") {
      each(section, [&](const Json& entry) { check_slice(entry, generator, report); });
    } else if (key == "conditional") {
      each(section, [&](const Json& entry) { check_conditional(entry, generator, report); });
    } else if (key == "stage") {
      each(section, [&](const Json& entry) { check_stage(entry, generator, report); });
    } else if (key == "combined") {
      each(section, [&](const Json& entry) { check_combined(entry, generator, report); });
    } else if (key == "ratio_from_token") {
      each(section, [&](const Json& entry) { check_ratio(entry, report); });
    } else if (key == "tokenizer_slices") {
      each(section, [&](const Json& entry) { check_tokenizer_slices(entry, report); });
    } else if (key == "transitions") {
      each(section, [&](const Json& entry) { check_transitions(entry, report); });
    } else if (key == "stage_batch_mismatch") {
      report.not_applicable("stage_batch_mismatch: here every row has a machine of its own");
    } else if (key != "vocab" && key != "float32_min") {
      report.not_applicable("section " + key);
    }
  }
}

const Registration registration{"logits.json", check_logits};

}  // namespace
}  // namespace hunyuan_reso_test
