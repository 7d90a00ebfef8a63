// SPDX-License-Identifier: MIT
// sequence.json: chats, sections and batches as token sequences.
#include <algorithm>
#include <exception>

#include "common.hpp"
#include "sequence_compare.hpp"
#include "sequence_direct.hpp"
#include "sequence_input.hpp"

namespace hunyuan_reso_test {
namespace {

using hunyuan_reso::BotTask;
using hunyuan_reso::Errc;
using hunyuan_reso::Message;
using hunyuan_reso::Model;
using hunyuan_reso::Result;
using hunyuan_reso::TokenBatch;
using hunyuan_reso::TokenSequence;

using Conversations = std::vector<std::vector<Message>>;

Result<TokenBatch> encode(const ChatCall& call, const Conversations& conversations, const Model& model,
                          const SequenceTables& tables) {
  if (call.refused != Errc::none) return call.refused;
  return encode_chat_batch(model, conversations, call.options, tables.tokenizer(), call.unconditional_passes,
                           call.max_length);
}

/// The sections of all rows, compared with the recorded ones where there are some, and the rows read back.
void compare_rendering(const ChatCall& call, const Conversations& conversations, const Model& model,
                       const Json* expected, const TokenBatch& batch, Report& report) {
  std::size_t row = 0;
  for (std::int32_t pass = 0; pass <= call.unconditional_passes; ++pass) {
    for (const std::vector<Message>& conversation : conversations) {
      const auto sections = render_chat(model, conversation, call.options, pass > 0);
      if (!sections) return report.fail("render_chat refuses");
      check_reading(model.profile, batch.rows[row], *sections, report);
      if (expected != nullptr && row >= expected->size()) return report.fail("fewer rows of sections are recorded");
      if (expected != nullptr) compare_sections(*sections, (*expected)[row], report);
      ++row;
    }
  }
  if (expected == nullptr) return;
  report.equal(static_cast<std::int64_t>(row), static_cast<std::int64_t>(expected->size()), "rows of sections");
}

void compare_batch(const Json& entry, const ChatCall& call, const Conversations& conversations, const TokenBatch& batch,
                   const Model& model, Report& report) {
  report.equal(batch.length, entry["output"]["length"].integer(), "length of the batch");
  compare_output(batch.rows, entry["output"], OutputForm::batch, Recorded::everything_but_text_mask, report);
  const bool has_sections = given(entry, "sections");
  const Json sections = has_sections ? entry["sections"] : entry;
  compare_rendering(call, conversations, model, has_sections ? &sections : nullptr, batch, report);
  if (given(entry, "rope_image_info")) compare_rope_image_info(batch.rows, entry["rope_image_info"], report);
}

/// Upstream encodes the first of several samples alone; here all are rows of one batch, padded to the longest.
void compare_first_row(const ChatCall& call, const TokenBatch& first, const Model& model, const SequenceTables& tables,
                       Report& report) {
  report.deliberate("of several prompts upstream encodes the first one only; our rows of it are compared");
  const Result<TokenBatch> all = encode(call, call.conversations, model, tables);
  if (!all) return report.is_true(all.error() == Errc::rows_differ, "the whole batch is refused");
  for (std::size_t pass = 0; pass < first.rows.size(); ++pass) {
    TokenSequence row = all->rows[pass * call.conversations.size()];
    const TokenSequence& alone = first.rows[pass];
    if (row.runs.back().id == hunyuan_reso::tokens::pad) row.runs.pop_back();
    const auto same_run = [](const auto& a, const auto& b) { return a.id == b.id && a.count == b.count; };
    const bool same = std::equal(row.runs.begin(), row.runs.end(), alone.runs.begin(), alone.runs.end(), same_run);
    report.is_true(same && row.real_length() == alone.length, "the batch's first row, padding aside");
  }
}

/// A base size outside the ladder. Upstream writes "<img_size_960>" out as text.
bool is_unknown_base_size(const ChatCall& call, const SequenceTables& tables, Errc error) {
  return error == Errc::unknown_base_size &&
         !tables.tokenizer().has("<img_size_" + std::to_string(call.image_base_size.value_or(0)) + ">");
}

/// A ratio task without a base size, which upstream did not fill in with the default either.
bool lacks_base_size(const Json& entry, const ChatCall& call) {
  if (call.options.bot_task != BotTask::img_ratio || call.image_base_size) return false;
  if (entry.has("error")) return true;
  if (!given(entry, "sections")) return false;
  const Json row = entry["sections"][std::size_t{0}];
  return row.size() != 0 && row[row.size() - 1].dump().find("<img_size_1024>") == std::string::npos;
}

void check_chat(const Json& entry, const SequenceTables& tables, Report& report) {
  const ChatCall call = chat_call_of(entry, tables, "pretrain", "gen_text");
  const Result<Model> model = call.model(tables.profile(entry["release"].text()));
  if (!model) throw NotApplicable{std::string("no model for the base size: ") + message(model.error())};
  const std::string name = entry["name"].text();
  if (lacks_base_size(entry, call)) throw NotApplicable{"no base size for the ratio: here there is always one"};
  report.begin_case(name);
  Conversations conversations = call.conversations;
  if (conversations.size() > 1) conversations.resize(1);
  const Result<TokenBatch> batch = encode(call, conversations, *model, tables);
  if (!entry.has("error") && is_unknown_base_size(call, tables, batch.error())) {
    return report.deliberate(name + ": a base size without a token is refused, upstream writes its name as text");
  }
  if (!entry.has("error") && !batch && has_null_token(entry["output"], OutputForm::batch)) {
    return report.deliberate(name + ": a size or ratio without a token is refused, upstream writes null");
  }
  if (compare_refusal(entry, batch.has_value(), report)) return;
  compare_batch(entry, call, conversations, *batch, *model, report);
  if (call.conversations.size() > 1) compare_first_row(call, *batch, *model, tables, report);
}

/// Whether the rows of a recorded output have different numbers of scalar tokens.
bool scalar_tokens_differ(const Json& output) {
  const auto count = [](const Json& runs) {
    std::vector<std::int64_t> counts(2);
    for (const Json& run : runs.elements()) {
      if (run[std::size_t{0}].is_null()) continue;
      if (run[std::size_t{0}].integer() == hunyuan_reso::tokens::guidance) counts[0] += run[1].integer();
      if (run[std::size_t{0}].integer() == hunyuan_reso::tokens::timestep_r) counts[1] += run[1].integer();
    }
    return counts;
  };
  for (std::size_t i = 1; i < output["tokens"].size(); ++i) {
    if (count(output["tokens"][i]) != count(output["tokens"][std::size_t{0}])) return true;
    if (output["gen_image_slices"][i].size() != output["gen_image_slices"][std::size_t{0}].size()) return true;
  }
  return false;
}

bool conditioning_images_differ(const TokenBatch& batch) {
  for (const TokenSequence& row : batch.rows) {
    if (row.cond_timestep_positions.size() != batch.rows[0].cond_timestep_positions.size()) return true;
    if (row.image_runs.size() != batch.rows[0].image_runs.size()) return true;
  }
  return false;
}

void check_batch_gen_infer(const Json& entry, const SequenceTables& tables, Report& report) {
  const Json input = entry["input"];
  only_known_keys(input, {"messages", "cfg", "uncondition_repeat_times"}, "the input");
  ChatCall call;
  for (const Json& list : input["messages"].elements()) {
    const auto messages = messages_of(list, tables);
    if (!messages && call.refused == Errc::none) call.refused = messages.error();
    call.conversations.push_back(*messages);
  }
  if (flag(input, "cfg", false)) {
    call.unconditional_passes = given(input, "uncondition_repeat_times") ? int32(input["uncondition_repeat_times"]) : 1;
  }
  const Result<Model> model = call.model(tables.profile(entry["release"].text()));
  if (!model) throw NotApplicable{std::string("no model for the profile: ") + message(model.error())};
  const std::string name = entry["name"].text();
  report.begin_case(name);
  const Result<TokenBatch> batch = encode(call, call.conversations, *model, tables);
  if (entry.has("error") && batch && conditioning_images_differ(*batch)) {
    return report.deliberate(name + ": rows with different conditioning images, which upstream cannot stack");
  }
  if (!entry.has("error") && batch.error() == Errc::rows_differ && scalar_tokens_differ(entry["output"])) {
    return report.deliberate(name + ": rows with different scalar tokens are refused, since they cannot be fed");
  }
  if (compare_refusal(entry, batch.has_value(), report)) return;
  compare_batch(entry, call, call.conversations, *batch, *model, report);
}

/// The table of the stand-in tokenizer is the library's.
void check_special_tokens(const SequenceTables& tables, Report& report) {
  report.begin_case("special_tokens");
  for (const auto& [name, id] : tables.tokenizer().names()) {
    report.equal(find_token(hunyuan_reso::profiles::instruct, name).value_or(-1), id, name.c_str());
  }
}

void check_case(const Json& entry, const SequenceTables& tables, Report& report) {
  for (const auto& [key, value] : entry.members()) {
    const bool known = key == "name" || key == "release" || key == "call" || key == "input" || key == "output" ||
                       key == "error" || key == "sections" || key == "rope_image_info" || key == "inner_messages";
    if (!known) throw NotApplicable{"the case has the key '" + key + "', which no test handles"};
  }
  const std::string call = entry["call"].text();
  if (call == "apply_chat_template") return check_chat(entry, tables, report);
  if (call == "batch_gen_infer") return check_batch_gen_infer(entry, tables, report);
  if (call == "encode_general") return check_encode_general(entry, tables, report);
  if (call == "encode_sequence") return check_encode_sequence(entry, tables, report);
  if (call == "encode_text") return check_encode_text(entry, tables, report);
  throw NotApplicable{"the call " + call + " has no counterpart"};
}

void check_sequence(const Json& root, Report& report) {
  const SequenceTables tables(root);
  check_special_tokens(tables, report);
  for (const auto& [key, value] : root.members()) {
    if (key != "special_tokens" && key != "images" && key != "cases") report.not_applicable("section " + key);
  }
  for (const Json& entry : root["cases"].elements()) {
    try {
      check_case(entry, tables, report);
    } catch (const RefusedInput&) {
      report.begin_case(entry["name"].text());
      static_cast<void>(compare_refusal(entry, false, report));
    } catch (const NotApplicable& why) {
      report.not_applicable(entry["name"].text() + ": " + why.reason);
    } catch (const std::exception& error) {
      report.fail("the case " + entry["name"].dump() + " is malformed: " + error.what());
    }
  }
}

const Registration registration{"sequence.json", check_sequence};

}  // namespace
}  // namespace hunyuan_reso_test
