// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_STREAM_HPP
#define HUNYUAN_GENERATE_STREAM_HPP

#include <ATen/ATen.h>  // Tensor, Device

#include <cstdint>  // int64_t
#include <memory>   // unique_ptr
#include <vector>   // vector

namespace hunyuan_generate {

/// Weights of layers that do not fit the device. They stay in host memory, page-locked where the device is a GPU, and
/// are copied to one of two buffers on the device while the layers before run. On the CPU the same copies are made, so
/// that it can be tested there.
class LayerStream {
 public:
  explicit LayerStream(at::Device device);
  ~LayerStream();
  LayerStream(const LayerStream&) = delete;
  LayerStream& operator=(const LayerStream&) = delete;

  /// Takes a layer's weights to the host and clears the tensors, which must stay where they are. Once a layer.
  void take(std::size_t layer, const std::vector<at::Tensor*>& weights);
  /// When all are taken: makes the buffers; from now on the tensors of each layer are parts of one.
  void finish();

  /// To be called around every layer of a pass. A layer that was not taken costs nothing.
  void before(std::size_t layer);
  void after(std::size_t layer);

  /// Bytes of the weights on the host.
  [[nodiscard]] std::int64_t host_bytes() const noexcept;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

/// Whether `layer` of `layers` is one of `streamed` layers, spread evenly so that each copy has resident layers to hide
/// behind.
[[nodiscard]] constexpr bool is_streamed(std::size_t layer, std::size_t layers, std::size_t streamed) noexcept {
  return (layer + 1) * streamed / layers > layer * streamed / layers;
}

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_STREAM_HPP
