// SPDX-License-Identifier: MIT
// expect: nodiscard.*unused-result
#include <hunyuan_reso/result.hpp>

namespace hr = hunyuan_reso;

// As of a writer that only succeeds or fails: the enumeration is [[nodiscard]].
hr::Errc write(int* out, int capacity);

void ignore(int* out) {
#if MUST_NOT_COMPILE
  write(out, 1);
#else
  if (write(out, 1) != hr::Errc::none) *out = 0;
#endif
}
