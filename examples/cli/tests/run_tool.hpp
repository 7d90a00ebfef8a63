// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_CLI_TESTS_RUN_TOOL_HPP
#define HUNYUAN_RESO_CLI_TESTS_RUN_TOOL_HPP

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

/// What a run of the tool left behind.
struct Run {
  int status = -1;  ///< exit status; 128 and the signal's number where a signal ended it
  std::string out;
  std::string err;
};

/// An empty folder of this process, removed at the end.
[[nodiscard]] const std::filesystem::path& scratch();

/// Runs `hunyuan-reso ARGUMENTS` (shell syntax) with a text on standard input.
[[nodiscard]] Run run_tool(const std::string& arguments, const std::string& input = "");
/// Runs a shell command in which $TOOL is the tool.
[[nodiscard]] Run run_shell(const std::string& command);

[[nodiscard]] std::string read_text(const std::filesystem::path& path);
void write_text(const std::filesystem::path& path, const std::string& text);

[[nodiscard]] std::vector<std::string> split(const std::string& text, char separator);
/// Lines without their line feeds; the text must end with one.
[[nodiscard]] std::vector<std::string> lines_of(const std::string& text);
[[nodiscard]] bool contains(const std::string& text, const std::string& part);
/// A small check of XML: tags close in order, attributes are quoted, no stray markup characters.
[[nodiscard]] bool is_well_formed(const std::string& xml);
/// Fails the test where the text is no JSON.
[[nodiscard]] nlohmann::json parse_json(const std::string& text);

#endif  // HUNYUAN_RESO_CLI_TESTS_RUN_TOOL_HPP
