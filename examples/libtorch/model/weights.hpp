// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_WEIGHTS_HPP
#define HUNYUAN_GENERATE_WEIGHTS_HPP

#include <ATen/ATen.h>  // Tensor, Device, ScalarType

#include <filesystem>  // path
#include <functional>  // function
#include <map>         // map
#include <memory>      // shared_ptr
#include <mutex>       // mutex
#include <set>         // set
#include <string>      // string
#include <utility>     // move
#include <vector>      // vector

#include "model/parallel.hpp"
#include "model/safetensors.hpp"

namespace hunyuan_generate {

/// The tensors of a checkpoint folder: the shards of `model.safetensors.index.json` if that file is there, else
/// `model.safetensors`. Remembers which tensors were asked for. Several threads may ask at once.
class Checkpoint {
 public:
  /// Opens and checks every file of the checkpoint; throws Error naming the file (and tensor) at fault.
  explicit Checkpoint(const std::filesystem::path& folder);

  /// A checkpoint without files, whose every tensor is drawn when it is asked for: ones for norms, zeros for biases,
  /// else normal numbers of standard deviation 1 / sqrt(inputs), from the default generators of LibTorch.
  [[nodiscard]] static Checkpoint random() { return Checkpoint(); }
  [[nodiscard]] bool is_random() const noexcept { return random_; }

  [[nodiscard]] bool contains(const std::string& name) const { return owner_.count(name) != 0; }
  /// How a tensor is stored; a null pointer when there is none.
  [[nodiscard]] const TensorEntry* find(const std::string& name) const;

  /// The tensor on the CPU as it is stored (see SafetensorsFile::tensor). Throws Error naming the tensor, the shape
  /// found and the shape expected when it is missing or has another shape.
  [[nodiscard]] at::Tensor tensor(const std::string& name, c10::IntArrayRef shape) const;

  /// Numbers in all tensors whose names start with `prefix`.
  [[nodiscard]] std::int64_t elements(const std::string& prefix) const;

  /// Names of the tensors that were never asked for, in alphabetical order.
  [[nodiscard]] std::vector<std::string> unused() const;

  /// Hears of the bytes that were read so far, out of those of all tensors that had been asked for before: what
  /// check_tensors has looked at is what will be loaded. Called by one thread at a time; empty: nobody listens.
  using Progress = std::function<void(std::int64_t done, std::int64_t all)>;
  void start_progress(Progress progress) const;

 private:
  friend class WeightLoader;

  // What threads change.
  struct Shared {
    std::mutex mutex;
    std::set<std::string> used;
    Progress progress;
    std::int64_t read = 0, all = 0;
  };

  Checkpoint() : where_("random weights"), random_(true) {}
  // A tensor has been read; where it was copied, its pages of the file are not needed any more.
  void finish(const std::string& name, bool copied) const;
  void open_shards(const std::filesystem::path& folder, const std::filesystem::path& index);

  std::string where_;
  std::map<std::string, std::shared_ptr<const SafetensorsFile>> owner_;  // file of every tensor
  std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
  bool random_ = false;
};

/// Gives a module the tensors under its prefix, in the type and on the device it computes with. Cheap to copy. The
/// checkpoint must outlive it. No copy is made on the CPU when the stored type is the one asked for.
class WeightLoader {
 public:
  WeightLoader(const Checkpoint& checkpoint, at::ScalarType dtype, at::Device device,
               std::shared_ptr<const Parallel> parallel = Parallel::alone())
      : checkpoint_(&checkpoint), dtype_(dtype), device_(device), parallel_(std::move(parallel)) {}

  /// The same loader with `name` and a dot added to its prefix.
  [[nodiscard]] WeightLoader at(const std::string& name) const {
    return changed([&](WeightLoader& loader) { loader.prefix_ += name + "."; });
  }

  /// The same loader for another device.
  [[nodiscard]] WeightLoader on(at::Device device) const {
    return changed([&](WeightLoader& loader) { loader.device_ = device; });
  }

  /// The same loader with another element type.
  [[nodiscard]] WeightLoader as(at::ScalarType dtype) const {
    return changed([&](WeightLoader& loader) { loader.dtype_ = dtype; });
  }

  /// The same loader, whose tensor() gives this process's part along `axis` only, of each of `blocks` equal blocks
  /// there. Shapes are asked for whole; nothing but the part is read.
  [[nodiscard]] WeightLoader split(std::int64_t axis, std::int64_t blocks = 1) const {
    return changed([&](WeightLoader& loader) {
      if (parallel_->tensor.count > 1) loader.axis_ = axis, loader.blocks_ = blocks;
    });
  }

  [[nodiscard]] bool contains(const std::string& name) const { return checkpoint_->contains(prefix_ + name); }
  /// Throws Error when the tensor is missing or its shape is not `shape`.
  [[nodiscard]] at::Tensor tensor(const std::string& name, c10::IntArrayRef shape) const;
  /// Loads this process's part of `count` tensors of one shape, prefix + "{i}." + name, into one array
  /// [part, shape...].
  [[nodiscard]] at::Tensor stacked(const std::string& name, std::int64_t count, c10::IntArrayRef shape) const;

  /// A weight stored as e4m3 numbers: their bytes [out, in] and the float32 scale of each output [out], this process's
  /// part of both, on the device.
  struct Quantised {
    at::Tensor bytes, scale;
  };
  [[nodiscard]] bool is_quantised(const std::string& name) const;
  /// Reads `name` and `name`_scale, whose shape is [out, 1], [out], [1] or []. Throws Error naming the tensor.
  [[nodiscard]] Quantised quantised(const std::string& name, c10::IntArrayRef shape) const;

  [[nodiscard]] at::ScalarType dtype() const noexcept { return dtype_; }
  [[nodiscard]] at::Device device() const noexcept { return device_; }
  [[nodiscard]] bool is_random() const noexcept { return checkpoint_->is_random(); }
  /// What this process has of the model.
  [[nodiscard]] const std::shared_ptr<const Parallel>& parallel() const noexcept { return parallel_; }

 private:
  template <class Change>
  [[nodiscard]] WeightLoader changed(Change&& change) const {
    WeightLoader loader = *this;
    change(loader);
    return loader;
  }

  at::Tensor part_of(const at::Tensor& whole, const std::string& name) const;
  at::Tensor stored(const std::string& name, c10::IntArrayRef shape) const;
  at::Tensor drawn(const std::string& name, c10::IntArrayRef shape, std::int64_t copies) const;

  const Checkpoint* checkpoint_;
  at::ScalarType dtype_;
  at::Device device_;
  std::shared_ptr<const Parallel> parallel_;
  std::int64_t axis_ = -1, blocks_ = 1;  // of split; -1 = everything
  std::string prefix_;
};

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_WEIGHTS_HPP
