// SPDX-License-Identifier: MIT
#include "pipeline/devices.hpp"

#include <ATen/Context.h>        // globalContext
#include <c10/util/Exception.h>  // c10::Error
#include <sys/resource.h>        // getrusage

#include <algorithm>  // max
#include <chrono>     // steady_clock
#include <fstream>    // ifstream
#include <sstream>    // istringstream

#include "adapter/error.hpp"

#if HUNYUAN_GENERATE_CUDA
#include <c10/cuda/CUDACachingAllocator.h>  // getDeviceStats
#include <c10/cuda/CUDAException.h>         // C10_CUDA_CHECK
#include <c10/cuda/CUDAFunctions.h>         // device_count, device_synchronize
#include <c10/cuda/CUDAGuard.h>             // CUDAGuard
#include <cuda_runtime_api.h>               // cudaMemGetInfo
#endif

namespace hunyuan_generate {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

std::vector<at::Device> parse_devices(const std::string& option, const std::string& text) {
  std::vector<at::Device> devices;
  std::istringstream list(text);
  for (std::string part; std::getline(list, part, ',');) {
    const bool number = !part.empty() && part.find_first_not_of("0123456789") == std::string::npos;
    try {
      at::Device device(number ? "cuda:" + part : part);
      if (device.is_cuda() && !device.has_index()) device.set_index(0);
      if (!device.is_cpu() && !device.is_cuda()) throw Error("");
      devices.push_back(device);
    } catch (const std::exception&) {
      throw Error(option + ": '" + part + "' is no device (cpu, cuda, cuda:1 or 1)");
    }
  }
  if (devices.empty()) throw Error(option + ": no device is named");
  return devices;
}

LoadOptions load_options(const std::string& option, const std::string& devices, const std::string& dtype) {
  LoadOptions load;
  load.layer_devices = parse_devices(option, devices);
  load.device = load.layer_devices.front();
  if (load.layer_devices.size() == 1) load.layer_devices.clear();
  const bool cpu = load.device.is_cpu();
  const std::string type = !dtype.empty() ? dtype : cpu ? "fp32" : "bf16";
  if (type != "fp32" && type != "bf16" && type != "fp16" && type != "fp8")
    throw Error("--dtype: '" + type + "' is none of fp32, bf16, fp16, fp8");
  const bool small = type == "fp8";
  load.dtype = type == "fp32" || (small && cpu) ? at::kFloat : type == "fp16" ? at::kHalf : at::kBFloat16;
  load.precision = small ? Precision::fp8 : Precision::plain;
  if (cpu && load.dtype == at::kHalf) throw Error("--dtype fp16 needs a GPU; use fp32 or bf16 on the CPU");
  load.vae_dtype = cpu || load.dtype == at::kFloat ? at::kFloat : at::kHalf;
  for (const at::Device device : load.devices()) {
    prepare_device(device);
    if (small && device.is_cuda() && !small_products(device)) {
      throw Error("--dtype fp8 needs LibTorch 2.8 or later and GPUs of compute capability 9.0; " + device.str() +
                  " is another");
    }
  }
  return load;
}

hunyuan_reso::Precision planned_precision(const LoadOptions& load) {
  if (load.precision == Precision::fp8) return hunyuan_reso::Precision::fp8;
  return load.dtype == at::kFloat ? hunyuan_reso::Precision::fp32 : hunyuan_reso::Precision::bf16;
}

void prepare_device(at::Device device) {
  at::globalContext().setAllowTF32CuBLAS(false);
  at::globalContext().setAllowTF32CuDNN(false);
  if (!device.is_cuda()) return;
#if HUNYUAN_GENERATE_CUDA
  const auto count = c10::cuda::device_count();
  if (device.index() >= count) {
    throw Error("device " + device.str() + " does not exist: there are " + std::to_string(count) + " GPUs");
  }
#else
  throw Error("device " + device.str() + ": this program was built with a LibTorch without CUDA");
#endif
}

void make_current([[maybe_unused]] at::Device device) {
#if HUNYUAN_GENERATE_CUDA
  if (device.is_cuda()) c10::cuda::set_device(device.index());
#endif
}

void synchronize([[maybe_unused]] at::Device device) {
#if HUNYUAN_GENERATE_CUDA
  if (!device.is_cuda()) return;
  const c10::cuda::CUDAGuard guard(device);
  c10::cuda::device_synchronize();
#endif
}

std::int64_t peak_memory(at::Device device) {
#if HUNYUAN_GENERATE_CUDA
  if (device.is_cuda()) return c10::cuda::CUDACachingAllocator::getDeviceStats(device.index()).reserved_bytes[0].peak;
#endif
  struct rusage usage {};
  return device.is_cpu() && ::getrusage(RUSAGE_SELF, &usage) == 0 ? usage.ru_maxrss * std::int64_t{1024} : 0;
}

double copy_rate(at::Device device) {
  const std::int64_t bytes = device.is_cuda() ? 256 << 20 : 16 << 20;
  const auto options = at::TensorOptions().dtype(at::kByte);
  const at::Tensor there = at::empty({bytes}, options.device(device));
  const at::Tensor here = at::zeros({bytes}, options.pinned_memory(device.is_cuda()));
  double best = 0;
  for (int i = 0; i < 4; ++i) {
    synchronize(device);
    const double start = now();
    there.copy_(here, /*non_blocking=*/true);
    synchronize(device);
    best = std::max(best, static_cast<double>(bytes) / std::max(now() - start, 1e-9));
  }
  return best;
}

void reset_peak_memory([[maybe_unused]] at::Device device) {
#if HUNYUAN_GENERATE_CUDA
  if (device.is_cuda()) c10::cuda::CUDACachingAllocator::resetPeakStats(device.index());
#endif
}

void release_memory() {
#if HUNYUAN_GENERATE_CUDA
  c10::cuda::CUDACachingAllocator::emptyCache();
#endif
}

std::int64_t free_memory([[maybe_unused]] at::Device device) {
#if HUNYUAN_GENERATE_CUDA
  if (device.is_cuda()) {
    const c10::cuda::CUDAGuard guard(device);
    (void)at::empty({1}, at::TensorOptions().device(device));  // nobody may have used the device so far
    std::size_t free = 0, all = 0;
    C10_CUDA_CHECK(cudaMemGetInfo(&free, &all));
    // What the allocator keeps for later is free as well.
    const auto stats = c10::cuda::CUDACachingAllocator::getDeviceStats(device.index());
    return static_cast<std::int64_t>(free) + stats.reserved_bytes[0].current - stats.allocated_bytes[0].current;
  }
#endif
  std::ifstream lines("/proc/meminfo");
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string key;
    std::int64_t kib = 0;
    if (words >> key >> kib && key == "MemAvailable:") return kib * 1024;
  }
  return 0;
}

}  // namespace hunyuan_generate
