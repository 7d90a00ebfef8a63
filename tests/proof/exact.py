# SPDX-License-Identifier: MIT
"""Exact arithmetic for the proof: rounding to binary64, the definition of snapping, neighbours among fractions.

Fractions and integers only; no floating-point operation is used. Nothing here comes from the library.
"""

from fractions import Fraction

LARGEST_SIDE = 2**31 - 1


def binary64(value):
    """The binary64 number nearest to a Fraction >= 0, as a Fraction; of two equally near ones the even one.

    For 0 and for values from 2^-1022 up, below 2^1024: all that sizes and distances of sizes can give.
    """
    if value == 0:
        return value
    exponent = value.numerator.bit_length() - value.denominator.bit_length() - 53
    # The scaled value lies in (2^52, 2^54); one step brings it into [2^52, 2^53).
    if value >= Fraction(2) ** (exponent + 53):
        exponent += 1
    scaled = value / Fraction(2) ** exponent
    assert 2**52 <= scaled < 2**53
    whole, rest = divmod(scaled.numerator, scaled.denominator)
    if 2 * rest > scaled.denominator or (2 * rest == scaled.denominator and whole % 2 == 1):
        whole += 1
    return whole * Fraction(2) ** exponent


def nearest_row(row_ratios, height, width):
    """The published definition: the first row whose binary64 ratio is nearest in binary64 to the size's."""
    ratio = binary64(Fraction(height, width))
    distances = [binary64(abs(row - ratio)) for row in row_ratios]
    return distances.index(min(distances))


def successor(fraction, largest=LARGEST_SIDE):
    """The next greater fraction with both parts in 1 .. largest, as (numerator, denominator); None after the last one.

    It is a / b with a * q - b * p = 1, and of those the one with the largest parts. The certificate is checked in
    place: a fraction strictly between p / q and a / b has the form (i * p + j * a) / (i * q + j * b) with i, j >= 1,
    so where p + a or q + b exceeds `largest` there is none.
    """
    p, q = fraction.numerator, fraction.denominator
    if not (1 <= p <= largest and 1 <= q <= largest):
        raise ValueError(f"{p}/{q} has a part outside 1 .. {largest}")
    # The inverse modulo 1 is 0 for Python, and any number serves.
    if p >= q:
        a = pow(q, -1, p)
        a += (largest - a) // p * p
        b = (a * q - 1) // p
    else:
        b = (-pow(p, -1, q)) % q
        b += (largest - b) // q * q
        a = (b * p + 1) // q
    if b < 1:  # only p / q = largest / 1 has none above it
        if p == largest and q == 1:
            return None
        raise AssertionError(f"no successor found for {p}/{q}")
    assert 1 <= a <= largest and 1 <= b <= largest
    assert a * q - b * p == 1
    assert p + a > largest or q + b > largest
    return a, b
