// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_PROCESSES_HPP
#define HUNYUAN_GENERATE_PROCESSES_HPP

#include <ATen/ATen.h>  // Device

#include <hunyuan_reso/parallel.hpp>
#include <memory>  // shared_ptr, unique_ptr
#include <string>  // string

#include "model/parallel.hpp"
#include "pipeline/request.hpp"

namespace hunyuan_generate {

/// Which of the processes this is, and how they find one another: RANK, WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE,
/// MASTER_ADDR and MASTER_PORT, as torchrun sets them.
struct Place {
  std::int64_t rank = 0, world = 1;              ///< of all machines
  std::int64_t local_rank = 0, local_world = 1;  ///< of this one
  std::string address;                           ///< of the machine of process 0
  std::int64_t port = 0;
  bool agent_keeps_store = false;  ///< torchrun itself listens there, under this prefix
  std::string prefix;

  [[nodiscard]] bool is_first() const noexcept { return rank == 0; }
};

/// Reads the variables; without RANK and WORLD_SIZE there is one process. LOCAL_RANK defaults to RANK,
/// LOCAL_WORLD_SIZE to WORLD_SIZE. Throws Error naming the variable at fault.
[[nodiscard]] Place place_from_environment();

/// Reads "tp2", "cfg2", "tp2cfg2" and so on; throws Error naming the option.
[[nodiscard]] hunyuan_reso::ParallelLayout parse_layout(const std::string& option, const std::string& text);

/// A process's devices out of the text of an option that is the same for all of them: "cpu" stays, "cuda" is the GPU of
/// the local rank, and a list is handed out in equal, consecutive parts, whose members take the layers in turn.
[[nodiscard]] std::string own_devices(const std::string& option, const std::string& devices, const Place& place);

/// What each process has of a request's loop; throws Error naming what does not divide.
[[nodiscard]] hunyuan_reso::DeviceShare share_of(const PlannedRequest& request,
                                                 const hunyuan_reso::ParallelLayout& layout);
/// Prints it with what a step sends.
void print_share(std::FILE* out, const PlannedRequest& request, const hunyuan_reso::ParallelLayout& layout);

/// The processes of one run: LibTorch's c10d with NCCL on GPUs and gloo on the CPU. While it lives, two threads watch
/// the others: a process that ends without leave(), that gives no sign of life for 15 seconds, or that keeps this one
/// waiting longer than `patience`, ends this one with a message and status 1. Nothing is left half-written then.
class Processes {
 public:
  /// Meets the others; throws Error when WORLD_SIZE is not the layout's number of devices, when this program has no
  /// c10d for the device, or when not all came within 30 seconds (or `patience`). `program` stands before every
  /// message.
  Processes(const std::string& program, const hunyuan_reso::ParallelLayout& layout, const Place& place,
            at::Device device, double patience);
  ~Processes();
  Processes(const Processes&) = delete;
  Processes& operator=(const Processes&) = delete;

  [[nodiscard]] const std::shared_ptr<const Parallel>& parallel() const noexcept;

  /// Waits until all are here, as long as they live: for loading, which takes one longer than another. From then on
  /// `patience` counts.
  void wait_for_all();
  /// Tells the others why this process ends, prints it and ends with status 1.
  [[noreturn]] void fail(const std::string& why);
  /// Waits until all are here and lets them go their ways.
  void leave();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_PROCESSES_HPP
