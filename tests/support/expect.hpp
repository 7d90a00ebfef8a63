// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_TESTS_SUPPORT_EXPECT_HPP
#define HUNYUAN_RESO_TESTS_SUPPORT_EXPECT_HPP

#include <doctest/doctest.h>

namespace hunyuan_reso_test {

/// Fails the running test case. Not constexpr on purpose: inside a constant expression the call does not compile, and
/// the compiler points at the EXPECT that failed.
void expectation_failed(const char* expression, const char* file, int line);

}  // namespace hunyuan_reso_test

/// A check for constexpr test functions: the same text works at run time and in a constant expression.
#define EXPECT(...) ((__VA_ARGS__) ? void() : ::hunyuan_reso_test::expectation_failed(#__VA_ARGS__, __FILE__, __LINE__))

/// Runs a `constexpr bool function()` made of EXPECTs twice: while compiling, and as a test case.
#define BOTH_TIMES(function)                                                  \
  static_assert(function(), #function " must hold in a constant expression"); \
  TEST_CASE(#function) { CHECK(function()); }

#endif  // HUNYUAN_RESO_TESTS_SUPPORT_EXPECT_HPP
