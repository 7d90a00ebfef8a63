// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_TILED_LOOP_HPP
#define HUNYUAN_GENERATE_TILED_LOOP_HPP

#include <ATen/ATen.h>  // Tensor, Device

#include <cstdint>     // int64_t
#include <functional>  // function

#include "adapter/adapter.hpp"
#include "pipeline/graph.hpp"

namespace hunyuan_generate {

/// The latents of a canvas whose tiles are refined together: in each step every tile gets a prediction of its own, the
/// predictions are summed with the layout's weights, and then the whole canvas moves. Weights are whole numbers and
/// sums are binary64, so a prediction in which all tiles agree comes out as it went in, to the last bit.
///
/// All buffers are made by the constructor. `batch` and `add` read and write at fixed addresses, the number of the
/// batch included, so that one captured call serves all tiles.
class TiledCanvas {
 public:
  /// `tiles` with one cell a latent; they go in batches of `at_once`, which must divide their number.
  TiledCanvas(const hunyuan_reso::TileLayout& tiles, std::int64_t channels, std::int64_t at_once,
              const ScheduleTensors& schedule, at::Device device);

  /// Sets the latents [1, C, H, W] and the step of the schedule.
  void start(const at::Tensor& latents, std::int64_t step);
  /// The latents of the next tiles, [at once, C, h, w].
  [[nodiscard]] at::Tensor batch() const;
  /// Takes the predicted directions of these tiles, and goes on to those after them.
  void add(const at::Tensor& directions);
  /// After the last batch of a step: moves the latents along the summed directions.
  void finish_step();

  [[nodiscard]] std::int64_t batches() const { return cells_.size(0); }
  [[nodiscard]] std::int64_t at_once() const { return at_once_; }
  /// Current latents [1, C, H, W], float32.
  [[nodiscard]] const at::Tensor& latents() const noexcept { return latents_; }

 private:
  std::int64_t at_once_, height_, width_;  // of a tile, in latents
  at::Tensor cells_;                       // [batches, at once * h w], int64: where a batch's latents lie in the canvas
  at::Tensor weights_;                     // [batches, at once, h w], binary64 whole numbers
  at::Tensor which_, step_;                // [1], int64
  at::Tensor sigma_steps_;                 // [steps]
  at::Tensor latents_, sums_;              // [1, C, H, W] float32, [C, H W] binary64
};

/// What predicts directions for a canvas.
struct TileModel {
  /// Latents of some tiles, [at once, C, h, w], to their directions at the current step. `first`: the very first call.
  std::function<at::Tensor(const at::Tensor& latents, bool first)> direction;
  std::function<void()> next_step;  ///< all tiles of a step are done
};
/// The model itself. The denoiser must have as many pictures as tiles go at once, and outlive what is returned.
TileModel tile_model(Denoiser& denoiser);

/// Refines a canvas that was started, through `steps` steps. The report hears of each finished call, from 0 on. On a
/// GPU calls are launched ahead, and with `graph` all calls but the first two are replays of one captured graph; see
/// run_loop. `times.steps` has the seconds of each call.
LoopTimes run_tiles(TiledCanvas& canvas, const TileModel& model, std::int64_t steps, at::Device device, bool graph,
                    const StepReport& report);

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_TILED_LOOP_HPP
