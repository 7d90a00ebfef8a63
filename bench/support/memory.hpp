// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_BENCH_SUPPORT_MEMORY_HPP
#define HUNYUAN_RESO_BENCH_SUPPORT_MEMORY_HPP

#include <cstdint>

#if defined(__unix__)
#include <unistd.h>  // sysconf
#endif

namespace hunyuan_reso_bench {

/// Bytes of memory in the machine; 4 GiB where the system does not say.
inline std::uint64_t physical_memory() {
#if defined(__unix__) && defined(_SC_PHYS_PAGES)
  const long pages = sysconf(_SC_PHYS_PAGES);
  const long page_size = sysconf(_SC_PAGESIZE);
  if (pages > 0 && page_size > 0) return static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page_size);
#endif
  return std::uint64_t{4} << 30;
}

}  // namespace hunyuan_reso_bench

#endif  // HUNYUAN_RESO_BENCH_SUPPORT_MEMORY_HPP
