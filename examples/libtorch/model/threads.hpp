// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_THREADS_HPP
#define HUNYUAN_GENERATE_THREADS_HPP

#include <c10/core/InferenceMode.h>  // InferenceMode

#include <algorithm>   // max, min
#include <atomic>      // atomic
#include <exception>   // exception_ptr
#include <functional>  // function
#include <mutex>       // mutex
#include <thread>      // thread
#include <vector>      // vector

namespace hunyuan_generate {

/// Calls `work(i)` for every i below `count`, on up to `threads` threads (0: one a core, at most 4), in inference mode
/// where the caller is. The first exception ends the others after what they are at, and is thrown on.
inline void in_threads(std::size_t count, std::size_t threads, const std::function<void(std::size_t)>& work) {
  constexpr unsigned most = 4;
  if (threads == 0) threads = std::max(1U, std::min(most, std::thread::hardware_concurrency()));
  std::atomic<std::size_t> next{0};
  std::exception_ptr failure;
  std::mutex mutex;
  const bool inference = c10::InferenceMode::is_enabled();
  const auto run = [&] {
    const c10::InferenceMode mode(inference);
    for (std::size_t i = next++; i < count; i = next++) {
      try {
        work(i);
      } catch (...) {
        const std::lock_guard<std::mutex> lock(mutex);
        if (!failure) failure = std::current_exception();
        next = count;
      }
    }
  };
  std::vector<std::thread> others;
  for (std::size_t i = 1; i < std::min(threads, count); ++i) others.emplace_back(run);
  run();
  for (std::thread& other : others) other.join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_THREADS_HPP
