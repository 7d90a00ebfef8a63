// SPDX-License-Identifier: MIT
#include "support/expect.hpp"

namespace hunyuan_reso_test {

void expectation_failed(const char* expression, const char* file, int line) {
  ADD_FAIL_CHECK_AT(file, line, expression);
}

}  // namespace hunyuan_reso_test
