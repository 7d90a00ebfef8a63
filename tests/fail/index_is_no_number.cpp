// SPDX-License-Identifier: MIT
// expect: no match for|invalid operands to binary expression
#include <hunyuan_reso/tokens.hpp>

namespace hr = hunyuan_reso;

// "No such index" is no number, so that nothing can be compared with the wrong one.
bool is_missing(hr::TokenId id) {
#if MUST_NOT_COMPILE
  return hr::ratio_index_of(hr::profiles::instruct, id) == 255;
#else
  return !hr::ratio_index_of(hr::profiles::instruct, id);
#endif
}
