// SPDX-License-Identifier: MIT
#include <algorithm>  // any_of, max, min, sort

#include "tools/bench.hpp"

#if HUNYUAN_GENERATE_KERNEL_TIME
#include <torch/csrc/autograd/profiler_kineto.h>

#include <set>  // set
#endif

namespace hunyuan_generate {
namespace {

KernelKind kind_of(const std::string& kernel) {
  const auto has = [&](const char* part) { return kernel.find(part) != std::string::npos; };
  const std::pair<KernelKind, std::vector<const char*>> kinds[] = {
      {KernelKind::exchange, {"nccl"}},
      {KernelKind::copy, {"Memcpy", "Memset", "memcpy", "memset"}},
      {KernelKind::attention, {"flash", "fmha", "sdpa", "Attention", "attention"}},
      {KernelKind::product,
       {"gemm", "Gemm", "GEMM", "cutlass", "nvjet", "gemv", "wgrad", "fprop", "implicit_", "conv"}}};
  for (const auto& [kind, parts] : kinds) {
    if (std::any_of(parts.begin(), parts.end(), has)) return kind;
  }
  return KernelKind::glue;
}

}  // namespace

KernelTime::Kernel KernelTime::sum(KernelKind kind) const {
  Kernel all;
  for (const auto& [name, kernel] : kernels) {
    if (kind_of(name) != kind) continue;
    all.seconds += kernel.seconds;
    all.count += kernel.count;
  }
  return all;
}

void KernelTime::print_longest(std::size_t most, double steps) const {
  std::vector<std::pair<double, std::string>> top;
  for (const auto& [name, kernel] : kernels) top.emplace_back(kernel.seconds / steps, name);
  std::sort(top.rbegin(), top.rend());
  top.resize(std::min(top.size(), most));
  for (const auto& [seconds, name] : top) {
    std::printf("    %8.5f s %6.0f  %s\n", seconds, static_cast<double>(kernels.at(name).count) / steps,
                name.substr(0, 120).c_str());
  }
}

#if HUNYUAN_GENERATE_KERNEL_TIME

void start_kernel_time() {
  namespace impl = torch::profiler::impl;
  const impl::ProfilerConfig config(impl::ProfilerState::KINETO);
  const std::set<impl::ActivityType> activities{impl::ActivityType::CUDA};
  torch::autograd::profiler::prepareProfiler(config, activities);
  torch::autograd::profiler::enableProfiler(config, activities);
}

KernelTime stop_kernel_time() {
  const auto result = torch::autograd::profiler::disableProfiler();
  std::vector<std::pair<double, double>> intervals;
  KernelTime time;
  for (const auto& event : result->events()) {
    if (event.deviceType() != c10::DeviceType::CUDA) continue;
    intervals.emplace_back(static_cast<double>(event.startNs()), static_cast<double>(event.endNs()));
    KernelTime::Kernel& kernel = time.kernels[event.name()];
    kernel.seconds += (intervals.back().second - intervals.back().first) * 1e-9;
    ++kernel.count;
  }
  if (intervals.empty()) return time;
  std::sort(intervals.begin(), intervals.end());
  double end = intervals.front().first;
  for (const auto& [start, stop] : intervals) {
    time.busy += std::max(0.0, stop - std::max(start, end)) * 1e-9;
    end = std::max(end, stop);
  }
  time.span = (end - intervals.front().first) * 1e-9;
  time.events = static_cast<long long>(intervals.size());
  return time;
}

#else

void start_kernel_time() {}
KernelTime stop_kernel_time() { return {}; }

#endif

}  // namespace hunyuan_generate
