// SPDX-License-Identifier: MIT
// hunyuan-generate-check: runs what is recorded in a folder and compares it with what was recorded.
#include <c10/core/InferenceMode.h>  // InferenceMode
#include <c10/util/Exception.h>      // c10::Error

#include <CLI/CLI.hpp>
#include <cstdio>  // printf
#include <map>     // map

#include "pipeline/devices.hpp"
#include "pipeline/folder.hpp"
#include "pipeline/processes.hpp"
#include "tools/check.hpp"
#include "tools/recording.hpp"

namespace hunyuan_generate {
namespace {

struct Arguments {
  std::string folder, requests, pixels, only, devices = "cpu", dtype = "fp32", experts = "sorted", parallel;
  bool strict = false, list_unused = false, quiet = false, recorded_noise = false;
};

void add_options(CLI::App& app, Arguments& a) {
  app.add_option("DIR", a.folder,
                 "Recorded networks: config.json, model.safetensors, io.safetensors, special_tokens.json");
  app.add_option("--requests", a.requests,
                 "A checkpoint folder with recorded requests, from the prompt to the picture");
  app.add_option("--pixels", a.pixels, "A folder with recorded inputs of conditioning pictures");
  app.add_option("--device,--devices", a.devices, "Where to compute: cpu, cuda, or a list to spread the layers over")
      ->capture_default_str();
  app.add_option("--dtype", a.dtype, "fp32, or bf16 or fp8, which have looser limits")
      ->check(CLI::IsMember({"fp32", "bf16", "fp8"}))
      ->capture_default_str();
  app.add_option("--experts", a.experts, "How expert products are computed")
      ->check(CLI::IsMember({"sorted", "every", "grouped"}))
      ->capture_default_str();
  app.add_option("--case", a.only, "--requests: this case only");
  app.add_flag("--recorded-noise", a.recorded_noise, "--requests: take noise from the recording, not from the seed");
  app.add_flag(
      "--strict", a.strict,
      "Recorded tensors that are neither input nor computed are an error, and so are unused tensors of the model");
  app.add_flag("--list-unused", a.list_unused, "List the model's tensors that are not used");
  app.add_option("--parallel", a.parallel,
                 "tpN, cfgN or tpNcfgM: compare what N processes, started with torchrun, compute together");
  app.add_flag("--quiet", a.quiet, "Print failures and totals only");
}

bool report_unused(const Checkpoint& checkpoint, const Arguments& arguments) {
  bool good = true;
  for (const std::string& name : checkpoint.unused()) {
    const bool pooling_head = name.rfind("vision_model.head.", 0) == 0;
    if (arguments.list_unused || (arguments.strict && !pooling_head)) std::printf("unused tensor: %s\n", name.c_str());
    good = good && (pooling_head || !arguments.strict);
  }
  return good;
}

bool check_networks(const Arguments& arguments, LoadOptions load) {
  const std::filesystem::path path = arguments.folder;
  load.vae_dtype = load.dtype;
  const Folder folder = read_folder(path);
  const Checkpoint checkpoint(path);
  const Model model(checkpoint, folder.config, load);
  const Arithmetic arithmetic = load.precision == Precision::fp8 ? Arithmetic::fp8
                                : load.dtype == at::kFloat       ? Arithmetic::fp32
                                                                 : Arithmetic::bf16;
  Comparison comparison(SafetensorsFile(path / "io.safetensors"), load.device, arithmetic, arguments.quiet);
  comparison.share(load.parallel->guidance, load.parallel->tensor);
  if (!arguments.quiet) std::printf("%-44s %10s %10s %10s %10s\n", "tensor", "max abs", "max rel", "measure", "limit");
  ComputeOptions compute;
  const std::map<std::string, ExpertPath> paths{
      {"sorted", ExpertPath::sorted}, {"every", ExpertPath::every_expert}, {"grouped", ExpertPath::grouped}};
  compute.experts = paths.at(arguments.experts);
  compute.drop_tokens = folder.config.moe_drop_tokens;
  CheckContext context{model, comparison, compute, folder.profile};
  check_cases(context);
  const bool all_used = report_unused(checkpoint, arguments);
  return comparison.finish(arguments.strict) && all_used;
}

bool run(const Arguments& arguments, std::unique_ptr<Processes>& processes) {
  const c10::InferenceMode inference;
  const bool shared = !arguments.parallel.empty();
  const Place place = shared ? place_from_environment() : Place();
  if (!place.is_first() && std::freopen("/dev/null", "w", stdout) == nullptr) throw Error("cannot open /dev/null");
  LoadOptions load = load_options(
      "--devices", shared ? own_devices("--devices", arguments.devices, place) : arguments.devices, arguments.dtype);
  if (shared) {
    constexpr double patience = 20;
    processes = std::make_unique<Processes>("hunyuan-generate-check", parse_layout("--parallel", arguments.parallel),
                                            place, load.device, patience);
    load.parallel = processes->parallel();
    processes->wait_for_all();
  }
  bool good = true;
  if (!arguments.pixels.empty()) good = check_pixels(arguments.pixels) && good;
  if (!arguments.requests.empty()) {
    good = check_requests(arguments.requests, load, arguments.recorded_noise, arguments.only) && good;
  }
  if (!arguments.folder.empty()) good = check_networks(arguments, load) && good;
  if (processes) processes->leave();
  return good;
}

}  // namespace
}  // namespace hunyuan_generate

int main(int count, char** values) {
  hunyuan_generate::Arguments arguments;
  CLI::App app("Compares what this program computes with what was recorded.", "hunyuan-generate-check");
  hunyuan_generate::add_options(app, arguments);
  app.require_option();
  try {
    app.parse(count, values);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  std::unique_ptr<hunyuan_generate::Processes> processes;
  std::string failure;
  try {
    return hunyuan_generate::run(arguments, processes) ? 0 : 1;
  } catch (const c10::Error& error) {
    failure = error.what_without_backtrace();
  } catch (const std::exception& error) {
    failure = error.what();
  }
  if (processes) processes->fail(failure);
  std::fprintf(stderr, "hunyuan-generate-check: %s\n", failure.c_str());
  return 1;
}
