// SPDX-License-Identifier: MIT
#include "pipeline/graph.hpp"

#include <torch/version.h>  // TORCH_VERSION_MAJOR

#include <chrono>  // steady_clock

#include "adapter/error.hpp"
#include "pipeline/loop_stream.hpp"

#if HUNYUAN_GENERATE_CUDA
#include <ATen/cuda/CUDAContext.h>   // getDeviceProperties
#include <ATen/cuda/CUDAEvent.h>     // CUDAEvent
#include <ATen/cuda/CUDAGraph.h>     // CUDAGraph
#include <c10/cuda/CUDAFunctions.h>  // device_synchronize
#include <c10/cuda/CUDAGuard.h>      // CUDAGuard, CUDAStreamGuard

#include <deque>  // deque
#endif

namespace hunyuan_generate {
namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

LoopTimes run_on_host(Denoiser& denoiser, const at::Tensor& noise, std::int64_t steps, const StepReport& report) {
  LoopTimes times;
  denoiser.start(noise);
  const double begin = now();
  double after_second = begin;
  for (std::int64_t step = 0; step < steps; ++step) {
    const double start = now();
    step == 0 ? denoiser.first_step() : denoiser.later_step();
    times.steps.push_back(now() - start);
    if (step <= 1) after_second = now();
    if (report) report(step, times.steps.back());
  }
  times.wall = now() - begin;
  times.steady_wall = now() - after_second;
  return times;
}

#if HUNYUAN_GENERATE_CUDA

// A step between two events of the current stream.
struct TimedStep {
  at::cuda::CUDAEvent begin{cudaEventDefault}, end{cudaEventDefault};
};

LoopTimes run_on_gpu(Denoiser& denoiser, const at::Tensor& noise, std::int64_t steps, at::Device device, bool graph,
                     const StepReport& report, const SteadyHook& hook) {
  const c10::cuda::CUDAGuard device_guard(device);
  c10::cuda::device_synchronize();  // buffers were made on another stream
  const c10::cuda::CUDAStreamGuard stream_guard(loop_stream(device.index()));
  LoopTimes times;
  std::deque<TimedStep> timed;
  const auto launch = [&](auto&& step) {
    timed.emplace_back();
    timed.back().begin.record();
    step();
    timed.back().end.record();
    denoiser.parallel().get_on();
  };
  denoiser.start(noise);
  double begin = now();
  launch([&] { denoiser.first_step(); });
  if (steps > 1) launch([&] { denoiser.later_step(); });

  at::cuda::CUDAGraph captured;
  times.graph = graph && steps > 2;
  if (times.graph) {
    c10::cuda::device_synchronize();
    const double start = now();
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 1)
    captured.capture_begin({0, 0}, cudaStreamCaptureModeThreadLocal);  // NCCL's own thread may ask for its events
#else
    captured.capture_begin();
#endif
    denoiser.later_step();
    captured.capture_end();
    times.capture = now() - start;
    begin += times.capture;
  }
  if (hook) {
    c10::cuda::device_synchronize();
    hook(true);
  }
  double steady = now();
  for (std::int64_t step = 2; step < steps; ++step) {
    launch([&] { times.graph ? captured.replay() : denoiser.later_step(); });
  }
  for (std::size_t i = 0; i < timed.size(); ++i) {
    timed[i].end.synchronize();
    denoiser.parallel().get_on();
    times.steps.push_back(static_cast<double>(timed[i].begin.elapsed_time(timed[i].end)) / 1000);
    if (i == 1 && !times.graph) steady = now();
    if (report) report(static_cast<std::int64_t>(i), times.steps.back());
  }
  times.wall = now() - begin;
  times.steady_wall = now() - steady;
  c10::cuda::device_synchronize();
  if (hook) hook(false);
  return times;
}

#endif

}  // namespace

LoopTimes run_loop(Denoiser& denoiser, const at::Tensor& noise, std::int64_t steps, at::Device device, bool graph,
                   const StepReport& report, const SteadyHook& steady) {
#if HUNYUAN_GENERATE_CUDA
  if (device.is_cuda()) return run_on_gpu(denoiser, noise, steps, device, graph, report, steady);
#else
  (void)device, (void)graph, (void)steady;
#endif
  return run_on_host(denoiser, noise, steps, report);
}

ExpertPath best_experts(const ModelConfig& config, at::Device device, at::ScalarType dtype) {
#if HUNYUAN_GENERATE_CUDA
  bool widths = config.hidden_size % 8 == 0;
  for (const LayerConfig& layer : config.layers) widths = widths && layer.expert_width % 8 == 0;
  if (device.is_cuda() && dtype == at::kBFloat16 && grouped_available() && widths &&
      at::cuda::getDeviceProperties(device.index())->major == 9) {
    return ExpertPath::grouped;
  }
#else
  (void)config, (void)device, (void)dtype;
#endif
  return ExpertPath::sorted;
}

}  // namespace hunyuan_generate
