// SPDX-License-Identifier: MIT
#include "pipeline/tiled_loop.hpp"

#include <chrono>  // steady_clock

#include "adapter/error.hpp"
#include "pipeline/loop_stream.hpp"

#if HUNYUAN_GENERATE_CUDA
#include <ATen/cuda/CUDAEvent.h>     // CUDAEvent
#include <ATen/cuda/CUDAGraph.h>     // CUDAGraph
#include <c10/cuda/CUDAFunctions.h>  // device_synchronize
#include <c10/cuda/CUDAGuard.h>      // CUDAGuard, CUDAStreamGuard

#include <deque>  // deque
#endif

namespace hunyuan_generate {
namespace {

namespace hr = hunyuan_reso;

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

void call(TiledCanvas& canvas, const TileModel& model, bool first) {
  canvas.add(model.direction(canvas.batch(), first));
}

void end_step(TiledCanvas& canvas, const TileModel& model) {
  canvas.finish_step();
  if (model.next_step) model.next_step();
}

LoopTimes run_on_host(TiledCanvas& canvas, const TileModel& model, std::int64_t steps, const StepReport& report) {
  LoopTimes times;
  const double begin = now();
  for (std::int64_t step = 0; step < steps; ++step) {
    for (std::int64_t batch = 0; batch < canvas.batches(); ++batch) {
      const double start = now();
      call(canvas, model, step == 0 && batch == 0);
      times.steps.push_back(now() - start);
      if (report) report(static_cast<std::int64_t>(times.steps.size()) - 1, times.steps.back());
    }
    end_step(canvas, model);
  }
  times.wall = now() - begin;
  return times;
}

#if HUNYUAN_GENERATE_CUDA

struct TimedCall {
  at::cuda::CUDAEvent begin{cudaEventDefault}, end{cudaEventDefault};
};

LoopTimes run_on_gpu(TiledCanvas& canvas, const TileModel& model, std::int64_t steps, at::Device device, bool graph,
                     const StepReport& report) {
  constexpr std::size_t ahead = 4;  // calls that are launched before the first of them has ended
  const c10::cuda::CUDAGuard device_guard(device);
  c10::cuda::device_synchronize();  // buffers were made on another stream
  const c10::cuda::CUDAStreamGuard stream_guard(loop_stream(device.index()));
  LoopTimes times;
  std::deque<TimedCall> timed;
  const auto settle = [&](std::size_t left) {
    for (; timed.size() > left; timed.pop_front()) {
      timed.front().end.synchronize();
      times.steps.push_back(static_cast<double>(timed.front().begin.elapsed_time(timed.front().end)) / 1000);
      if (report) report(static_cast<std::int64_t>(times.steps.size()) - 1, times.steps.back());
    }
  };
  at::cuda::CUDAGraph captured;
  const std::int64_t calls = steps * canvas.batches();
  const bool captures = graph && calls > 2;
  double begin = now();
  for (std::int64_t number = 0; number < calls; ++number) {
    if (captures && number == 2) {
      c10::cuda::device_synchronize();
      const double start = now();
      captured.capture_begin();
      call(canvas, model, false);
      captured.capture_end();
      times.capture = now() - start;
      times.graph = true;
      begin += times.capture;
    }
    timed.emplace_back();
    timed.back().begin.record();
    times.graph ? captured.replay() : call(canvas, model, number == 0);
    timed.back().end.record();
    settle(ahead);
    if ((number + 1) % canvas.batches() == 0) end_step(canvas, model);
  }
  settle(0);
  c10::cuda::device_synchronize();
  times.wall = now() - begin;
  return times;
}

#endif

}  // namespace

TiledCanvas::TiledCanvas(const hr::TileLayout& tiles, std::int64_t channels, std::int64_t at_once,
                         const ScheduleTensors& schedule, at::Device device)
    : at_once_(at_once) {
  const hr::Resolution canvas = tiles.canvas_cells();
  const hr::Tile size = tiles.tile_cells(0);
  height_ = size.height;
  width_ = size.width;
  if (at_once < 1 || tiles.size() % at_once != 0) {
    throw Error(std::to_string(tiles.size()) + " tiles do not make whole batches of " + std::to_string(at_once));
  }
  const std::int64_t count = tiles.size(), batches = count / at_once;
  cells_ = at::empty({count, height_ * width_}, at::kLong);
  weights_ = at::empty({count, height_ * width_}, at::kDouble);
  auto* cell = cells_.data_ptr<std::int64_t>();
  auto* weight = weights_.data_ptr<double>();
  std::vector<double> row_shares(static_cast<std::size_t>(height_)), column_shares(static_cast<std::size_t>(width_));
  for (std::int32_t i = 0; i < tiles.size(); ++i) {
    const hr::Tile tile = tiles.tile_cells(i);
    for (std::int32_t r = 0; r < tile.height; ++r) {
      row_shares[static_cast<std::size_t>(r)] = tiles.row_share(i / tiles.columns(), tile.top + r);
    }
    for (std::int32_t c = 0; c < tile.width; ++c) {
      column_shares[static_cast<std::size_t>(c)] = tiles.column_share(i % tiles.columns(), tile.left + c);
    }
    for (std::int32_t r = 0; r < tile.height; ++r) {
      for (std::int32_t c = 0; c < tile.width; ++c) {
        *cell++ = std::int64_t{tile.top + r} * canvas.width + tile.left + c;
        *weight++ = row_shares[static_cast<std::size_t>(r)] * column_shares[static_cast<std::size_t>(c)];
      }
    }
  }
  cells_ = cells_.view({batches, -1}).to(device);
  weights_ = weights_.view({batches, at_once, -1}).to(device);
  which_ = at::zeros({1}, cells_.options());
  step_ = at::zeros({1}, cells_.options());
  sigma_steps_ = schedule.sigma_steps().to(device);
  latents_ = at::zeros({1, channels, canvas.height, canvas.width}, sigma_steps_.options());
  sums_ = at::zeros({channels, canvas.pixel_count()}, weights_.options());
}

void TiledCanvas::start(const at::Tensor& latents, std::int64_t step) {
  if (latents.sizes() != latents_.sizes()) {
    throw Error("the canvas's latents are " + shape_text(latents.sizes()) + ", expected " +
                shape_text(latents_.sizes()));
  }
  latents_.copy_(latents);
  sums_.zero_();
  which_.zero_();
  step_.fill_(step);
}

at::Tensor TiledCanvas::batch() const {
  const at::Tensor cells = cells_.index_select(0, which_).squeeze(0);
  const at::Tensor found = latents_.flatten(2).squeeze(0).index_select(1, cells);
  return found.view({found.size(0), at_once_, height_, width_}).transpose(0, 1).contiguous();
}

void TiledCanvas::add(const at::Tensor& directions) {
  const at::Tensor cells = cells_.index_select(0, which_).view({at_once_, -1});
  const at::Tensor weighted =
      directions.flatten(2).to(at::kDouble) * weights_.index_select(0, which_).view({at_once_, 1, -1});
  // Tile by tile: cells of one tile differ, so the order of every sum is known.
  for (std::int64_t i = 0; i < at_once_; ++i) sums_.index_add_(1, cells.select(0, i), weighted.select(0, i));
  which_.add_(1);
}

void TiledCanvas::finish_step() {
  const at::Tensor direction = (sums_ / static_cast<double>(hr::TileLayout::weight_one)).to(at::kFloat);
  latents_.add_(direction.view(latents_.sizes()) * sigma_steps_.index_select(0, step_));
  sums_.zero_();
  which_.zero_();
  step_.add_(1);
}

TileModel tile_model(Denoiser& denoiser) {
  return {[&](const at::Tensor& latents, bool first) { return denoiser.direction(latents, first); },
          [&] { denoiser.next_step(); }};
}

LoopTimes run_tiles(TiledCanvas& canvas, const TileModel& model, std::int64_t steps, at::Device device, bool graph,
                    const StepReport& report) {
#if HUNYUAN_GENERATE_CUDA
  if (device.is_cuda()) return run_on_gpu(canvas, model, steps, device, graph, report);
#else
  (void)device, (void)graph;
#endif
  return run_on_host(canvas, model, steps, report);
}

}  // namespace hunyuan_generate
