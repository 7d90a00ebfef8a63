// SPDX-License-Identifier: MIT
// Checks the library against every golden file of a folder: the one of the source tree, or the one that the environment
// variable HUNYUAN_RESO_GOLDEN_DIR names.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <set>
#include <string>

#include "report.hpp"

namespace hunyuan_reso_test {
namespace {

std::set<std::string> json_files(const std::string& folder) {
  std::set<std::string> names;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".json") names.insert(entry.path().filename().string());
  }
  return names;
}

void check_file(const std::string& folder, const std::string& name, Registration::Checker checker) {
  Report report;
  try {
    const JsonFile file((std::filesystem::path(folder) / name).string());
    checker(file.root(), report);
  } catch (const std::exception& error) {
    report.fail(std::string("the file is malformed: ") + error.what());
  }
  std::printf("%s: %zu cases\n", name.c_str(), report.cases());
  for (const auto& [note, count] : report.notes()) std::printf("    %zu %s\n", count, note.c_str());
  if (report.cases() == 0) report.fail("the file has no cases");
  for (const std::string& failure : report.failures()) FAIL_CHECK(name << ": " << failure);
  if (report.failure_count() > report.failures().size()) {
    FAIL_CHECK(name << ": " << report.failure_count() << " failures in all");
  }
  CHECK(report.failure_count() == 0);
}

TEST_CASE("golden files") {
  const char* given = std::getenv("HUNYUAN_RESO_GOLDEN_DIR");
  const std::string folder = given != nullptr ? given : HUNYUAN_RESO_TEST_DATA_DIR;
  const std::set<std::string> names = json_files(folder);
  if (names.empty()) FAIL("no JSON file in the folder '" << folder << "'");
  for (const std::string& name : names) {
    const auto found = Registration::all().find(name);
    if (found == Registration::all().end()) {
      std::printf("%s: ignored\n", name.c_str());
    } else {
      check_file(folder, name, found->second);
    }
  }
  if (given != nullptr) return;
  for (const auto& entry : Registration::all()) {
    CHECK_MESSAGE(names.count(entry.first) == 1, entry.first << " is missing in '" << folder << "'");
  }
}

}  // namespace
}  // namespace hunyuan_reso_test
