// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_KERNEL_TIME_HPP
#define HUNYUAN_GENERATE_KERNEL_TIME_HPP

#include <map>     // map
#include <string>  // string

namespace hunyuan_generate {

/// What a step's kernels are for, by their names.
enum class KernelKind { product, attention, copy, glue, exchange };
[[nodiscard]] KernelKind kind_of(const std::string& kernel);

// What LibTorch's profiler saw on the GPU between start and stop.
struct KernelTime {
  double busy = 0;       ///< seconds in which a kernel, copy or fill ran; overlaps count once
  double span = 0;       ///< seconds from the first one's start to the last one's end
  long long events = 0;  ///< their number; 0: nothing could be measured

  struct Kernel {
    double seconds = 0;
    long long count = 0;
  };
  std::map<std::string, Kernel> kernels;  ///< by name
  [[nodiscard]] Kernel sum(KernelKind kind) const;
};

/// Starts to record; one recording at a time.
void start_kernel_time();
/// Ends it.
KernelTime stop_kernel_time();

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_KERNEL_TIME_HPP
