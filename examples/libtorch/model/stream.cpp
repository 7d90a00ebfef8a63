// SPDX-License-Identifier: MIT
#include "model/stream.hpp"

#include <sys/mman.h>  // mmap

#include <algorithm>  // max
#include <cerrno>     // errno
#include <cstring>    // memcpy, strerror
#include <map>        // map

#include "adapter/error.hpp"

#if HUNYUAN_GENERATE_CUDA
#include <ATen/cuda/CUDAEvent.h>     // CUDAEvent
#include <c10/cuda/CUDAException.h>  // C10_CUDA_CHECK
#include <c10/cuda/CUDAStream.h>     // getStreamFromPool
#include <cuda_runtime_api.h>        // cudaHostRegister, cudaMemcpyAsync

#include <optional>  // optional
#endif

namespace hunyuan_generate {
namespace {

constexpr std::size_t alignment = 256;  // of each tensor in a buffer

// Host memory of exactly this size (an allocator that rounds up to powers of two would nearly double a layer), which a
// GPU's copy engine can read by itself.
class HostMemory {
 public:
  HostMemory(std::size_t bytes, bool page_locked) : bytes_(bytes), page_locked_(page_locked) {
    void* address = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (address == MAP_FAILED) {
      throw Error("layers in host memory: no room for " + std::to_string(bytes) + " bytes: " + std::strerror(errno));
    }
    data_ = static_cast<char*>(address);
#if HUNYUAN_GENERATE_CUDA
    if (page_locked) C10_CUDA_CHECK(cudaHostRegister(data_, bytes_, cudaHostRegisterDefault));
#endif
  }
  ~HostMemory() {
#if HUNYUAN_GENERATE_CUDA
    if (page_locked_) (void)cudaHostUnregister(data_);
#endif
    ::munmap(data_, bytes_);
  }
  HostMemory(const HostMemory&) = delete;
  HostMemory& operator=(const HostMemory&) = delete;

  [[nodiscard]] char* data() const noexcept { return data_; }
  [[nodiscard]] std::size_t size() const noexcept { return bytes_; }
  [[nodiscard]] bool page_locked() const noexcept { return page_locked_; }

 private:
  char* data_ = nullptr;
  std::size_t bytes_;
  bool page_locked_;
};

// A tensor in memory of somebody else's; the same sizes and strides.
struct Part {
  at::Tensor* tensor;
  std::vector<std::int64_t> sizes, strides;
  at::TensorOptions options;
  std::size_t offset, bytes;
};

struct StreamedLayer {
  std::size_t layer, slot;
  std::vector<Part> parts;
  std::unique_ptr<HostMemory> host;
};

// One of the two buffers, and the layer whose weights are in it or on their way.
struct Slot {
  at::Tensor bytes;
  const StreamedLayer* holds = nullptr;
#if HUNYUAN_GENERATE_CUDA
  at::cuda::CUDAEvent is_free, is_ready;
#endif
};

}  // namespace

struct LayerStream::Parts {
  explicit Parts(at::Device on) : device(on) {}

  // Starts to copy a layer to its buffer, after everything launched so far.
  void fetch(const StreamedLayer& layer) {
    Slot& slot = slots[layer.slot];
    slot.holds = &layer;
#if HUNYUAN_GENERATE_CUDA
    if (device.is_cuda()) {
      if (!copies) copies = c10::cuda::getStreamFromPool(/*isHighPriority=*/false, device.index());
      slot.is_free.record(c10::cuda::getCurrentCUDAStream(device.index()));
      slot.is_free.block(*copies);
      C10_CUDA_CHECK(cudaMemcpyAsync(slot.bytes.data_ptr(), layer.host->data(), layer.host->size(),
                                     cudaMemcpyHostToDevice, copies->stream()));
      slot.is_ready.record(*copies);
      return;
    }
#endif
    std::memcpy(slot.bytes.data_ptr(), layer.host->data(), layer.host->size());
  }

  void wait(Slot& slot) const {
#if HUNYUAN_GENERATE_CUDA
    if (device.is_cuda()) slot.is_ready.block(c10::cuda::getCurrentCUDAStream(device.index()));
#else
    (void)slot;
#endif
  }

  // The layer that comes next into the buffer of this one: the next but one, or the first of the next pass.
  [[nodiscard]] const StreamedLayer& next_in_slot(std::size_t index) const {
    return *order[index + 2 < order.size() ? index + 2 : order[index]->slot];
  }

  at::Device device;
  std::map<std::size_t, StreamedLayer> layers;
  std::vector<const StreamedLayer*> order;
  std::map<std::size_t, std::size_t> place;  // of a layer in the order
  Slot slots[2];
  std::int64_t bytes = 0;
#if HUNYUAN_GENERATE_CUDA
  std::optional<c10::cuda::CUDAStream> copies;
#endif
};

LayerStream::LayerStream(at::Device device) : parts_(std::make_unique<Parts>(device)) {}

LayerStream::~LayerStream() {
#if HUNYUAN_GENERATE_CUDA
  if (parts_->copies) (void)cudaStreamSynchronize(parts_->copies->stream());
#endif
}

void LayerStream::take(std::size_t layer, const std::vector<at::Tensor*>& weights) {
  StreamedLayer streamed{layer, 0, {}, nullptr};
  std::size_t end = 0;
  for (at::Tensor* weight : weights) {
    if (!weight->is_non_overlapping_and_dense()) throw Error("a streamed layer's weights must fill their memory");
    const std::size_t bytes = weight->nbytes();
    streamed.parts.push_back({weight, weight->sizes().vec(), weight->strides().vec(), weight->options(), end, bytes});
    end = (end + bytes + alignment - 1) / alignment * alignment;
  }
  streamed.host = std::make_unique<HostMemory>(end, parts_->device.is_cuda());
  for (const Part& part : streamed.parts) {
    at::from_blob(streamed.host->data() + part.offset, part.sizes, part.strides, part.options.device(at::kCPU))
        .copy_(*part.tensor);
    *part.tensor = at::Tensor();
  }
  parts_->bytes += static_cast<std::int64_t>(end);
  parts_->layers.emplace(layer, std::move(streamed));
}

void LayerStream::finish() {
  std::size_t largest = 0;
  for (auto& [number, layer] : parts_->layers) {
    layer.slot = parts_->order.size() % 2;
    parts_->place[number] = parts_->order.size();
    parts_->order.push_back(&layer);
    largest = std::max(largest, layer.host->size());
  }
  const std::size_t used = std::min<std::size_t>(2, parts_->order.size());
  const auto options = at::TensorOptions().dtype(at::kByte).device(parts_->device);
  for (std::size_t i = 0; i < used; ++i)
    parts_->slots[i].bytes = at::empty({static_cast<std::int64_t>(largest)}, options);
  for (const StreamedLayer* layer : parts_->order) {
    char* start = static_cast<char*>(parts_->slots[layer->slot].bytes.data_ptr());
    for (const Part& part : layer->parts)
      *part.tensor = at::from_blob(start + part.offset, part.sizes, part.strides, part.options);
  }
  for (std::size_t i = 0; i < used; ++i) parts_->fetch(*parts_->order[i]);
}

void LayerStream::before(std::size_t layer) {
  const auto found = parts_->place.find(layer);
  if (found == parts_->place.end()) return;
  const StreamedLayer& streamed = *parts_->order[found->second];
  Slot& slot = parts_->slots[streamed.slot];
  if (slot.holds != &streamed) parts_->fetch(streamed);  // a pass ended early
  parts_->wait(slot);
}

void LayerStream::after(std::size_t layer) {
  const auto found = parts_->place.find(layer);
  if (found != parts_->place.end()) parts_->fetch(parts_->next_in_slot(found->second));
}

std::int64_t LayerStream::host_bytes() const noexcept { return parts_->bytes; }

}  // namespace hunyuan_generate
