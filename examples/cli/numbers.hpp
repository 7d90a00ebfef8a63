// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_CLI_NUMBERS_HPP
#define HUNYUAN_RESO_CLI_NUMBERS_HPP

#include <CLI/CLI.hpp>
#include <cstdint>
#include <memory>
#include <string>

namespace hunyuan_reso::cli {

// Numbers are decimal everywhere: 010 is ten, and 0x10, 1e3 and 5,0 are refused. CLI11 would read the first two as
// eight and sixteen, so that options keep their text.

/// A whole number; `name` is the option, for the message. Throws UsageError for a text that is no number, Refusal for
/// a number that is out of range.
[[nodiscard]] std::int64_t read_whole(const std::string& name, const std::string& text, std::int64_t least,
                                      std::int64_t most);
/// Digits, and digits behind a point where there are any; likewise.
[[nodiscard]] double read_decimal(const std::string& name, const std::string& text, double least, double most);

/// An option that takes one number.
class NumberOption {
 public:
  void add(CLI::App& app, const std::string& name, const std::string& description, const std::string& type_name);
  [[nodiscard]] bool given() const { return option_ != nullptr && option_->count() > 0; }
  [[nodiscard]] std::int64_t whole(std::int64_t least, std::int64_t most) const {
    return read_whole(name_, *text_, least, most);
  }
  [[nodiscard]] double decimal(double least, double most) const { return read_decimal(name_, *text_, least, most); }

 private:
  std::string name_;
  std::shared_ptr<std::string> text_ = std::make_shared<std::string>();
  CLI::Option* option_ = nullptr;
};

}  // namespace hunyuan_reso::cli

#endif  // HUNYUAN_RESO_CLI_NUMBERS_HPP
