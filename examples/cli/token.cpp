// SPDX-License-Identifier: MIT
// hunyuan-reso token: texts and ids of the special tokens, both ways, and a check of a tokenizer.
#include <hunyuan_reso/vocabulary.hpp>
#include <memory>

#include "commands.hpp"
#include "failure.hpp"
#include "id_list.hpp"
#include "options.hpp"
#include "output.hpp"
#include "vocabulary_file.hpp"

namespace hunyuan_reso::cli {
namespace {

struct TokenOptions {
  ModelOptions model;
  OutputOptions output;
  std::vector<std::string> tokens;
  bool ratio = false;
  bool size = false;
  std::string list;
  std::string verify;
};

bool is_number(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
}
/// A number over 2147483647 stays just above it.
std::int64_t value_of(const std::string& digits) { return detail::parse_decimal(digits).value; }

/// " (in instruct the id is 130103)" where another profile has the token.
std::string elsewhere(std::string_view text) {
  for (const ModelProfile* profile : profiles::all) {
    const Result<TokenId> id = find_token(*profile, text);
    if (id) return " (in " + std::string(profile->name) + " the id is " + std::to_string(*id) + ")";
  }
  return "";
}

/// The id of <img_ratio_i>, or the reason why the profile has none.
TokenId id_of_ratio(const ModelProfile& profile, std::int64_t ratio_index) {
  const Result<TokenId> id = ratio_token_id(profile, static_cast<std::size_t>(ratio_index));
  if (id) return *id;
  const std::string index = std::to_string(ratio_index);
  const std::string text = "<img_ratio_" + index + ">";
  if (id.error() == Errc::ratio_token_id_unknown) {
    throw Refusal(text + ": its id is in no published source: supply it with --ratio-token " + index + "=ID");
  }
  throw Refusal(text + ": the profile " + profile.name + " has the ratio tokens 0 .. " +
                std::to_string(ratio_token_count(profile) - 1) + " only" + elsewhere(text));
}

/// What was typed, as an id. Throws Refusal.
TokenId id_of(const std::string& typed, const TokenOptions& options, const ModelProfile& profile) {
  if (options.ratio || options.size) {
    const char* example = options.ratio ? "a ratio index, for example 33" : "a base size, for example 1024";
    if (!is_number(typed)) throw Refusal("'" + spelled(typed) + "': expected " + example);
    if (options.ratio) return id_of_ratio(profile, value_of(typed));
    const std::int64_t size = value_of(typed);
    const Result<TokenId> id = size_token_id(profile, static_cast<std::int32_t>(size > max_side ? 0 : size));
    if (!id) throw Refusal("'" + spelled(typed) + "': " + reason_of(id.error()));
    return *id;
  }
  if (is_number(typed)) {
    const std::int64_t id = value_of(typed);
    if (id <= max_side && token_text(profile, static_cast<TokenId>(id))) return static_cast<TokenId>(id);
    throw Refusal(spelled(typed) + ": expected the id of a special token of " + profile.name +
                  " (--list all shows them)");
  }
  const Result<TokenId> id = find_token(profile, typed);
  if (id) return *id;
  constexpr std::string_view ratio_prefix = "<img_ratio_";
  if (id.error() == Errc::ratio_token_id_unknown || id.error() == Errc::ratio_index_out_of_range) {
    return id_of_ratio(profile, value_of(typed.substr(ratio_prefix.size())));
  }
  if (id.error() == Errc::unknown_base_size) throw Refusal(spelled(typed) + ": " + reason_of(id.error()));
  const std::string other = elsewhere(typed);
  if (!other.empty()) throw Refusal(typed + ": the tokenizer of " + profile.name + " lacks this token" + other);
  throw Refusal("'" + spelled(typed) +
                "': expected the text of a special token, for example <img_ratio_33>, or an id, for example 130103");
}

/// What a person should know about a token, or nothing.
std::string note_on(const ModelProfile& profile, TokenId id) {
  const Result<std::size_t> index = ratio_index_of(profile, id);
  if (!index) return "";
  const TokenId guess = tokens::first_ratio + static_cast<TokenId>(*index);
  if (guess == id) return "";
  const std::string wrong = text_of_token(profile, guess);
  return "ratio token ids are not contiguous: " + std::to_string(tokens::first_ratio) + " + " + std::to_string(*index) +
         " = " + std::to_string(guess) + " is " + (wrong.empty() ? "no special token" : wrong);
}

Table tokens_table(const Selection& selection, const std::vector<TokenId>& ids) {
  const ModelProfile& profile = selection.profile();
  const std::string size =
      std::string(size_heading(selection.order)) + " at " + std::to_string(profile.trained_base_size);
  Table table({{"id", "id"},
               {"text", "text", Audience::all, true},
               {"kind", "kind", Audience::all, true},
               {"ratio_index", "bucket"},
               {"size", size, Audience::people},
               {"base_size", "base size"},
               {"note", "", Audience::all, true}});
  for (const TokenId id : ids) {
    const Result<std::size_t> ratio_index = ratio_index_of(profile, id);
    const Result<std::int32_t> base_size = base_size_of(profile, id);
    const std::string text = text_of_token(profile, id);
    const std::string note = note_on(profile, id);
    table.add({id, text.empty() ? Cell{nullptr, "-"} : Cell{text},
               ratio_index    ? "ratio"
               : base_size    ? "size"
               : text.empty() ? "text"
                              : "special",
               ratio_index ? Cell{*ratio_index} : Cell{nullptr},
               ratio_index ? Cell{selection.size(selection.group()[*ratio_index])} : Cell{nullptr},
               base_size ? Cell{*base_size} : Cell{nullptr}, note.empty() ? Cell{nullptr, " "} : Cell{note}});
  }
  return table;
}

std::vector<TokenId> listed(const std::string& which, const ModelProfile& profile) {
  std::vector<TokenId> ids;
  for (TokenId id = 0; id < profile.vocabulary_size; ++id) {
    const bool wanted = which == "ratios"  ? ratio_index_of(profile, id).has_value()
                        : which == "sizes" ? base_size_of(profile, id).has_value()
                                           : token_text(profile, id).has_value();
    if (wanted) ids.push_back(id);
  }
  return ids;
}

void write_tokens(const TokenOptions& options, const Selection& selection, const std::vector<TokenId>& ids) {
  const Table table = tokens_table(selection, ids);
  if (options.output.format == "csv") return options.output.write(table.csv());
  const char* name = selection.profile().name;
  if (options.output.format == "json") {
    return options.output.write(
        dump({{"profile", name}, {"order", name_of(selection.order)}, {"tokens", table.json()}}));
  }
  std::string text = std::string(name) + ": " + std::to_string(ids.size()) + (ids.size() == 1 ? " token" : " tokens") +
                     ". " + selection.order_sentence() + "\n\n" + table.text();
  if (options.list == "ratios") text += lines_on_unknown_ids(selection.profile());
  options.output.write(text);
}

std::string verify_text(const ModelProfile& profile, const VocabularyReport& report, const VocabularyFile& file,
                        const Table& table) {
  std::string text = std::to_string(report.checked_count) + " tokens of " + profile.name + " looked up among " +
                     std::to_string(file.size()) + ": ";
  text += report.ok() ? "all agree" : std::to_string(report.mismatch_count) + " do not agree";
  if (report.missing_count > 0) text += " (" + std::to_string(report.missing_count) + " missing)";
  text += ".\n";
  for (std::size_t i = 0; i < ratio_token_count(profile); ++i) {
    const std::string ratio = "<img_ratio_" + std::to_string(i) + ">";
    if (!ratio_token_id(profile, i) && file.find(ratio) >= 0) {
      text += "The file has " + ratio + ", whose id no release names: use --ratio-token " + std::to_string(i) + "=" +
              std::to_string(file.find(ratio)) + ".\n";
    }
  }
  if (report.ok()) return text;
  text += table.text();
  if (report.mismatch_count > table.size()) {
    text += "and " + std::to_string(report.mismatch_count - table.size()) + " more\n";
  }
  return text;
}

int verify(const TokenOptions& options, const ModelProfile& profile) {
  const VocabularyFile file(options.verify);
  const VocabularyReport report = verify_vocabulary(profile, [&](std::string_view text) { return file.find(text); });
  Table table({{"text", "token", Audience::all, true}, {"expected_id", "expected id"}, {"found_id", "found id"}});
  for (const VocabularyMismatch& mismatch : report) {
    table.add({std::string(mismatch.text.view()), mismatch.expected, id_or_none(mismatch.found, "missing")});
  }
  if (options.output.format == "csv") {
    options.output.write(table.csv());
  } else if (options.output.format == "json") {
    options.output.write(dump({{"profile", profile.name},
                               {"ok", report.ok()},
                               {"checked_count", report.checked_count},
                               {"mismatch_count", report.mismatch_count},
                               {"missing_count", report.missing_count},
                               {"unknown_count", report.unknown_count},
                               {"mismatches", table.json()}}));
  } else {
    options.output.write(verify_text(profile, report, file, table));
  }
  return report.ok() ? exit_success : exit_refused;
}

int run(const TokenOptions& options) {
  const int ways = (options.tokens.empty() ? 0 : 1) + (options.list.empty() ? 0 : 1) + (options.verify.empty() ? 0 : 1);
  if (ways != 1) throw UsageError("token: expected either tokens, or -, or --list, or --verify");
  if (options.ratio && options.size) throw UsageError("token: --ratio and --size exclude each other");
  const Selection selection = resolve_selection(options.model);
  const ModelProfile& profile = selection.profile();
  if (!options.verify.empty()) return verify(options, profile);
  std::vector<TokenId> ids;
  if (!options.list.empty()) ids = listed(options.list, profile);
  int status = exit_success;
  for (const std::string& typed : options.tokens) {
    if (typed == "-") {
      if (options.tokens.size() != 1) throw UsageError("token: '-' (standard input) goes alone, without other tokens");
      if (options.ratio || options.size) throw UsageError("token: '-' reads ids, without --ratio and --size");
      ids = parse_ids(read_file("-"), "standard input", profile.vocabulary_size).ids;
      break;
    }
    try {
      ids.push_back(id_of(typed, options, profile));
    } catch (const Refusal& refusal) {
      write_error("hunyuan-reso: " + std::string(refusal.what()) + '\n');
      status = exit_refused;
    }
  }
  if (!ids.empty() || options.output.format != "text") write_tokens(options, selection, ids);
  return status;
}

}  // namespace

Command add_token(CLI::App& tool) {
  CLI::App& app = add_command(tool, "token", "Special tokens: text to id, id to text, lists, and a tokenizer's check",
                              "  hunyuan-reso token '<img_ratio_33>' 128037\n"
                              "  hunyuan-reso token 33 34 35 36 --ratio\n"
                              "  hunyuan-reso token --list ratios --profile panorama --ratio-token 37=130108\n"
                              "  hunyuan-reso token - < ids.txt\n"
                              "  hunyuan-reso token --verify tokenizer.json");
  const auto options = std::make_shared<TokenOptions>();
  app.add_option("TOKEN", options->tokens, "Texts or ids; - reads ids from standard input, one a line")
      ->transform(as_typed())
      ->type_name("");
  options->model.add_profile(app);
  app.add_flag("--ratio", options->ratio, "The numbers given are ratio indices");
  app.add_flag("--size", options->size, "The numbers given are base sizes");
  app.add_option("--list", options->list, "List ratios, sizes or all special tokens")
      ->check(one_of({"ratios", "sizes", "all"}))
      ->type_name("WHICH");
  app.add_option("--verify", options->verify, "Compare a tokenizer's ids with the profile's (- is standard input)")
      ->type_name("FILE");
  options->output.add(app);
  return {&app, [options] { return run(*options); }};
}

}  // namespace hunyuan_reso::cli
