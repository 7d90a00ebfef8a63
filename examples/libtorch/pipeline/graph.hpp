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
/// Called with true before step 2 is launched and with false when the last step has ended; for profilers.
using SteadyHook = std::function<void(bool begins)>;

/// Runs a whole loop. On a GPU every step is launched without waiting for the one before, and with `graph` steps 2 and
/// later are replays of one captured graph; only when all are launched does the host wait, event by event, to report
/// them. Step 1 runs outside the graph: it makes the libraries choose and allocate what they must. A graph needs a
/// grouped or every_expert path and all layers on one GPU.
LoopTimes run_loop(Denoiser& denoiser, const at::Tensor& noise, std::int64_t steps, at::Device device, bool graph,
                   const StepReport& report, const SteadyHook& steady = {});

/// How experts are best computed there: in grouped products where LibTorch, device and type have them.
ExpertPath best_experts(const ModelConfig& config, at::Device device, at::ScalarType dtype);

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_GRAPH_HPP
