// SPDX-License-Identifier: MIT
#include "tokenizer_file.hpp"

#include <hunyuan_reso/vocabulary.hpp>

#include "encoding.hpp"
#include "failure.hpp"
#include "output.hpp"

namespace hunyuan_reso::cli {
namespace {

constexpr std::size_t named = 3;  // of what there may be many

VocabularyReport verified(const ModelProfile& profile, const text::Tokenizer& tokenizer) {
  return verify_vocabulary(profile, [&](std::string_view token) { return tokenizer.token_to_id(token); });
}

/// "<boi> has the id 5, expected 128000; <eoi> is missing; and 4 more".
std::string mismatches_text(const VocabularyReport& report) {
  std::string text;
  std::size_t count = 0;
  for (const VocabularyMismatch& mismatch : report) {
    if (count++ == named) break;
    text += (count == 1 ? "" : "; ") + std::string(mismatch.text.view());
    text += mismatch.found ? " has the id " + std::to_string(*mismatch.found) : std::string(" is missing");
    text += ", expected " + std::to_string(mismatch.expected);
  }
  if (report.mismatch_count > named) text += "; and " + std::to_string(report.mismatch_count - named) + " more";
  return text;
}

void require_vocabulary(const std::string& name, const ModelProfile& profile, const text::Tokenizer& tokenizer) {
  const VocabularyReport report = verified(profile, tokenizer);
  if (report.ok()) return;
  std::string reason = name + ": " + std::to_string(report.mismatch_count) + " of " +
                       std::to_string(report.checked_count) + " special tokens are not those of the profile " +
                       profile.name + ": " + mismatches_text(report);
  for (const ModelProfile* other : profiles::all) {
    if (!verified(*other, tokenizer).ok()) continue;
    reason += ". They are those of " + std::string(other->name) + ": use --profile " + other->name;
    break;
  }
  throw Refusal(reason);
}

}  // namespace

std::string reason_of(const text::TextError& error) {
  return std::string(text::message(error.code)) + ": byte " + std::to_string(error.position + 1) + ": " +
         printable(error.what, 300);
}

std::string sentences_on_ids(const text::Tokenizer& tokenizer) {
  std::string text;
  std::size_t count = 0;
  for (const text::AddedTokenIdDifference& difference : tokenizer.id_differences()) {
    if (count++ == named) break;
    text += (count == 1 ? "" : "; ") + printable(difference.content) + " is written with the id " +
            std::to_string(difference.written) + " and gets " + std::to_string(difference.actual);
  }
  if (count > named) text += "; and " + std::to_string(tokenizer.id_differences().size() - named) + " more";
  return text.empty() ? text : text + " (as in the reference library)";
}

text::Tokenizer load_tokenizer(const std::string& path, const ModelProfile& profile, bool any_vocabulary) {
  const std::string name = path == "-" ? "standard input" : "'" + printable(path) + "'";
  const std::string file = read_file(path);
  const std::string fault = encoding_fault(file);
  if (!fault.empty()) throw Refusal(name + ": " + fault);
  const text::TextResult<text::Tokenizer> tokenizer = text::Tokenizer::from_json(file);
  if (!tokenizer) throw Refusal(name + ": " + reason_of(tokenizer.error()));
  const std::string differences = sentences_on_ids(*tokenizer);
  if (!differences.empty()) write_error("hunyuan-reso: " + name + ": " + differences + '\n');
  if (!any_vocabulary) require_vocabulary(name, profile, *tokenizer);
  return *tokenizer;
}

}  // namespace hunyuan_reso::cli
