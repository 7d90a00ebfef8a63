#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The checker itself: right where a slow, plain answer exists, and every planted wrong threshold is refused.

    test_proof.py TOOL
"""

import copy
import random
import sys
import unittest
from fractions import Fraction

import check_thresholds
import exact


class Arithmetic(unittest.TestCase):
    def test_rounding_is_that_of_division(self):
        """Python's int / int and float - float are correctly rounded: another way to the same numbers."""
        source = random.Random(20250926)
        for _ in range(20000):
            a, b = (source.randrange(1, 1 << source.randrange(1, 32)) for _ in range(2))
            self.assertEqual(exact.binary64(Fraction(a, b)), Fraction(a / b), (a, b))
            c, d = (source.randrange(1, 1 << source.randrange(1, 32)) for _ in range(2))
            difference = abs(Fraction(a / b) - Fraction(c / d))
            self.assertEqual(exact.binary64(difference), Fraction(abs(a / b - c / d)), (a, b, c, d))

    def test_ties_round_to_even(self):
        for whole in (2**52, 2**52 + 1, 2**53 - 1):
            even = whole + whole % 2
            self.assertEqual(exact.binary64(Fraction(2 * whole + 1, 2)), even)
            self.assertEqual(exact.binary64(Fraction(2 * whole + 1, 2) + Fraction(1, 2**80)), whole + 1)
            self.assertEqual(exact.binary64(Fraction(2 * whole + 1, 2) - Fraction(1, 2**80)), whole)

    def test_successor_among_all_fractions(self):
        for largest in (1, 2, 3, 7, 30):
            parts = range(1, largest + 1)
            listed = sorted({Fraction(a, b) for a in parts for b in parts})
            for fraction, following in zip(listed, [*listed[1:], None]):
                found = exact.successor(fraction, largest)
                self.assertEqual(found and Fraction(*found), following, (fraction, largest))

    def test_successor_takes_no_part_outside(self):
        self.assertRaises(ValueError, exact.successor, Fraction(8, 1), 7)


class Planted(unittest.TestCase):
    """One thing is made wrong in a table that is proved."""

    def setUp(self):
        self.table = copy.deepcopy(TABLE)

    def refused(self, text):
        with self.assertRaisesRegex(check_thresholds.NotProved, text):
            check_thresholds.prove(self.table)

    def set_last(self, row, height, width):
        self.table["rows"][row]["snaps_up_to_height"] = height
        self.table["rows"][row]["snaps_up_to_width"] = width

    def test_the_table_itself_is_proved(self):
        self.assertEqual(len(check_thresholds.prove(self.table)), 36)

    def test_every_threshold_one_fraction_too_high_or_too_low(self):
        for last, lower, following, _ in check_thresholds.prove(TABLE):
            self.set_last(lower, *following)
            self.refused("not to the lower one")
            before_width, before_height = exact.successor(1 / Fraction(*last))  # the predecessor, seen upside down
            self.set_last(lower, before_height, before_width)
            self.refused("its successor .* not to the upper one")
            self.set_last(lower, *last)
        check_thresholds.prove(self.table)

    def test_exact_midpoints_in_place_of_thresholds(self):
        """The mistake that this library was written against: half-way between two ratios, ties to the lower row."""
        refused = 0
        for _, lower, _, upper in check_thresholds.prove(TABLE):
            rows = self.table["rows"]
            middle = sum(Fraction(rows[i]["height"], rows[i]["width"]) for i in (lower, upper)) / 2
            before = (rows[lower]["snaps_up_to_height"], rows[lower]["snaps_up_to_width"])
            self.set_last(lower, middle.numerator, middle.denominator)
            try:
                check_thresholds.prove(self.table)
            except check_thresholds.NotProved:
                refused += 1
            self.set_last(lower, *before)
        self.assertGreater(refused, 0)

    def test_sides_swapped(self):
        self.set_last(3, TABLE["rows"][3]["snaps_up_to_width"], TABLE["rows"][3]["snaps_up_to_height"])
        self.refused("not to the lower one")

    def test_thresholds_of_two_rows_swapped(self):
        for row, other in ((5, 6), (6, 5)):
            self.set_last(row, *(TABLE["rows"][other][key] for key in ("snaps_up_to_height", "snaps_up_to_width")))
        self.refused("goes to row")

    def test_missing_and_excessive_thresholds(self):
        self.set_last(4, None, None)
        self.refused("snaps_up_to_height is None")
        self.table = copy.deepcopy(TABLE)
        self.set_last(32, 4, 1)  # the last one of ascending ratio
        self.refused("row 32 has a threshold")

    def test_parts_out_of_range_or_no_integers(self):
        for wrong in (0, -1, 2**31, 1.5, True, "63"):
            self.set_last(0, wrong, 248)
            self.refused("snaps_up_to_height is")

    def test_another_row(self):
        self.table["rows"][7]["height"] += 1
        self.refused("threshold")

    def test_rows_of_one_ratio(self):
        twin = dict(self.table["rows"][16], ratio_index=37, snaps_up_to_height=None, snaps_up_to_width=None)
        self.table["rows"].append(twin)
        self.assertEqual(len(check_thresholds.prove(self.table)), 36)  # the first one wins
        twin["snaps_up_to_height"] = twin["snaps_up_to_width"] = 1
        self.refused("row 37 has a threshold")

    def test_rows_too_close_for_thresholds(self):
        for height, width in ((2**22 + 1, 2**22), (2**22 - 1, 2**22)):
            self.table["rows"][33].update(height=height, width=width)
            self.refused("too close")

    def test_no_rows_and_wrong_indices(self):
        self.table["rows"][2]["ratio_index"] = 3
        self.refused("ratio indices")
        self.table["rows"] = []
        self.refused("no rows")


if __name__ == "__main__":
    TABLE = check_thresholds.Tool(sys.argv.pop(1)).table([])
    unittest.main()
