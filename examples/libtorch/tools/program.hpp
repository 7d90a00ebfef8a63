// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_PROGRAM_HPP
#define HUNYUAN_GENERATE_PROGRAM_HPP

#include <c10/core/InferenceMode.h>  // InferenceMode
#include <c10/util/Exception.h>      // c10::Error

#include <CLI/CLI.hpp>
#include <cstdio>      // freopen, fprintf, setvbuf
#include <functional>  // function
#include <memory>      // unique_ptr
#include <nlohmann/json.hpp>
#include <string>  // string

#include "adapter/error.hpp"
#include "pipeline/processes.hpp"

namespace hunyuan_generate {

/// A wrong combination of options.
class UsageError : public Error {
 public:
  using Error::Error;
};

/// What the programs have in common: options, the processes that run one together, errors, exit status.
struct Program {
  Program(const char* about, const char* name) : app(about, name) {
    std::setvbuf(stdout, nullptr, _IOLBF, 0);  // each line is seen when it is there
  }

  [[nodiscard]] bool is_shared() const { return !parallel.empty(); }
  /// With --parallel, this process's place and its part of the devices. From now on only the first process prints.
  void take_place() {
    if (is_shared()) {
      layout = parse_layout("--parallel", parallel);
      place = place_from_environment();
      devices = own_devices("--devices", devices, place);
    }
    if (!place.is_first() && std::freopen("/dev/null", "w", stdout) == nullptr) throw Error("cannot open /dev/null");
  }

  /// With --parallel, meets the other processes; to be called before anything else that can fail.
  std::shared_ptr<const Parallel> meet(at::Device device) {
    if (!is_shared()) return Parallel::alone();
    processes = std::make_unique<Processes>(app.get_name(), layout, place, device, patience);
    return processes->parallel();
  }

  /// Parses the options and runs `act`. Status 0, 1 where it returns false or throws, 2 for wrong options.
  int run(int count, char** values, const std::function<bool()>& act) {
    try {
      app.parse(count, values);
    } catch (const CLI::ParseError& error) {
      return app.exit(error) == 0 ? 0 : 2;
    }
    std::string failure;
    int status = 1;
    try {
      const c10::InferenceMode inference;
      const bool good = act();
      if (processes) processes->leave();
      return good ? 0 : 1;
    } catch (const c10::Error& error) {
      failure = error.what_without_backtrace();
    } catch (const UsageError& error) {
      failure = error.what();
      status = 2;
    } catch (const std::exception& error) {
      failure = error.what();
    }
    if (processes && status == 1) processes->fail(failure);
    std::fprintf(stderr, "%s: %s\n", app.get_name().c_str(), failure.c_str());
    return status;
  }

  CLI::App app;
  std::string devices = "cpu", parallel;  ///< of the options
  double patience = 20;                   ///< seconds to wait for another process
  hunyuan_reso::ParallelLayout layout;
  Place place;
  std::unique_ptr<Processes> processes;
};

/// A line for programs that read what this one prints.
inline void print_json(const nlohmann::json& line) { std::printf("JSON %s\n", line.dump().c_str()); }

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_PROGRAM_HPP
