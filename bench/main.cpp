// SPDX-License-Identifier: MIT
#include <benchmark/benchmark.h>

#include <cstdio>
#include <string>

#include <hunyuan_reso/version.hpp>

namespace {

/// The processor's name, where the system tells it.
std::string processor() {
  std::string name = "unknown";
  std::FILE* file = std::fopen("/proc/cpuinfo", "r");
  if (file == nullptr) return name;
  char line[512];
  while (std::fgets(line, sizeof line, file) != nullptr) {
    const std::string text = line;
    const std::size_t colon = text.find(": ");
    if (text.rfind("model name", 0) != 0 || colon == std::string::npos) continue;
    name = text.substr(colon + 2, text.size() - colon - 3);
    break;
  }
  std::fclose(file);
  return name;
}

#if defined(__clang__)
constexpr const char* compiler = "clang " __clang_version__;
#elif defined(__GNUC__)
constexpr const char* compiler = "GCC " __VERSION__;
#else
constexpr const char* compiler = "unknown";
#endif

}  // namespace

/// benchmark_main with the machine, the compiler and the flags in the report.
int main(int argc, char** argv) {
  benchmark::AddCustomContext("processor", processor());
  benchmark::AddCustomContext("compiler", compiler);
  benchmark::AddCustomContext("flags", HUNYUAN_RESO_BENCH_FLAGS);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
