// SPDX-License-Identifier: MIT
// A test program that fails on purpose: its output must name the expressions that failed, and no others.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include "support/expect.hpp"

namespace {

bool one_of_two_fails(int two) {
  EXPECT(two + 2 == 4);
  EXPECT(two + 2 == 5);
  return true;
}
TEST_CASE("one of two fails") { CHECK(one_of_two_fails(2)); }

}  // namespace
