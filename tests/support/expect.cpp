// SPDX-License-Identifier: MIT
#include "support/expect.hpp"

namespace hunyuan_reso_test {

void expectation_failed(const char* expression, const char* file, int line) {
  // As a text: doctest prints a pointer to characters as an address.
  ADD_FAIL_CHECK_AT(file, line, "EXPECT( " << doctest::String(expression) << " ) is false");
}

}  // namespace hunyuan_reso_test
