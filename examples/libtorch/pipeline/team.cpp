// SPDX-License-Identifier: MIT
#include "pipeline/team.hpp"

#include <chrono>   // steady_clock
#include <cstdlib>  // getenv

#include "adapter/error.hpp"

#if HUNYUAN_GENERATE_GLOO
#ifndef USE_C10D_GLOO
#define USE_C10D_GLOO
#endif
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#endif
#if HUNYUAN_GENERATE_NCCL
#ifndef USE_C10D_NCCL
#define USE_C10D_NCCL
#endif
#include <c10/cuda/CUDAGuard.h>  // CUDAGuard
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif

namespace hunyuan_generate {
namespace {

// c10d's own limit is for a lost process that nobody noticed; the watch is faster.
constexpr std::chrono::minutes longest_sum(30);

// Newer LibTorch can put a sum on the current stream itself, without events to another one and back.
template <class Options>
auto on_the_current_stream(Options& options, int) -> decltype(options.asyncOp = false, void()) {
  options.asyncOp = false;
}
template <class Options>
void on_the_current_stream(Options&, long) {}

// Newer groups want to be told before they go.
template <class Group>
auto shut_down(Group& group, int) -> decltype(group.shutdown(), void()) {
  group.shutdown();
}
template <class Group>
void shut_down(Group&, long) {}

// gloo does not know all 16-bit numbers.
bool needs_float(const at::Tensor& values, bool device_waits) {
  return !device_waits && (values.scalar_type() == at::kBFloat16 || values.scalar_type() == at::kHalf);
}

template <class Group>
class C10dTeam : public Team {
 public:
  C10dTeam(c10::intrusive_ptr<Group> group, bool device_waits, std::shared_ptr<WaitingTime> waiting)
      : group_(std::move(group)), device_waits_(device_waits), waiting_(std::move(waiting)) {}
  ~C10dTeam() override {
    try {
      shut_down(*group_, 0);
    } catch (const std::exception&) {  // the process ends anyway
    }
  }

  void add_up(at::Tensor& values) override {
    c10d::AllreduceOptions options;
    on_the_current_stream(options, 0);
    wait([&](std::vector<at::Tensor>& tensors) { return group_->allreduce(tensors, options); }, values);
  }

  void copy_from_first(at::Tensor& values) override {
    c10d::BroadcastOptions options;
    options.rootRank = 0;
    on_the_current_stream(options, 0);
    wait([&](std::vector<at::Tensor>& tensors) { return group_->broadcast(tensors, options); }, values);
  }

  void get_on() override { waiting_->end(); }

 private:
  template <class Start>
  void wait(Start&& start, at::Tensor& values) {
    const bool widened = needs_float(values, device_waits_);
    std::vector<at::Tensor> tensors{widened ? values.to(at::kFloat) : values};
    waiting_->begin();
    try {
      const auto work = start(tensors);
      if (work) work->wait();
    } catch (const std::exception& error) {
      waiting_->stop();
      throw Error("lost another process: " + first_line(error.what()));
    }
    waiting_->end();
    if (widened) values.copy_(tensors.front());
  }

  static std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

  c10::intrusive_ptr<Group> group_;
  bool device_waits_;
  std::shared_ptr<WaitingTime> waiting_;
};

#if HUNYUAN_GENERATE_GLOO
std::shared_ptr<Team> gloo_team(const c10::intrusive_ptr<c10d::Store>& store, const Share& place,
                                const std::string& address, const std::shared_ptr<WaitingTime>& waiting) {
  using Group = c10d::ProcessGroupGloo;
  const auto options = Group::Options::create(longest_sum);
  const char* const interface = std::getenv("GLOO_SOCKET_IFNAME");
  const bool one_machine = address == "localhost" || address.rfind("127.", 0) == 0;
  if (interface != nullptr && *interface != '\0') {
    options->devices.push_back(Group::createDeviceForInterface(interface));
  } else {
    options->devices.push_back(one_machine ? Group::createDeviceForHostname(address) : Group::createDefaultDevice());
  }
  options->threads = 1;
  auto group = c10::make_intrusive<Group>(store, static_cast<int>(place.index), static_cast<int>(place.count), options);
  return std::make_shared<C10dTeam<Group>>(std::move(group), false, waiting);
}
#endif

#if HUNYUAN_GENERATE_NCCL
std::shared_ptr<Team> nccl_team(const c10::intrusive_ptr<c10d::Store>& store, const Share& place, at::Device device,
                                const std::shared_ptr<WaitingTime>& waiting) {
  using Group = c10d::ProcessGroupNCCL;
  const c10::cuda::CUDAGuard guard(device);
  const auto options = Group::Options::create();
  options->timeout = longest_sum;
  auto group = c10::make_intrusive<Group>(store, static_cast<int>(place.index), static_cast<int>(place.count), options);
  return std::make_shared<C10dTeam<Group>>(std::move(group), true, waiting);
}
#endif

}  // namespace

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::shared_ptr<Team> make_team(const c10::intrusive_ptr<c10d::Store>& store, const Share& place, at::Device device,
                                const std::string& address, const std::shared_ptr<WaitingTime>& waiting) {
  (void)store, (void)place, (void)address, (void)waiting;
#if HUNYUAN_GENERATE_NCCL
  if (device.is_cuda()) return nccl_team(store, place, device, waiting);
#endif
#if HUNYUAN_GENERATE_GLOO
  if (device.is_cpu()) return gloo_team(store, place, address, waiting);
#endif
  throw Error("--parallel: this program was built without " + std::string(device.is_cuda() ? "NCCL" : "gloo") +
              ", which processes on " + device.str() + " need");
}

}  // namespace hunyuan_generate
