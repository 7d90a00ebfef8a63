// SPDX-License-Identifier: MIT
// expect: nodiscard.*unused-result
#include <hunyuan_reso/result.hpp>

namespace hr = hunyuan_reso;

// The type is [[nodiscard]], so also a function that is not.
hr::Result<int> checked(int value);

void ignore() {
#if MUST_NOT_COMPILE
  checked(1);
#else
  (void)checked(1);
#endif
}
