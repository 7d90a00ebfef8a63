#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Mutation testing tested: on a header of a few lines, with a test that has one hole."""

import contextlib
import io
import os
import sys
import tempfile
import unittest
from unittest import mock

import mutate

HEADER = """// SPDX-License-Identifier: MIT
#ifndef SMALL_HPP
#define SMALL_HPP
#if 1 + 1 == 2
// a + b is 3 here, and "1 + 1" there
constexpr int clamped(int value) noexcept {
  const char* const text = "1 + 1 == 3 && !true";
  static_assert(1 + 1 == 2, "text");
  if (value < 0) return 0;
  if (value > 100) return 100;  /* 5 + 5 */
  return text[0] == '1' ? value : -1;
}
constexpr int sum(int n) {
  int total = 0;
  for (int i = 1; i <= n; ++i) total += i;
  return total;
}
constexpr bool is_fine(bool a, bool b) { return a && !b; }
constexpr const char* pointer(const char* p) { return p + 1; }
#endif
#endif
"""
# The hole: nobody asks for a value of exactly 0 or 100 (which decides nothing), and nobody looks at is_fine(true, true).
TEST = """#include <hunyuan_reso/small.hpp>
#include <cstring>
static_assert(clamped(-5) == 0 && clamped(500) == 100 && clamped(7) == 7, "");
int main() {
  volatile int n = 4;
  if (sum(n) != 10) return 1;
  if (!is_fine(true, false) || is_fine(false, false) || is_fine(false, true)) return 1;
  return std::strcmp(pointer("ab"), "b");
}
"""
AREAS = {"small": (("small.hpp",), ("small",))}


class MutationTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.write("include/hunyuan_reso/small.hpp", HEADER)
        self.write("tests/unit/small_test.cpp", TEST)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def write(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)

    def run_main(self, *arguments):
        """(exit status, output, fates by key)"""
        report = self.path("report")
        command = ["mutate.py", "--jobs", "2", "--seconds", "5", "--include", self.path("include"), "--tests",
                   self.path("tests/unit"), "--survivors", self.path("survivors.txt"), "--report", report, *arguments]
        out = io.StringIO()
        with mock.patch.object(sys, "argv", command), contextlib.redirect_stdout(out):
            with self.assertRaises(SystemExit) as end:
                mutate.main(AREAS)
        fates = {}
        if os.path.exists(report):
            with open(report, encoding="utf-8") as file:
                for line in file:
                    state, text, key, _ = line.rstrip("\n").split("\t")
                    fates[key] = (state, text)
        return end.exception.code, out.getvalue(), fates

    def test_masks_what_is_no_code(self):
        code = mutate.masked(HEADER)
        self.assertEqual(len(code), len(HEADER))
        for hidden in ("there", "#if", "static_assert", "!true", "5 + 5", "'1'"):
            self.assertNotIn(hidden, code)
        self.assertIn("if (value < 0) return 0;", code)

    def test_fates(self):
        status, out, fates = self.run_main()
        self.assertEqual(status, 1)

        def fate(start):
            found = [value for key, value in fates.items() if key.startswith("small.hpp: " + start)]
            self.assertEqual(len(found), 1, (start, sorted(fates)))
            return found[0]
        self.assertEqual(fate("if (value < 0) return 0; @12: < -> <="), ("survived", ""))  # an equal program
        self.assertEqual(fate("if (value < 0) return 0; @6: value < 0 -> false"), ("killed", "small: compile time"))
        self.assertEqual(fate("if (value > 100) return 100;  /* 5 + 5 */ @26: 100 -> 101"),
                         ("killed", "small: compile time"))
        self.assertEqual(fate("for (int i = 1; i <= n; ++i) total += i; @20: <= -> <"), ("killed", "small: fails"))
        self.assertEqual(fate("for (int i = 1; i <= n; ++i) total += i; @26: ++ -> --"), ("killed", "small: time"))
        self.assertEqual(fate("constexpr bool is_fine(bool a, bool b) { return a && !b; } @53: ! ->")[0], "killed")
        self.assertEqual(fate("constexpr const char* pointer(const char* p) { return p + 1; } @56: + -> -")[0], "killed")
        self.assertIn("SURVIVED small.hpp: if (value < 0) return 0; @12: < -> <=", out)
        self.assertFalse([key for key in fates if "static_assert" in key or "#if" in key or key.endswith("6")])

    def test_a_type_error_is_void(self):
        self.write("include/hunyuan_reso/small.hpp",
                   HEADER.replace("return p + 1;", "const char* q = p + 1; return q - p > 0 ? q : p;"))
        fates = self.run_main()[2]
        void = [key for key, value in fates.items() if value[0] == "void"]
        self.assertEqual(len(void), 1, void)
        self.assertIn("- -> +", void[0])

    def test_explained_survivors_and_stale_ones(self):
        survivors = sorted(key for key, value in self.run_main()[2].items() if value[0] == "survived")
        self.assertTrue(survivors)
        self.write("survivors.txt", "# the same program\n" + "\n".join(survivors) + "\n")
        status, out, _ = self.run_main()
        self.assertEqual((status, "SURVIVED" in out), (0, False), out)
        self.write("survivors.txt", "\n".join(survivors) + "\n")  # without a reason
        self.assertEqual(self.run_main()[0], 1)
        self.write("survivors.txt", "# gone\nsmall.hpp: no such line @1: + -> -\n")
        self.assertIn("1 mutants that there are no more", self.run_main()[1])

    def test_sample_is_fixed_and_of_the_size_asked_for(self):
        first = self.run_main("--sample", "3")[2]
        self.assertEqual(len(first), 3)
        self.assertEqual(first, self.run_main("--sample", "3")[2])

    def test_tests_that_fail_by_themselves_are_no_measure(self):
        self.write("tests/unit/small_test.cpp", "int main() { return 1; }\n")
        self.assertIn("do not pass", self.run_main()[0])

    def test_only_the_mutants_of_a_list(self):
        key = "small.hpp: for (int i = 1; i <= n; ++i) total += i; @20: <= -> <"
        self.write("keys", key + "\n")
        self.assertEqual(self.run_main("--only", self.path("keys"))[2], {key: ("killed", "small: fails")})

    def test_goes_on_where_the_time_was_over(self):
        status, out, fates = self.run_main("--limit", "0.001")
        self.assertEqual((status, fates), (1, {}))
        self.assertRegex(out, r"\d\d were not tried")
        key = "small.hpp: for (int i = 1; i <= n; ++i) total += i; @20: <= -> <"
        self.write("keys", key + "\n")
        self.run_main("--only", self.path("keys"))
        with open(self.path("report"), "a", encoding="utf-8") as file:
            file.write("killed\tcut")  # as a run that was ended leaves it
        with open(self.path("report"), encoding="utf-8") as file:
            self.write("report", file.read().replace("small: fails", "seen before"))
        fates = self.run_main("--resume")[2]
        self.assertEqual(fates[key], ("killed", "seen before"))
        self.assertEqual(fates, {**self.run_main()[2], key: ("killed", "seen before")})


if __name__ == "__main__":
    unittest.main()
