// SPDX-License-Identifier: MIT
// hunyuan-generate-check: runs what is recorded in a folder and compares it with what was recorded.
#include <cstdio>  // printf
#include <map>     // map

#include "pipeline/devices.hpp"
#include "tools/check.hpp"
#include "tools/program.hpp"
#include "tools/recording.hpp"

namespace hunyuan_generate {
namespace {

struct Arguments {
  std::string folder, requests, pixels, only, dtype = "fp32", experts = "sorted";
  bool strict = false, list_unused = false, quiet = false, recorded_noise = false;
};

void add_options(Program& program, Arguments& a) {
  CLI::App& app = program.app;
  app.add_option("DIR", a.folder,
                 "Recorded networks: config.json, model.safetensors, io.safetensors, special_tokens.json");
  app.add_option("--requests", a.requests,
                 "A checkpoint folder with recorded requests, from the prompt to the picture");
  app.add_option("--pixels", a.pixels, "A folder with recorded inputs of conditioning pictures");
  app.add_option("--device,--devices", program.devices,
                 "Where to compute: cpu, cuda, or a list to spread the layers over")
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
  app.add_option("--parallel", program.parallel,
                 "tpN, cfgN or tpNcfgM: compare what N processes, started with torchrun, compute together");
  app.add_flag("--quiet", a.quiet, "Print failures and totals only");
  app.require_option();
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

bool run(Program& program, const Arguments& arguments) {
  program.take_place();
  LoadOptions load = load_options("--devices", program.devices, arguments.dtype);
  load.parallel = program.meet(load.device);
  if (program.processes) program.processes->wait_for_all();
  bool good = true;
  if (!arguments.pixels.empty()) good = check_pixels(arguments.pixels) && good;
  if (!arguments.requests.empty()) {
    good = check_requests(arguments.requests, load, arguments.recorded_noise, arguments.only) && good;
  }
  if (!arguments.folder.empty()) good = check_networks(arguments, load) && good;
  return good;
}

}  // namespace
}  // namespace hunyuan_generate

int main(int count, char** values) {
  hunyuan_generate::Program program("Compares what this program computes with what was recorded.",
                                    "hunyuan-generate-check");
  hunyuan_generate::Arguments arguments;
  hunyuan_generate::add_options(program, arguments);
  return program.run(count, values, [&] { return hunyuan_generate::run(program, arguments); });
}
