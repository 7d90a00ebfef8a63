// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_LOOP_STREAM_HPP
#define HUNYUAN_GENERATE_LOOP_STREAM_HPP

#if HUNYUAN_GENERATE_CUDA
#include <c10/cuda/CUDAStream.h>  // getStreamFromPool

#include <map>  // map

namespace hunyuan_generate {

/// The stream that loops run on, one a device: LibTorch keeps freed memory for the stream that had it, and a stream a
/// loop would leave the memory of every loop behind.
inline c10::cuda::CUDAStream loop_stream(c10::DeviceIndex device) {
  thread_local std::map<c10::DeviceIndex, c10::cuda::CUDAStream> streams;
  const auto found = streams.find(device);
  if (found != streams.end()) return found->second;
  return streams.emplace(device, c10::cuda::getStreamFromPool(false, device)).first->second;
}

}  // namespace hunyuan_generate
#endif

#endif  // HUNYUAN_GENERATE_LOOP_STREAM_HPP
