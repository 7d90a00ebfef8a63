// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_KERNEL_TIME_HPP
#define HUNYUAN_GENERATE_KERNEL_TIME_HPP

namespace hunyuan_generate {

// What LibTorch's profiler saw on the GPU between start and stop.
struct KernelTime {
  double busy = 0;       ///< seconds in which a kernel, copy or fill ran; overlaps count once
  double span = 0;       ///< seconds from the first one's start to the last one's end
  long long events = 0;  ///< their number; 0: nothing could be measured
};

/// Starts to record; one recording at a time.
void start_kernel_time();
/// Ends it.
KernelTime stop_kernel_time();

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_KERNEL_TIME_HPP
