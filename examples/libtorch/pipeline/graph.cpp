// SPDX-License-Identifier: MIT
#include "pipeline/graph.hpp"

#include <torch/version.h>  // TORCH_VERSION_MAJOR

#if HUNYUAN_GENERATE_CUDA
#include <ATen/cuda/CUDAContext.h>   // getDeviceProperties
#include <ATen/cuda/CUDAEvent.h>     // CUDAEvent
#include <ATen/cuda/CUDAGraph.h>     // CUDAGraph
#include <c10/cuda/CUDAFunctions.h>  // device_synchronize
#include <c10/cuda/CUDAGuard.h>      // CUDAGuard, CUDAStreamGuard
#include <c10/cuda/CUDAStream.h>     // getStreamFromPool

#include <deque>  // deque
#include <map>    // map
#endif

namespace hunyuan_generate {
namespace {

LoopTimes run_on_host(const CallLoop& loop, const StepReport& report) {
  LoopTimes times;
  const double begin = now();
  double after_second = begin;
  for (std::int64_t number = 0; number < loop.calls; ++number) {
    const double start = now();
    loop.call(number);
    times.steps.push_back(now() - start);
    if (number <= 1) after_second = now();
    if (loop.between) loop.between(number);
    if (report) report(number, times.steps.back());
  }
  times.wall = now() - begin;
  times.steady_wall = now() - after_second;
  return times;
}

#if HUNYUAN_GENERATE_CUDA

// The stream that loops run on, one a device: LibTorch keeps freed memory for the stream that had it, and a stream a
// loop would leave the memory of every loop behind.
c10::cuda::CUDAStream loop_stream(c10::DeviceIndex device) {
  thread_local std::map<c10::DeviceIndex, c10::cuda::CUDAStream> streams;
  const auto found = streams.find(device);
  if (found != streams.end()) return found->second;
  return streams.emplace(device, c10::cuda::getStreamFromPool(false, device)).first->second;
}

// A call between two events of the current stream.
struct TimedCall {
  at::cuda::CUDAEvent begin{cudaEventDefault}, end{cudaEventDefault};
};

LoopTimes run_on_gpu(const CallLoop& loop, at::Device device, bool graph, const StepReport& report,
                     const SteadyHook& hook) {
  const c10::cuda::CUDAGuard device_guard(device);
  c10::cuda::device_synchronize();  // buffers were made on another stream
  const c10::cuda::CUDAStreamGuard stream_guard(loop_stream(device.index()));
  LoopTimes times;
  std::deque<TimedCall> timed;
  double begin = now(), steady = begin;
  const auto settle = [&](std::size_t left) {
    for (; timed.size() > left; timed.pop_front()) {
      timed.front().end.synchronize();
      if (loop.ended) loop.ended();
      times.steps.push_back(static_cast<double>(timed.front().begin.elapsed_time(timed.front().end)) / 1000);
      if (times.steps.size() == 2 && !times.graph) steady = now();
      if (report) report(static_cast<std::int64_t>(times.steps.size()) - 1, times.steps.back());
    }
  };
  at::cuda::CUDAGraph captured;
  for (std::int64_t number = 0; number < loop.calls; ++number) {
    if (number == 2 && graph) {
      c10::cuda::device_synchronize();
      const double start = now();
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 1)
      captured.capture_begin({0, 0}, cudaStreamCaptureModeThreadLocal);  // NCCL's own thread may ask for its events
#else
      captured.capture_begin();
#endif
      loop.call(number);
      captured.capture_end();
      times.graph = true;
      times.capture = now() - start;
      begin += times.capture;
    }
    if (number == 2 && hook) {
      c10::cuda::device_synchronize();
      hook(true);
    }
    if (number == 2) steady = now();
    timed.emplace_back();
    timed.back().begin.record();
    times.graph ? captured.replay() : loop.call(number);
    timed.back().end.record();
    if (loop.between) loop.between(number);
    settle(loop.ahead);
  }
  settle(0);
  times.wall = now() - begin;
  times.steady_wall = now() - steady;
  c10::cuda::device_synchronize();
  if (hook && loop.calls > 2) hook(false);
  return times;
}

#endif

}  // namespace

LoopTimes run_calls(const CallLoop& loop, [[maybe_unused]] at::Device device, [[maybe_unused]] bool graph,
                    const StepReport& report, [[maybe_unused]] const SteadyHook& steady) {
#if HUNYUAN_GENERATE_CUDA
  if (device.is_cuda()) return run_on_gpu(loop, device, graph, report, steady);
#endif
  return run_on_host(loop, report);
}

LoopTimes run_loop(Denoiser& denoiser, const at::Tensor& noise, std::int64_t steps, at::Device device, bool graph,
                   const StepReport& report, const SteadyHook& steady) {
  const auto get_on = [&] { denoiser.parallel().get_on(); };
  CallLoop loop{steps, [&](std::int64_t step) { step == 0 ? denoiser.first_step() : denoiser.later_step(); }};
  loop.between = [&](std::int64_t) { get_on(); };
  loop.ended = get_on;
  denoiser.start(noise);
  return run_calls(loop, device, graph, report, steady);
}

ExpertPath best_experts([[maybe_unused]] const ModelConfig& config, [[maybe_unused]] at::Device device,
                        [[maybe_unused]] at::ScalarType dtype) {
#if HUNYUAN_GENERATE_CUDA
  bool widths = config.hidden_size % 8 == 0;
  for (const LayerConfig& layer : config.layers) widths = widths && layer.expert_width % 8 == 0;
  if (device.is_cuda() && dtype == at::kBFloat16 && grouped_available() && widths &&
      at::cuda::getDeviceProperties(device.index())->major == 9) {
    return ExpertPath::grouped;
  }
#endif
  return ExpertPath::sorted;
}

}  // namespace hunyuan_generate
