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

TEST_CASE("a list is read the same way however it comes through a pipe") {
  const std::string array = "'[{\"width\": 1920, \"height\": 1080, \"name\": \"a\"}]\\n'";
  for (const char* format : {"jsonl", "exiftool"}) {
    const std::string snap = " | $TOOL snap --from " + std::string(format) + " - --format csv --quiet";
    const Run whole = run_shell("printf '\\n \\n'" + array + snap);
    CHECK(contains(whole.out, "\n3,a,1080,1920,"));
    const Run pieces = run_shell("(printf '\\n'; sleep 0.2; printf ' \\n'; sleep 0.2; printf " + array + ")" + snap);
    CHECK(pieces.status == 0);
    CHECK(pieces.out == whole.out);
  }
  // A zero byte in a short first line is that line's fault, and a second line does not excuse UTF-16.
  for (const char* pause : {"", "sleep 0.2; "}) {
    const std::string start = std::string("(printf 'x\\000yzzzz\\n'; ") + pause;
    const Run stray = run_shell(start + "printf '1080x1920\\n') | $TOOL snap - --format csv --quiet");
    CHECK(stray.status == 1);
    CHECK(contains(stray.out, "\n2,1080,1920,"));
    const Run utf16 = run_shell(std::string("(printf '1\\0000\\0008\\0000\\000\\n'; ") + pause +
                                "printf '1080x1920\\n1080x1920\\n1080x1920\\n') | $TOOL snap - --format csv --quiet");
    CHECK(utf16.status == 1);
    CHECK(contains(utf16.err, "UTF-16LE"));
  }
}
