// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_BENCH_SUPPORT_CHECK_HPP
#define HUNYUAN_RESO_BENCH_SUPPORT_CHECK_HPP

#include <cstdio>
#include <cstdlib>

namespace hunyuan_reso_bench {

/// Ends the program where the two sides of a comparison do not give the same answer: their times would mean nothing.
inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "plain and library disagree: %s\n", what);
  std::abort();
}

}  // namespace hunyuan_reso_bench

#endif  // HUNYUAN_RESO_BENCH_SUPPORT_CHECK_HPP
