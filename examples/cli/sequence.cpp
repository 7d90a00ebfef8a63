// SPDX-License-Identifier: MIT
// hunyuan-reso sequence: the tokens of a request and what was recorded while writing them; or a finished sequence, read
// back from its ids.
#include <hunyuan_reso/result.hpp>
#include <memory>

#include "commands.hpp"
#include "failure.hpp"
#include "id_list.hpp"
#include "output.hpp"
#include "sequence_report.hpp"
#include "sequence_request.hpp"
#include "tokenizer_file.hpp"

namespace hunyuan_reso::cli {
namespace {

struct SequenceOptionsOfTool {
  ModelOptions model;
  OutputOptions output;
  std::string path;
  std::string ids;
  std::string encoder = "bytes";
  std::string tokenizer;
  CLI::Option* encoder_option = nullptr;
  bool text = false;
  bool text_all = false;
};

/// The stand-in text encoder `bytes`: a byte b is the id 1000 + b. It needs no vocabulary file and shows where a real
/// encoder's ids would stand; special tokens get their own ids.
std::vector<TokenId> encode_bytes(std::string_view text) {
  std::vector<TokenId> ids;
  for (const char c : text) ids.push_back(1000 + static_cast<unsigned char>(c));
  return ids;
}

/// A request with its model.
struct Prepared {
  Selection selection;
  SequenceRequest request;
  TextEncoder encode;
};

Prepared prepare(const SequenceOptionsOfTool& options) {
  Prepared prepared;
  prepared.selection = resolve_selection(options.model);
  const ModelProfile& profile = prepared.selection.profile();
  if (options.tokenizer.empty()) {
    prepared.encode = with_special_tokens(profile, encode_bytes);
  } else {
    prepared.encode = load_tokenizer(options.tokenizer, profile);  // which knows the special tokens itself
  }
  prepared.request =
      read_sequence_request(read_file(options.path), prepared.selection, options.model.base_size.given());
  // Faults of single messages, by the place in the request.
  for (std::size_t i = 0; i < prepared.request.conversations.size(); ++i) {
    const auto sections =
        render_chat(prepared.selection.model, prepared.request.conversations[i], prepared.request.options);
    if (sections) continue;
    const std::vector<std::string>& places = prepared.request.places[i];
    const std::string place = sections.position() < places.size() ? places[sections.position()] : "request.bot_task";
    throw Refusal(place + ": " + reason_of(sections.error(), prepared.selection.order));
  }
  return prepared;
}

std::string prompts(const SequenceOptionsOfTool& options, const Prepared& prepared) {
  const ModelProfile& profile = prepared.selection.profile();
  Json rows = Json::array();
  std::string text;
  const std::size_t count = prepared.request.conversations.size();
  for (std::size_t i = 0; i < count; ++i) {
    const auto sections =
        render_chat(prepared.selection.model, prepared.request.conversations[i], prepared.request.options);
    const Result<std::string> prompt =
        prompt_text(profile, *sections, options.text_all ? ImageText::all_tokens : ImageText::one_token_a_run);
    if (!prompt) throw Refusal("request: " + reason_of(prompt.error()));
    const Result<bool> changes = joining_changes_ids(profile, *sections, prepared.encode);
    rows.push_back({{"text", *prompt}, {"joining_changes_ids", changes ? Json(*changes) : Json(nullptr)}});
    if (count > 1) text += (i == 0 ? "--- prompt " : "\n--- prompt ") + std::to_string(i + 1) + '\n';
    text += *prompt + '\n';
  }
  if (options.output.format != "json") return text;
  Json json = sequences_json(prepared.selection);
  json["rows"] = rows;
  return dump(json);
}

TokenBatch encode(const Prepared& prepared) {
  const SequenceRequest& request = prepared.request;
  Result<TokenBatch> batch = encode_chat_batch(prepared.selection.model, request.conversations, request.options,
                                               prepared.encode, request.cfg_factor - 1, request.max_length);
  if (batch) return *std::move(batch);
  if (batch.error() != Errc::sequence_too_long) throw Refusal("request: " + reason_of(batch.error()));
  throw Refusal("request: " + reason_of(batch.error()) + ": " + std::to_string(batch.position()) + " tokens, limit " +
                std::to_string(request.max_length) +
                (request.max_length == prepared.selection.profile().max_length
                     ? std::string(" (max_length of ") + prepared.selection.profile().name + ")"
                     : std::string(" (request.max_length)")));
}

std::string batch_report(const SequenceOptionsOfTool& options, const Prepared& prepared, const TokenBatch& batch) {
  const Selection& selection = prepared.selection;
  const std::size_t prompts = prepared.request.conversations.size();
  if (options.output.format == "json") {
    Json json = sequences_json(selection);
    json["encoder"] = options.tokenizer.empty() ? options.encoder : "tokenizer";
    json["length"] = batch.length;
    json["rows"] = Json::array();
    for (std::size_t i = 0; i < batch.rows.size(); ++i) {
      const TokenSequence& row = batch.rows[i];
      Json entry = layout_json(selection, row.runs, row);
      entry["text_slices"] = slices_json(row.text_slices);
      entry["unconditional"] = i >= prompts;
      entry["prefix_shared_with_conditional"] = reusable_prefix(batch.rows[i % prompts], row);
      json["rows"].push_back(std::move(entry));
    }
    return dump(json);
  }
  std::string text = sequences_heading(selection);
  text += std::to_string(batch.rows.size()) + (batch.rows.size() == 1 ? " row of " : " rows of ") +
          std::to_string(batch.length) + " tokens; text ids by " +
          (options.tokenizer.empty() ? "the stand-in encoder '" + options.encoder + "'"
                                     : "'" + printable(options.tokenizer) + "'") +
          '\n';
  for (std::size_t i = 0; i < batch.rows.size(); ++i) {
    text += "  row " + std::to_string(i) + (i >= prompts ? ", unconditional\n" : ", conditional\n") +
            layout_text(selection, batch.rows[i].runs, batch.rows[i]);
    if (i < prompts) text += layout_picture(selection, batch.rows[i]);  // an unconditional row has the same mask
  }
  return text;
}

/// The ids around the one at fault, a line each.
std::string surroundings(const ModelProfile& profile, const std::vector<TokenId>& ids, std::size_t position) {
  std::string text;
  for (std::size_t i = position < 3 ? 0 : position - 3; i < ids.size() && i < position + 3; ++i) {
    const std::string special = text_of_token(profile, ids[i]);
    text += std::string(i == position ? "\n  > " : "\n    ") + std::to_string(i) + ": " + std::to_string(ids[i]) +
            (special.empty() ? "" : " " + special);
  }
  if (position >= ids.size()) text += "\n  > " + std::to_string(ids.size()) + ": the end";
  return text;
}

int read_back(const SequenceOptionsOfTool& options) {
  const Selection selection = resolve_selection(options.model);
  const ModelProfile& profile = selection.profile();
  const std::string name = options.ids == "-" ? "standard input" : "'" + printable(options.ids) + "'";
  const IdList list = parse_ids(read_file(options.ids), name, profile.vocabulary_size);
  SequenceReading reading;
  reading.grid_mode = selection.grid_mode;
  reading.extra_scaling = selection.extra_scaling;
  const Result<TokenLayout> layout = read_sequence(profile, list.ids.data(), list.ids.size(), reading);
  if (!layout) {
    const std::size_t at = layout.position();
    const std::string line = at < list.lines.size() ? " (line " + std::to_string(list.lines[at]) + ")" : "";
    throw Refusal(name + ": index " + std::to_string(at) + line + ": " + reason_of(layout.error()) +
                  surroundings(profile, list.ids, at));
  }
  if (options.output.format == "json") {
    Json json = sequences_json(selection);
    json["length"] = layout->length;
    json["rows"] = Json::array({layout_json(selection, runs_of(list.ids), *layout)});
    options.output.write(dump(json));
  } else {
    options.output.write(sequences_heading(selection) + "1 row of " + std::to_string(layout->length) +
                         " tokens, read back\n" + layout_text(selection, runs_of(list.ids), *layout) +
                         layout_picture(selection, *layout));
  }
  const std::int32_t limit = profile.max_length;
  if (layout->real_length() <= limit) return exit_success;
  throw Refusal(name + ": " + reason_of(Errc::sequence_too_long) + ": " + std::to_string(layout->real_length()) +
                " tokens, limit " + std::to_string(limit) + " (max_length of " + profile.name + ")");
}

int run(const SequenceOptionsOfTool& options) {
  if (options.path.empty() == options.ids.empty()) {
    throw UsageError("sequence: expected either a request FILE (- is standard input), or --ids FILE");
  }
  const bool as_text = options.text || options.text_all;
  if (!options.tokenizer.empty() && options.encoder_option->count() > 0) {
    throw UsageError("sequence: --tokenizer and --encoder exclude each other");
  }
  if (options.tokenizer == "-" && options.path == "-") {
    throw UsageError("sequence: the request and the tokenizer cannot both come from standard input");
  }
  if (!options.tokenizer.empty() && !options.ids.empty()) {
    throw UsageError("sequence: --tokenizer goes with a request, not with --ids");
  }
  if (!options.ids.empty()) {
    if (as_text) throw UsageError("sequence: --text goes with a request, not with --ids");
    return read_back(options);
  }
  const Prepared prepared = prepare(options);
  options.output.write(as_text ? prompts(options, prepared) : batch_report(options, prepared, encode(prepared)));
  return exit_success;
}

}  // namespace

Command add_sequence(CLI::App& tool) {
  CLI::App& app =
      add_command(tool, "sequence", "The token sequence of a request, or one read back from its ids",
                  "  hunyuan-reso sequence request.json --profile instruct-distil --format json\n"
                  "  echo '{\"prompt\": \"a cat\", \"gen\": \"16:9\", \"cfg_factor\": 2}' | hunyuan-reso sequence -\n"
                  "  echo '{\"prompt\": \"a hat\", \"cond\": [\"3024x4032\"]}' | hunyuan-reso sequence - --text\n"
                  "  hunyuan-reso sequence request.json --tokenizer tokenizer.json\n"
                  "  hunyuan-reso sequence --ids ids.txt");
  const auto options = std::make_shared<SequenceOptionsOfTool>();
  options->model.add_group(app);
  options->model.add_grid_mode(app);
  app.add_option("request", options->path, "JSON file with the request; - is standard input")->type_name("FILE");
  app.add_option("--ids", options->ids,
                 "Read a finished sequence instead: its token ids, one a line (- is standard input); says where the\n"
                 "blocks are, or at which id it is malformed")
      ->type_name("FILE");
  app.add_flag("--text", options->text, "Print the prompt as text, one <img> for each run of them");
  app.add_flag("--text-all", options->text_all, "The same with every <img>, for encoders that take one string");
  app.add_option("--tokenizer", options->tokenizer,
                 "The checkpoint's tokenizer.json: text ids are the model's, in place of a stand-in's")
      ->type_name("FILE");
  options->encoder_option =
      app.add_option("--encoder", options->encoder, "Text encoder: bytes, a stand-in that needs no vocabulary")
          ->check(one_of({"bytes"}))
          ->type_name("NAME");
  options->output.add(app, {"text", "json"});
  return {&app, [options] { return run(*options); }};
}

}  // namespace hunyuan_reso::cli
