// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_TEAM_HPP
#define HUNYUAN_GENERATE_TEAM_HPP

#include <ATen/ATen.h>  // Device

#include <atomic>   // atomic
#include <cstdint>  // int64_t
#include <limits>   // numeric_limits
#include <memory>   // shared_ptr
#include <string>   // string
#include <torch/csrc/distributed/c10d/Store.hpp>

#include "model/parallel.hpp"

namespace hunyuan_generate {

/// Seconds of a clock that only goes forward.
[[nodiscard]] double steady_seconds();

/// Since when a process waits for another one. On the CPU a sum waits by itself. On a GPU only the device waits, and
/// the host somewhere later, so time counts from the last call. Nothing counts before start() and after stop().
class WaitingTime {
 public:
  explicit WaitingTime(bool device_waits) : device_waits_(device_waits) {}
  void begin() { since_ = steady_seconds(); }
  void end() { since_ = device_waits_ ? steady_seconds() : never; }
  void start() {
    end();
    counts_ = true;
  }
  void stop() { counts_ = false; }
  [[nodiscard]] double seconds() const { return counts_ ? steady_seconds() - since_ : 0; }

 private:
  static constexpr double never = std::numeric_limits<double>::infinity();
  bool device_waits_;
  std::atomic<bool> counts_{false};
  std::atomic<double> since_{never};
};

/// A team over LibTorch's c10d: NCCL for CUDA devices, gloo for the CPU. `store` must be the team's own. Throws Error
/// when this program was built without the one that is needed.
[[nodiscard]] std::shared_ptr<Team> make_team(const c10::intrusive_ptr<c10d::Store>& store, const Share& place,
                                              at::Device device, const std::string& address,
                                              const std::shared_ptr<WaitingTime>& waiting);

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_TEAM_HPP
