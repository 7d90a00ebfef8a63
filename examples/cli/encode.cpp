// SPDX-License-Identifier: MIT
// hunyuan-reso encode: texts to token ids.
#include <memory>

#include "commands.hpp"
#include "failure.hpp"
#include "options.hpp"
#include "output.hpp"
#include "text_lines.hpp"
#include "tokenizer_file.hpp"

namespace hunyuan_reso::cli {
namespace {

struct EncodeOptions {
  ModelOptions model;
  std::string tokenizer;
  std::vector<std::string> texts;
  std::string out;
  bool json_lines = false;
  bool any_vocabulary = false;
};

/// "[9,42]".
std::string list_of(const std::vector<TokenId>& ids) {
  std::string list = "[";
  for (const TokenId id : ids) {
    if (list.size() > 1) list += ',';
    list += std::to_string(id);
  }
  return list + ']';
}

/// The text that a line holds as a JSON string.
std::string text_in_json(std::string_view line) {
  try {
    const Json json = Json::parse(line);
    if (json.is_string()) return json.get<std::string>();
  } catch (const Json::parse_error& error) {
    throw Refusal("expected a JSON string, and it is malformed at byte " + std::to_string(error.byte));
  } catch (const Json::exception&) {  // a number that fits nowhere
  }
  throw Refusal("expected a JSON string, but got '" + spelled(line) + "'");
}

int run(const EncodeOptions& options) {
  if (options.texts.empty()) throw UsageError("encode: expected texts, or - for lines from standard input");
  if (options.tokenizer == "-") throw UsageError("encode: the tokenizer comes from a file, not from standard input");
  const bool reads_lines = options.texts.size() == 1 && options.texts[0] == "-";
  const text::Tokenizer tokenizer =
      load_tokenizer(options.tokenizer, resolve_profile(options.model), options.any_vocabulary);
  const auto answer = [&](std::string_view line) {
    return list_of(options.json_lines ? tokenizer.encode(text_in_json(line)) : tokenizer.encode(line));
  };
  Output output(options.out);
  int status = exit_success;
  if (reads_lines) {
    status = LineAnswers(output).run(answer);
  } else {
    for (const std::string& text : options.texts) output.write(answer(text) + '\n');
  }
  output.finish();
  return status;
}

}  // namespace

Command add_encode(CLI::App& tool) {
  CLI::App& app = add_command(tool, "encode", "Texts to token ids, by the tokenizer.json of a checkpoint",
                              "  hunyuan-reso encode --tokenizer tokenizer.json 'a cat <boi>'\n"
                              "  hunyuan-reso encode --tokenizer tokenizer.json - < prompts.txt\n"
                              "  hunyuan-reso encode --tokenizer tokenizer.json --json-lines - < prompts.jsonl");
  const auto options = std::make_shared<EncodeOptions>();
  app.add_option("TEXT", options->texts, "Texts, each answered with a line; - reads a text a line")
      ->transform(as_typed())
      ->type_name("");
  app.add_option("--tokenizer", options->tokenizer, "The tokenizer.json")->required()->type_name("FILE");
  options->model.add_profile(app);
  app.add_flag("--json-lines", options->json_lines,
               "Texts are JSON strings, so that one may hold line feeds; a refused line is answered with null");
  app.add_flag("--any-vocabulary", options->any_vocabulary,
               "Take a tokenizer whose special tokens are not the profile's");
  app.add_option("--out", options->out, "Write to a file, which appears whole or not at all")->type_name("FILE");
  return {&app, [options] { return run(*options); }};
}

}  // namespace hunyuan_reso::cli
