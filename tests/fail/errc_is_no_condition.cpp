// SPDX-License-Identifier: MIT
// expect: could not convert|not contextually convertible
#include <hunyuan_reso/result.hpp>

namespace hr = hunyuan_reso;

// `if (write(..))` would read as success where it is a failure.
bool failed(hr::Errc error) {
#if MUST_NOT_COMPILE
  if (error) return true;
#else
  if (error != hr::Errc::none) return true;
#endif
  return false;
}
