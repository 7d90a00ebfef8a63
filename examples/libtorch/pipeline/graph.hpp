// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_GRAPH_HPP
#define HUNYUAN_GENERATE_GRAPH_HPP

#include <ATen/ATen.h>  // Tensor, Device

#include <cstdint>     // int64_t
#include <functional>  // function
#include <vector>      // vector

#include "model/denoiser.hpp"
#include "pipeline/devices.hpp"

namespace hunyuan_generate {

/// What the loop cost.
struct LoopTimes {
  std::vector<double> steps;  ///< seconds of each step; on a GPU between events on the stream
  double wall = 0;            ///< seconds of the host from the first step's launch to the last step's end
  double steady_wall = 0;     ///< the same from the end of step 1, the last one that is not replayed
  double capture = 0;         ///< seconds of the host spent capturing
  bool graph = false;         ///< whether steps 2 and later were replays of one graph
};

/// Hears of each finished step.
using StepReport = std::function<void(std::int64_t step, double seconds)>;
/// Called with true before step 2 is launched and with false when the last step has ended, where there are so many; for
/// profilers.
using SteadyHook = std::function<void(bool begins)>;

/// Calls of the model, one after the other.
struct CallLoop {
  std::int64_t calls;
  /// From the third on they are all the same: they read and write tensors at fixed addresses.
  std::function<void(std::int64_t number)> call;
  std::function<void(std::int64_t number)> between = {};  ///< behind each call, never part of a graph
  std::function<void()> ended = {};                       ///< when the host has waited for a call on a GPU
  std::size_t ahead = static_cast<std::size_t>(-1);  ///< calls that are launched before the first of them has ended
};

/// Runs calls. On a GPU they are launched ahead, and with `graph` the third and later ones are replays of one captured
/// graph; the host waits event by event, to report them. The second one runs outside the graph: it makes the libraries
/// choose and allocate what they must. A graph needs a grouped or every_expert path and all layers on one GPU.
LoopTimes run_calls(const CallLoop& loop, at::Device device, bool graph, const StepReport& report,
                    const SteadyHook& steady = {});

/// Runs a whole denoising loop, whose calls are its steps; only when all are launched does the host wait.
LoopTimes run_loop(Denoiser& denoiser, const at::Tensor& noise, std::int64_t steps, at::Device device, bool graph,
                   const StepReport& report, const SteadyHook& steady = {});

/// How experts are best computed there: in grouped products where LibTorch, device and type have them.
ExpertPath best_experts(const ModelConfig& config, at::Device device, at::ScalarType dtype);

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_GRAPH_HPP
