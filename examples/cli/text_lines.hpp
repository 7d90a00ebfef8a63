// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_CLI_TEXT_LINES_HPP
#define HUNYUAN_RESO_CLI_TEXT_LINES_HPP

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "output.hpp"

namespace hunyuan_reso::cli {

/// Answers a line with a line, from standard input to an output, so that a program can ask and wait for each answer.
/// Memory is that of the longest line, of at most 256 MiB.
class LineAnswers {
 public:
  explicit LineAnswers(Output& output) : output_(output) {}

  /// `answer` gets a line without its LF or CRLF and returns the line to write. What it throws as Refusal is reported
  /// with the number of the line (the first ten in full), and "null" is the answer. Returns the exit status.
  [[nodiscard]] int run(const std::function<std::string(std::string_view)>& answer);

 private:
  void answer_line(std::string_view line, const std::function<std::string(std::string_view)>& answer);

  Output& output_;
  std::uint64_t line_ = 0;
  std::uint64_t refused_ = 0;
};

}  // namespace hunyuan_reso::cli

#endif  // HUNYUAN_RESO_CLI_TEXT_LINES_HPP
