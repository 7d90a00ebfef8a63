// SPDX-License-Identifier: MIT
#include "numbers.hpp"

#include <cstdlib>

#include "failure.hpp"

namespace hunyuan_reso::cli {
namespace {

constexpr std::int64_t beyond = std::int64_t{1} << 53;  // over every limit, and exact as a double

/// Digits with or without a minus sign; a value over `beyond` stays there.
bool parse_whole(const std::string& text, std::int64_t& value) {
  const std::size_t start = !text.empty() && text[0] == '-' ? 1 : 0;
  if (text.size() == start) return false;
  value = 0;
  for (std::size_t i = start; i < text.size(); ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    if (value < beyond) value = value * 10 + (text[i] - '0');
  }
  if (value > beyond) value = beyond;
  if (start == 1) value = -value;
  return true;
}

/// Digits, with or without a minus sign and a point between two of them.
bool is_decimal(const std::string& text) {
  const std::size_t start = !text.empty() && text[0] == '-' ? 1 : 0;
  const std::size_t point = text.find('.', start);
  const auto all_digits = [](const std::string& part) {
    return !part.empty() && part.find_first_not_of("0123456789") == std::string::npos;
  };
  if (point == std::string::npos) return all_digits(text.substr(start));
  return all_digits(text.substr(start, point - start)) && all_digits(text.substr(point + 1));
}

/// 1 as "1", 2.5 as "2.5".
std::string short_number(double value) {
  std::string text = std::to_string(value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

[[noreturn]] void refuse_text(const std::string& name, const std::string& text, std::string expected) {
  if (text.find(',') != std::string::npos) expected += ", without commas";
  throw UsageError(name + ": expected " + expected + ", but got '" + spelled(text) + "'");
}

}  // namespace

std::int64_t read_whole(const std::string& name, const std::string& text, std::int64_t least, std::int64_t most) {
  std::int64_t value = 0;
  if (!parse_whole(text, value)) refuse_text(name, text, "a whole number in decimal digits");
  if (value >= least && value <= most) return value;
  throw Refusal(name + " " + spelled(text) + ": expected a whole number from " + std::to_string(least) + " to " +
                std::to_string(most));
}

double read_decimal(const std::string& name, const std::string& text, double least, double most) {
  if (!is_decimal(text)) refuse_text(name, text, "a number such as 2.5, in decimal digits with a point");
  const double value = std::strtod(text.c_str(), nullptr);
  if (value >= least && value <= most) return value;
  throw Refusal(name + " " + spelled(text) + ": expected a number from " + short_number(least) + " to " +
                short_number(most));
}

void NumberOption::add(CLI::App& app, const std::string& name, const std::string& description,
                       const std::string& type_name) {
  name_ = name;
  option_ = app.add_option(name, *text_, description)->type_name(type_name);
}

}  // namespace hunyuan_reso::cli
