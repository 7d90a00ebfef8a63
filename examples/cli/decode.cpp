// SPDX-License-Identifier: MIT
// hunyuan-reso decode: token ids to texts.
#include <memory>

#include "commands.hpp"
#include "failure.hpp"
#include "id_list.hpp"
#include "options.hpp"
#include "output.hpp"
#include "text_lines.hpp"
#include "tokenizer_file.hpp"

namespace hunyuan_reso::cli {
namespace {

struct DecodeOptions {
  ModelOptions model;
  std::string tokenizer;
  std::vector<std::string> ids;
  std::string out;
  bool json_lines = false;
  bool skip_special = false;
  bool any_vocabulary = false;
};

/// Turns lists of ids into texts, and counts the ids that are no token.
class Decoder {
 public:
  Decoder(const DecodeOptions& options, text::Tokenizer tokenizer)
      : options_(options), tokenizer_(std::move(tokenizer)) {}

  /// The answer to one list.
  std::string operator()(std::string_view list) {
    std::vector<TokenId> ids;
    if (options_.json_lines) {
      const Json json = Json::parse(list, nullptr, false);
      if (!json.is_array()) throw Refusal("expected a JSON array of ids, but got '" + spelled(list) + "'");
      for (const Json& id : json) ids.push_back(id_of(id));
    } else if (list.find_first_not_of(" \t[]") != std::string_view::npos) {
      ids = parse_ids(list, "the ids", max_side).ids;
    }
    for (const TokenId id : ids) {
      if (tokenizer_.token_bytes(id).empty()) ++unknown_count_;
    }
    std::string text = tokenizer_.decode(ids, options_.skip_special);
    return options_.json_lines ? Json(std::move(text)).dump() : text;
  }
  [[nodiscard]] std::size_t unknown_count() const { return unknown_count_; }

 private:
  static TokenId id_of(const Json& json) {
    const bool is_id = json.is_number_unsigned() && json.get<std::uint64_t>() <= std::uint64_t{max_side};
    if (!is_id) throw Refusal("expected an id, a whole number from 0 on, but got " + spelled(json.dump()));
    return static_cast<TokenId>(json.get<std::uint64_t>());
  }

  const DecodeOptions& options_;
  text::Tokenizer tokenizer_;
  std::size_t unknown_count_ = 0;
};

int run(const DecodeOptions& options) {
  if (options.ids.empty()) throw UsageError("decode: expected ids, or - for lines of ids from standard input");
  if (options.tokenizer == "-") throw UsageError("decode: the tokenizer comes from a file, not from standard input");
  Decoder decoder(options, load_tokenizer(options.tokenizer, resolve_profile(options.model), options.any_vocabulary));
  Output output(options.out);
  int status = exit_success;
  if (options.ids.size() == 1 && options.ids[0] == "-") {
    status = LineAnswers(output).run(std::ref(decoder));
  } else {
    std::string list;
    for (const std::string& part : options.ids) list += (list.empty() ? "" : " ") + part;
    output.write(decoder(list) + '\n');
  }
  output.finish();
  if (decoder.unknown_count() > 0) {
    write_error("hunyuan-reso: " + std::to_string(decoder.unknown_count()) +
                " ids that are no token were passed over, as the reference library does\n");
  }
  return status;
}

}  // namespace

Command add_decode(CLI::App& tool) {
  CLI::App& app = add_command(tool, "decode", "Token ids to texts, by the tokenizer.json of a checkpoint",
                              "  hunyuan-reso decode --tokenizer tokenizer.json 64 8415 128000\n"
                              "  hunyuan-reso decode --tokenizer tokenizer.json --json-lines - < ids.jsonl");
  const auto options = std::make_shared<DecodeOptions>();
  app.add_option("ID", options->ids, "Ids of one text, also as a list in brackets; - reads the ids of a text a line")
      ->transform(as_typed())
      ->type_name("");
  app.add_option("--tokenizer", options->tokenizer, "The tokenizer.json")->required()->type_name("FILE");
  options->model.add_profile(app);
  app.add_flag("--json-lines", options->json_lines,
               "Lists are JSON arrays and texts JSON strings; a refused line is answered with null");
  app.add_flag("--skip-special", options->skip_special, "Leave special tokens out of the text");
  app.add_flag("--any-vocabulary", options->any_vocabulary,
               "Take a tokenizer whose special tokens are not the profile's");
  app.add_option("--out", options->out, "Write to a file, which appears whole or not at all")->type_name("FILE");
  return {&app, [options] { return run(*options); }};
}

}  // namespace hunyuan_reso::cli
