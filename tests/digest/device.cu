// SPDX-License-Identifier: MIT
// The sections that host and device share, answered in kernels; prints the lines of main.cpp that belong to them.
// Exit status 77 without a GPU.
#include <cinttypes>
#include <cstdio>

#include "sections.hpp"

namespace {

namespace hr = hunyuan_reso;
using namespace hunyuan_reso_digest;

bool is_fine(cudaError_t error) {
  if (error == cudaSuccess) return true;
  std::fprintf(stderr, "CUDA: %s\n", cudaGetErrorString(error));
  return false;
}

template <class Section>
__global__ void sum_answers(const hr::Model* model, const hr::SnapTable* table, std::uint32_t number,
                            unsigned long long* sum) {
  const std::uint32_t i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= Section::count) return;
  atomicAdd(sum, static_cast<unsigned long long>(answer<Section>(*model, *table, number, i)));
}

struct PrintSection {
  hr::Model* model = nullptr;
  hr::SnapTable* table = nullptr;
  unsigned long long* sum = nullptr;
  bool* failed = nullptr;

  template <class Section>
  void section() const {
    unsigned long long total = 0;
    *failed = *failed || !is_fine(cudaMemset(sum, 0, sizeof(*sum)));
    for_each_model([&](const hr::Model& host_model, const hr::SnapTable& host_table, std::uint32_t number) {
      *failed = *failed || !is_fine(cudaMemcpy(model, &host_model, sizeof(host_model), cudaMemcpyHostToDevice)) ||
                !is_fine(cudaMemcpy(table, &host_table, sizeof(host_table), cudaMemcpyHostToDevice));
      sum_answers<Section><<<(Section::count + 127) / 128, 128>>>(model, table, number, sum);
      *failed = *failed || !is_fine(cudaGetLastError());
    });
    *failed = *failed || !is_fine(cudaMemcpy(&total, sum, sizeof(total), cudaMemcpyDeviceToHost));
    std::printf("%s %016" PRIx64 "\n", Section::name, static_cast<std::uint64_t>(total));
  }
};

}  // namespace

int main() {
  int devices = 0;
  if (cudaGetDeviceCount(&devices) != cudaSuccess || devices == 0) {
    std::fprintf(stderr, "skipped: no GPU\n");
    return 77;
  }
  bool failed = false;
  PrintSection print;
  print.failed = &failed;
  if (!is_fine(cudaMalloc(&print.model, sizeof(hr::Model))) ||
      !is_fine(cudaMalloc(&print.table, sizeof(hr::SnapTable))) ||
      !is_fine(cudaMalloc(&print.sum, sizeof(*print.sum)))) {
    return 1;
  }
  for_each_section(print);
  return failed ? 1 : 0;
}
