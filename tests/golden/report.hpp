// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_TESTS_GOLDEN_REPORT_HPP
#define HUNYUAN_RESO_TESTS_GOLDEN_REPORT_HPP

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "json.hpp"

namespace hunyuan_reso_test {

/// What a checker found in one golden file.
class Report {
 public:
  /// A new case; `where` comes in front of its failures.
  void begin_case(std::string where) {
    ++cases_;
    where_ = std::move(where);
  }
  /// Cases that need no place of their own.
  void add_cases(std::size_t count) { cases_ += count; }

  void fail(const std::string& text) {
    ++failure_count_;
    if (failures_.size() < 20) failures_.push_back(where_.empty() ? text : where_ + ": " + text);
  }
  void equal(std::int64_t actual, std::int64_t expected, const char* what) {
    if (actual == expected) return;
    fail(std::string(what) + " is " + std::to_string(actual) + ", expected " + std::to_string(expected));
  }
  void is_true(bool condition, const char* what) {
    if (!condition) fail(what);
  }
  /// A recorded case that says nothing about this library, and why; not counted as a case.
  void not_applicable(const std::string& why) { ++notes_["not applicable: " + why]; }
  /// A case that is checked, but where the library differs on purpose.
  void deliberate(const std::string& why) { ++notes_["deliberate difference: " + why]; }

  std::size_t cases() const { return cases_; }
  std::size_t failure_count() const { return failure_count_; }
  const std::vector<std::string>& failures() const { return failures_; }  ///< the first ones
  const std::map<std::string, std::size_t>& notes() const { return notes_; }

 private:
  std::size_t cases_ = 0;
  std::size_t failure_count_ = 0;
  std::string where_{};
  std::vector<std::string> failures_{};
  std::map<std::string, std::size_t> notes_{};
};

/// Says which golden file a function checks. One line beside the function registers it:
///     const Registration registration{"groups.json", check_groups};
class Registration {
 public:
  using Checker = void (*)(const Json& root, Report& report);
  Registration(const char* file, Checker checker) { all()[file] = checker; }
  static std::map<std::string, Checker>& all() {
    static std::map<std::string, Checker> checkers;
    return checkers;
  }
};

}  // namespace hunyuan_reso_test

#endif  // HUNYUAN_RESO_TESTS_GOLDEN_REPORT_HPP
