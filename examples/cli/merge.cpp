// SPDX-License-Identifier: MIT
// hunyuan-reso merge: the summaries of several lists as if they were one.
#include <memory>
#include <sstream>

#include "checked_json.hpp"
#include "commands.hpp"
#include "encoding.hpp"
#include "failure.hpp"
#include "options.hpp"
#include "output.hpp"
#include "snap_statistics.hpp"

namespace hunyuan_reso::cli {
namespace {

struct MergeOptions {
  OutputOptions output;
  std::vector<std::string> files;
};

/// The documents of a file, which may hold several one after another; the places where they end.
std::vector<std::string> split_documents(const std::string& text) {
  std::vector<std::string> documents;
  int depth = 0;
  bool in_text = false;
  std::size_t start = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_text) {
      if (c == '\\') ++i;
      if (c == '"') in_text = false;
      continue;
    }
    if (c == '"') in_text = true;
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) {
      documents.push_back(text.substr(start, i + 1 - start));
      start = i + 1;
    }
  }
  if (text.find_first_not_of(" \t\r\n", start) != std::string::npos) documents.push_back(text.substr(start));
  return documents;
}

int run(const MergeOptions& options) {
  std::unique_ptr<SnapStatistics> all;
  for (const std::string& file : options.files) {
    const std::string name = file == "-" ? "standard input" : "'" + printable(file) + "'";
    const std::string text = read_file(file);
    if (const std::string fault = encoding_fault(text); !fault.empty()) throw Refusal(name + ": " + fault);
    const std::vector<std::string> documents = split_documents(text);
    if (documents.empty()) throw Refusal(name + ": it is empty, expected what snap --summary-json writes");
    for (std::size_t i = 0; i < documents.size(); ++i) {
      const std::string place = documents.size() == 1 ? name : name + ", document " + std::to_string(i + 1);
      const SnapStatistics part = SnapStatistics::from_json(parse_json(documents[i], place), place);
      if (all) {
        all->merge(part, place);
      } else {
        all = std::make_unique<SnapStatistics>(part);
      }
    }
  }
  if (options.output.format == "json") {
    options.output.write(dump(all->mergeable()));
  } else {
    options.output.write(options.output.format == "csv" ? all->csv() : all->text());
  }
  return exit_success;
}

}  // namespace

Command add_merge(CLI::App& tool) {
  CLI::App& app =
      add_command(tool, "merge", "Joins summaries of lists, as if the lists were one",
                  "  hunyuan-reso snap --from csv part1.csv --summary-json --out 1.json\n"
                  "  hunyuan-reso snap --from csv part2.csv --summary-json --out 2.json\n"
                  "  hunyuan-reso merge 1.json 2.json\n\n"
                  "The summaries must be of the same buckets, filters and reports. A file may hold several,\n"
                  "one after another; - is standard input. --format json can be merged again.");
  const auto options = std::make_shared<MergeOptions>();
  app.add_option("FILE", options->files, "What snap --summary-json or --summary-out wrote, in the order of the lists")
      ->required()
      ->type_name("");
  options->output.add(app);
  return {&app, [options] { return run(*options); }};
}

}  // namespace hunyuan_reso::cli
