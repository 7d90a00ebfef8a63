// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_DEVICES_HPP
#define HUNYUAN_GENERATE_DEVICES_HPP

#include <ATen/ATen.h>  // Device

#include <cstdint>  // int64_t
#include <string>   // string
#include <vector>   // vector

#include "model/model.hpp"

namespace hunyuan_generate {

/// Seconds of a clock that only goes forward.
double now();
/// For people to read.
inline double in_gib(std::int64_t bytes) { return static_cast<double>(bytes) / (1024.0 * 1024.0 * 1024.0); }

/// Devices of an option, separated by commas: "cpu", "cuda", "cuda:1" or "1". Throws Error naming the option.
std::vector<at::Device> parse_devices(const std::string& option, const std::string& text);
/// The layers on those devices, everything else on the first; types as published: bfloat16 on a GPU with a float16 VAE,
/// float32 on the CPU, or what `dtype` says: fp32, bf16, fp16, or fp8, which is bf16 with the products of the decoder
/// layers in e4m3 (on a CPU float32 with the same roundings, to see what they do to a result).
LoadOptions load_options(const std::string& option, const std::string& devices, const std::string& dtype);

/// What the plan calls that.
hunyuan_reso::Precision planned_precision(const LoadOptions& load);

/// Switches products of reduced precision off for float32 and checks that the device exists; throws Error.
void prepare_device(at::Device device);
/// Makes a GPU the current one, so that what names no device goes there.
void make_current(at::Device device);
/// Waits for everything launched on the device.
void synchronize(at::Device device);
/// Largest number of bytes that tensors and captured graphs reserved on a GPU since the last reset; on the CPU those
/// that the process ever had in memory, pages of mapped files included.
std::int64_t peak_memory(at::Device device);
void reset_peak_memory(at::Device device);
/// Gives cached memory back to the driver.
void release_memory();

/// Bytes that are free on a GPU, or that the CPU has available; 0 where nobody knows.
std::int64_t free_memory(at::Device device);
/// Bytes a second that a copy from host memory to the device takes, measured.
double copy_rate(at::Device device);

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_DEVICES_HPP
