// SPDX-License-Identifier: MIT
// Files, pipes and full disks.
#include <doctest/doctest.h>
#include <unistd.h>

#include "run_tool.hpp"

namespace fs = std::filesystem;

namespace {

/// Files that a run could have left behind.
std::size_t leftovers() {
  std::size_t count = 0;
  for (const fs::directory_entry& entry : fs::directory_iterator(scratch())) {
    count += contains(entry.path().filename().string(), ".part-") ? 1U : 0U;
  }
  return count;
}

}  // namespace

TEST_CASE("a file appears whole") {
  const Run run = run_tool("table --format json --out table.json");
  CHECK(run.status == 0);
  CHECK(run.out.empty());
  CHECK(read_text(scratch() / "table.json") == run_tool("table --format json").out);
  CHECK(leftovers() == 0);
}

TEST_CASE("a file is replaced, with its rights and through a link") {
  const fs::path file = scratch() / "kept.csv";
  write_text(file, "old");
  fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write);
  fs::create_symlink("kept.csv", scratch() / "link.csv");
  CHECK(run_tool("table --format csv --out link.csv").status == 0);
  CHECK(fs::is_symlink(scratch() / "link.csv"));
  CHECK(read_text(file) == run_tool("table --format csv").out);
  CHECK(fs::status(file).permissions() == (fs::perms::owner_read | fs::perms::owner_write));
}

TEST_CASE("a run that fails leaves the file as it was") {
  const fs::path file = scratch() / "untouched.csv";
  write_text(file, "old");
  CHECK(run_tool("table --base-size 5 --format csv --out untouched.csv").status == 1);
  CHECK(run_tool("snap - --strict --out untouched.csv", "1x1\n1x\n").status == 1);
  CHECK(run_tool("snap 1x --strict --out untouched.csv").status == 1);
  CHECK(read_text(file) == "old");
  CHECK(leftovers() == 0);
}

TEST_CASE("a file that cannot be written") {
  for (const char* path : {"/nonexistent/folder/file", "/proc/none/file", "."}) {
    CAPTURE(path);
    const Run run = run_tool(std::string("table --out ") + path);
    CHECK(run.status == 1);
    CHECK(contains(run.err, "cannot create '"));
  }
  if (::geteuid() != 0) {
    fs::create_directory(scratch() / "locked");
    fs::permissions(scratch() / "locked", fs::perms::owner_read | fs::perms::owner_exec);
    CHECK(contains(run_tool("table --out locked/file").err, "Permission denied"));
  }
}

TEST_CASE("devices are written directly") {
  CHECK(run_tool("table --out /dev/null").status == 0);
  CHECK(fs::is_character_file("/dev/null"));
  if (!fs::exists("/dev/full")) return;
  for (const char* command : {"\"$TOOL\" table > /dev/full", "\"$TOOL\" --help > /dev/full",
                              "echo 1x1 | \"$TOOL\" snap - --quiet > /dev/full", "\"$TOOL\" table --out /dev/full"}) {
    CAPTURE(command);
    const Run run = run_shell(command);
    CHECK(run.status == 1);
    CHECK(contains(run.err, "No space left on device"));
  }
}

TEST_CASE("a reader that goes away is no error") {
  std::string input;
  for (int i = 1; i < 200000; ++i) input += std::to_string(i) + "x1000\n";
  write_text(scratch() / "stdin", input);
  for (const char* command : {"snap - --quiet < stdin", "token --list all", "table --format svg", "table --help"}) {
    CAPTURE(command);
    const Run run = run_shell(std::string("{ \"$TOOL\" ") + command + "; echo $? > status; } | head -c 10 > /dev/null");
    CHECK(run.err.empty());
    CHECK(read_text(scratch() / "status") == "0\n");
  }
}

TEST_CASE("a stopped run removes its temporary file") {
  const Run run = run_shell(
      "mkfifo fifo; \"$TOOL\" snap - --out stopped.csv < fifo & pid=$!; exec 3> fifo; echo 1x1 >&3;"
      "for i in 1 2 3 4 5 6 7 8 9 10; do ls *.part-* > /dev/null 2>&1 && break; sleep 0.1; done;"
      "ls *.part-*; kill $pid; wait $pid; echo $?");
  CHECK(contains(run.out, "stopped.csv.part-"));
  CHECK(contains(run.out, "143"));
  CHECK_FALSE(fs::exists(scratch() / "stopped.csv"));
  CHECK(leftovers() == 0);
}

TEST_CASE("closed descriptors") {
  CHECK(run_shell("\"$TOOL\" table >&-").status == 1);
  CHECK(run_shell("\"$TOOL\" snap - <&-").status == 1);
  CHECK(run_shell("\"$TOOL\" snap 1x 2>&-").status == 1);
}
