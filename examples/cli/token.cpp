// SPDX-License-Identifier: MIT
// hunyuan-reso token: texts and ids of the special tokens, both ways, and a check of a tokenizer.
#include <hunyuan_reso/vocabulary.hpp>
#include <memory>

#include "commands.hpp"
#include "failure.hpp"
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

constexpr TokenId first_ratio_token = 128044;

[[nodiscard]] std::int64_t whole_number(const std::string& text) {
  const detail::Decimal number = detail::parse_decimal(text);
  return number.digits != 0 && number.digits == text.size() ? number.value : -1;
}

/// The id of <img_ratio_i>, or the reason why the profile has none.
TokenId id_of_ratio(const ModelProfile& profile, std::size_t ratio_index) {
  const Result<TokenId> id = require_ratio_token_id(profile, ratio_index);
  if (id) return *id;
  const std::string text = "<img_ratio_" + std::to_string(ratio_index) + ">";
  if (id.error() == Errc::ratio_token_id_unknown) {
    throw Refusal(text + ": its id is in no published source: supply it with --ratio-token " +
                  std::to_string(ratio_index) + "=ID");
  }
  std::string reason = text + ": the profile " + profile.name + " has the ratio tokens 0 .. " +
                       std::to_string(profile.ratio_token_count() - 1) + " only";
  if (const std::optional<TokenId> elsewhere = find_token(text)) {
    reason += " (elsewhere the id is " + std::to_string(*elsewhere) + ")";
  }
  throw Refusal(reason);
}

/// What was typed, as an id. Throws Refusal.
TokenId id_of(const std::string& typed, const TokenOptions& options, const ModelProfile& profile) {
  const std::int64_t number = whole_number(typed);
  if (options.ratio) {
    if (number < 0) throw Refusal("'" + printable(typed) + "': expected a ratio index, for example 33");
    return id_of_ratio(profile, static_cast<std::size_t>(number));
  }
  if (options.size) {
    const std::optional<TokenId> id = size_token_id(static_cast<std::int32_t>(number <= max_side ? number : -1));
    if (!id) throw Refusal("'" + printable(typed) + "': " + std::string(message(Errc::unknown_base_size)));
    return *id;
  }
  if (number >= 0) {
    const TokenId id = number < profile.vocabulary_size ? static_cast<TokenId>(number) : invalid_token_id;
    if (!token_text_in(profile, id).empty()) return id;
    throw Refusal(typed + ": expected the id of a special token (127957, 127958, 128000 .. 130107)");
  }
  constexpr std::string_view ratio_prefix = "<img_ratio_";
  const bool is_ratio = detail::starts_with(typed, ratio_prefix) && typed.back() == '>';
  if (is_ratio) {
    const std::string digits = typed.substr(ratio_prefix.size(), typed.size() - ratio_prefix.size() - 1);
    const std::int64_t index = whole_number(digits);
    if (index >= 0 && digits == std::to_string(index)) return id_of_ratio(profile, static_cast<std::size_t>(index));
  }
  if (const std::optional<TokenId> id = find_token(typed)) return *id;
  throw Refusal("'" + printable(typed) +
                "': expected the text of a special token, for example <img_ratio_33>, or an id, for example 130103");
}

/// What a person should know about a token, or nothing.
std::string note_on(const ModelProfile& profile, TokenId id) {
  if (const std::optional<std::size_t> index = ratio_index_of(profile, id)) {
    const TokenId guess = first_ratio_token + static_cast<TokenId>(*index);
    if (guess == id) return "";
    const std::string wrong(token_text(guess).view());
    return "ratio token ids are not contiguous: 128044 + " + std::to_string(*index) + " = " + std::to_string(guess) +
           " is " + (wrong.empty() ? "no special token" : wrong);
  }
  if (id >= profile.required_tokens_end) {
    return std::string("the tokenizer of ") + profile.name + " may lack this token";
  }
  return "";
}

Table tokens_table(const ModelProfile& profile, const std::vector<TokenId>& ids) {
  const Result<ResolutionGroup> group = make_group(profile, profile.trained_base_size);
  Table table({{"id", "id"},
               {"text", "text", Audience::all, true},
               {"kind", "kind", Audience::all, true},
               {"ratio_index", "row"},
               {"size", "height x width at 1024", Audience::people},
               {"base_size", "base size"},
               {"note", "", Audience::all, true}});
  for (const TokenId id : ids) {
    const std::optional<std::size_t> ratio_index = ratio_index_of(profile, id);
    const std::optional<std::int32_t> base_size = base_size_of(id);
    const std::string note = note_on(profile, id);
    table.add({id, token_text_in(profile, id),
               ratio_index ? "ratio"
               : base_size ? "size"
                           : "special",
               ratio_index ? Cell{*ratio_index} : Cell{nullptr},
               ratio_index ? Cell{size_text((*group)[*ratio_index])} : Cell{nullptr},
               base_size ? Cell{*base_size} : Cell{nullptr}, note.empty() ? Cell{nullptr, " "} : Cell{note}});
  }
  return table;
}

std::vector<TokenId> listed(const std::string& which, const ModelProfile& profile) {
  std::vector<TokenId> ids;
  for (TokenId id = 0; id < profile.vocabulary_size; ++id) {
    const bool is_ratio = ratio_index_of(profile, id).has_value();
    const bool is_size = base_size_of(id).has_value();
    const bool wanted = which == "ratios" ? is_ratio : which == "sizes" ? is_size : is_ratio || !token_text(id).empty();
    if (wanted) ids.push_back(id);
  }
  return ids;
}

void write_tokens(const TokenOptions& options, const ModelProfile& profile, const std::vector<TokenId>& ids) {
  const Table table = tokens_table(profile, ids);
  if (options.output.format == "csv") return options.output.write(table.csv());
  if (options.output.format == "json") {
    return options.output.write(dump({{"profile", profile.name}, {"tokens", table.json()}}));
  }
  std::string text = table.text();
  for (std::size_t i = 0; options.list == "ratios" && i < profile.ratio_token_count(); ++i) {
    if (ratio_token_id(profile, i)) continue;
    text += "The id of <img_ratio_" + std::to_string(i) + "> is in no published source: supply it with --ratio-token " +
            std::to_string(i) + "=ID.\n";
  }
  options.output.write(text);
}

int verify(const TokenOptions& options, const ModelProfile& profile) {
  const VocabularyFile file(options.verify);
  const VocabularyReport report = verify_vocabulary(profile, [&](std::string_view text) { return file.find(text); });
  Table table({{"text", "token", Audience::all, true}, {"expected_id", "expected id"}, {"found_id", "found id"}});
  report.for_each_mismatch([&](const VocabularyMismatch& mismatch) {
    table.add({std::string(mismatch.text.view()), mismatch.expected, id_or_none(mismatch.found, "missing")});
  });
  if (options.output.format == "csv") {
    options.output.write(table.csv());
  } else if (options.output.format == "json") {
    options.output.write(dump({{"profile", profile.name},
                               {"ok", report.ok()},
                               {"checked_count", report.checked_count()},
                               {"mismatch_count", report.mismatch_count()},
                               {"missing_count", report.missing_count()},
                               {"optional_missing_count", report.optional_missing_count()},
                               {"mismatches", table.json()}}));
  } else {
    std::string text = std::to_string(report.checked_count()) + " tokens of " + profile.name + " looked up among " +
                       std::to_string(file.size()) + ": ";
    text += report.ok() ? "all agree" : std::to_string(report.mismatch_count()) + " do not agree";
    if (report.missing_count() > 0) text += " (" + std::to_string(report.missing_count()) + " missing)";
    if (report.optional_missing_count() > 0) {
      text += ", " + std::to_string(report.optional_missing_count()) + " late ones are missing, as they may be";
    }
    text += ".\n";
    for (std::size_t i = 0; i < profile.ratio_token_count(); ++i) {
      const std::string ratio = "<img_ratio_" + std::to_string(i) + ">";
      if (!ratio_token_id(profile, i) && file.find(ratio) >= 0) {
        text += "The file has " + ratio + ": use --ratio-token " + std::to_string(i) + "=" +
                std::to_string(file.find(ratio)) + ".\n";
      }
    }
    if (!report.ok()) text += table.text();
    options.output.write(text);
  }
  return report.ok() ? exit_success : exit_refused;
}

int run(const TokenOptions& options) {
  const int ways = (options.tokens.empty() ? 0 : 1) + (options.list.empty() ? 0 : 1) + (options.verify.empty() ? 0 : 1);
  if (ways != 1) throw UsageError("token: expected either tokens, or --list, or --verify");
  if (options.ratio && options.size) throw UsageError("token: --ratio and --size exclude each other");
  const ModelProfile profile = resolve_profile(options.model);
  if (!options.verify.empty()) return verify(options, profile);
  std::vector<TokenId> ids;
  if (!options.list.empty()) ids = listed(options.list, profile);
  int status = exit_success;
  for (const std::string& typed : options.tokens) {
    try {
      ids.push_back(id_of(typed, options, profile));
    } catch (const Refusal& refusal) {
      write_error("hunyuan-reso: " + std::string(refusal.what()) + '\n');
      status = exit_refused;
    }
  }
  if (!ids.empty() || options.output.format != "text") write_tokens(options, profile, ids);
  return status;
}

}  // namespace

Command add_token(CLI::App& tool) {
  CLI::App& app = add_command(tool, "token", "Special tokens: text to id, id to text, lists, and a tokenizer's check",
                              "  hunyuan-reso token '<img_ratio_33>' 128037\n"
                              "  hunyuan-reso token 33 34 35 36 --ratio\n"
                              "  hunyuan-reso token --list ratios --profile panorama --ratio-token 37=130108\n"
                              "  hunyuan-reso token --verify tokenizer.json");
  const auto options = std::make_shared<TokenOptions>();
  app.add_option("TOKEN", options->tokens, "Texts or ids")->type_name("");
  options->model.add_profile(app);
  app.add_flag("--ratio", options->ratio, "The numbers given are ratio indices");
  app.add_flag("--size", options->size, "The numbers given are base sizes");
  app.add_option("--list", options->list, "List ratios, sizes or all special tokens")
      ->check(CLI::IsMember({"ratios", "sizes", "all"}).description(""))
      ->type_name("WHICH");
  app.add_option("--verify", options->verify,
                 "Compare a tokenizer's ids with the published table (- is standard input)")
      ->type_name("FILE");
  options->output.add(app);
  return {&app, [options] { return run(*options); }};
}

}  // namespace hunyuan_reso::cli
