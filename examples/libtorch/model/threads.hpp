// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_THREADS_HPP
#define HUNYUAN_GENERATE_THREADS_HPP

#include <cstddef>     // size_t
#include <functional>  // function

namespace hunyuan_generate {

/// Calls `work(i)` for every i below `count`, on up to `threads` threads (0: one a core, at most 4), in inference mode
/// where the caller is. The first exception ends the others after what they are at, and is thrown on.
void in_threads(std::size_t count, std::size_t threads, const std::function<void(std::size_t)>& work);

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_THREADS_HPP
