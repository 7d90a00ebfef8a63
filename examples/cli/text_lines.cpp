// SPDX-License-Identifier: MIT
#include "text_lines.hpp"

#include "encoding.hpp"
#include "failure.hpp"

namespace hunyuan_reso::cli {
namespace {

constexpr std::size_t block_size = std::size_t{1} << 18U;
constexpr std::size_t longest_line = std::size_t{1} << 28U;
constexpr std::uint64_t reported = 10;

}  // namespace

void LineAnswers::answer_line(std::string_view line, const std::function<std::string(std::string_view)>& answer) {
  ++line_;
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  std::string text = "null";
  try {
    text = answer(line);
  } catch (const Refusal& refusal) {
    if (refused_++ < reported) {
      write_error("hunyuan-reso: line " + std::to_string(line_) + ": " + refusal.what() + '\n');
    }
  }
  output_.write(text);
  output_.write("\n");
}

int LineAnswers::run(const std::function<std::string(std::string_view)>& answer) {
  std::string waiting;
  std::string block(block_size, '\0');
  bool is_first = true;
  while (const std::size_t count = read_some(0, block.data(), block_size)) {
    std::string_view rest(block.data(), count);
    if (is_first) {
      const std::string fault = encoding_fault(rest);
      if (fault.find("iconv") != std::string::npos) throw Refusal("standard input: " + fault);
      if (rest.substr(0, 3) == "\xEF\xBB\xBF") rest.remove_prefix(3);
      is_first = false;
    }
    for (std::size_t end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
      if (waiting.empty()) {
        answer_line(rest.substr(0, end), answer);
      } else {
        answer_line(waiting.append(rest.substr(0, end)), answer);
        waiting.clear();
      }
      rest.remove_prefix(end + 1);
    }
    waiting.append(rest);
    if (waiting.size() > longest_line) {
      throw Refusal("line " + std::to_string(line_ + 1) + ": expected at most 268435456 bytes");
    }
    if (count < block_size) output_.flush();
  }
  if (!waiting.empty()) answer_line(waiting, answer);
  if (refused_ > reported) {
    write_error("hunyuan-reso: and " + std::to_string(refused_ - reported) + " more lines were refused\n");
  }
  return refused_ == 0 ? exit_success : exit_refused;
}

}  // namespace hunyuan_reso::cli
