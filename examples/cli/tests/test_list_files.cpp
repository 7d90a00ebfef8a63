// SPDX-License-Identifier: MIT
// Files that are given as a list and are none.
#include <doctest/doctest.h>

#include "run_tool.hpp"

TEST_CASE("files that are no text, or no list, say what to do") {
  using namespace std::string_literals;
  const auto refused = [](const std::string& text, const std::string& part) {
    for (const char* format : {"sizes", "csv", "jsonl", "identify", "exiftool"}) {
      write_text(scratch() / "list", text);
      const Run run = run_tool("snap --from " + std::string(format) + " list");
      CHECK_MESSAGE(run.status == 1, format);
      CHECK_MESSAGE(contains(run.err, part), run.err);
    }
  };
  refused("\xFF\xFEn\0a\0m\0e\0\n\0"s, "iconv -f UTF-16 -t UTF-8");
  refused("\xFE\xFF\0n\0a\0m\0e"s, "iconv -f UTF-16 -t UTF-8");
  refused("n\0a\0m\0e\0,\0w\0\n\0"s, "iconv -f UTF-16LE -t UTF-8");
  refused("\x1F\x8B\x08\0"s, "zcat");
  refused("PK\x03\x04"s, "export it as CSV");
  refused("PAR1xxxx"s, "Parquet");
  refused("\x89PNG\r\n"s, "picture");
  const Run missing = run_tool("snap --from csv no-such-file.csv");
  CHECK(missing.status == 1);
  CHECK(contains(missing.err, "cannot read 'no-such-file.csv'"));
  CHECK(run_tool("snap --from csv a.csv b.csv").status == 2);
  CHECK(run_tool("snap --from xml a.xml").status == 2);
  const Run file = run_tool("snap --from sizes list --format csv", "");
  CHECK(file.status == 1);
  write_text(scratch() / "list", "1080x1920\n");
  CHECK(contains(run_tool("snap --from sizes list --format csv --quiet").out, "\n1,1080,1920,36,"));
}
