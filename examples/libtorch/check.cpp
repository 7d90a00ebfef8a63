// SPDX-License-Identifier: MIT
// hunyuan-generate-check: runs every case recorded in a folder and compares it with what was recorded.
#include <ATen/Context.h>            // globalContext
#include <c10/core/InferenceMode.h>  // InferenceMode
#include <c10/util/Exception.h>      // c10::Error

#include <cstdio>   // printf
#include <cstring>  // strcmp
#include <map>      // map
#include <sstream>  // istringstream

#include "error.hpp"
#include "recording.hpp"

namespace hunyuan_generate {
namespace {

constexpr const char* usage =
    "usage: hunyuan-generate-check [options] DIR\n"
    "DIR holds config.json, model.safetensors (or shards), io.safetensors and special_tokens.json.\n"
    "  --device cpu|cuda[:N]           where to compute (cpu)\n"
    "  --devices LIST                  spread the layers, such as 0,1 or 0,cpu\n"
    "  --dtype fp32|bf16               type of weights and products (fp32; bf16 has looser limits)\n"
    "  --experts sorted|every|grouped  how expert products are computed (sorted)\n"
    "  --strict                        recorded tensors that are neither input nor computed are an error, and so are\n"
    "                                  tensors of the model that are not used (other than the vision tower's head)\n"
    "  --list-unused                   list the model's tensors that are not used\n"
    "  --no-library                    do not rebuild sequences, positions and masks with hunyuan_reso (library.* "
    "rows)\n"
    "  --quiet                         print failures and totals only\n";

struct Arguments {
  std::string folder;
  LoadOptions load;
  ComputeOptions compute;
  bool library = true;
  bool strict = false, list_unused = false, quiet = false;
};

at::Device parse_device(const std::string& text) {
  try {
    const at::Device device(text);
    if (device.is_cpu() || device.is_cuda()) return device;
  } catch (const c10::Error&) {
  }
  throw Error("--device: '" + text + "' is neither cpu nor cuda[:N]");
}

std::vector<at::Device> parse_devices(const std::string& text) {
  std::vector<at::Device> devices;
  std::istringstream list(text);
  for (std::string part; std::getline(list, part, ',');) {
    devices.push_back(parse_device(part == "cpu" ? part : "cuda:" + part));
  }
  if (devices.empty()) throw Error("--devices is empty");
  return devices;
}

template <class Value>
Value choose(const std::string& option, const std::string& text, const std::map<std::string, Value>& choices) {
  const auto found = choices.find(text);
  if (found == choices.end()) throw Error(option + ": '" + text + "' is not a possible value");
  return found->second;
}

Arguments parse_arguments(int count, char** values) {
  Arguments arguments;
  for (int i = 1; i < count; ++i) {
    const std::string option = values[i];
    const auto value = [&]() -> std::string {
      if (i + 1 >= count) throw Error(option + ": a value is missing");
      return values[++i];
    };
    if (option == "--device") {
      arguments.load.device = parse_device(value());
    } else if (option == "--devices") {
      arguments.load.layer_devices = parse_devices(value());
      arguments.load.device = arguments.load.layer_devices.front();
    } else if (option == "--dtype") {
      arguments.load.dtype = choose<at::ScalarType>(option, value(), {{"fp32", at::kFloat}, {"bf16", at::kBFloat16}});
    } else if (option == "--experts") {
      arguments.compute.experts = choose<ExpertPath>(
          option, value(),
          {{"sorted", ExpertPath::sorted}, {"every", ExpertPath::every_expert}, {"grouped", ExpertPath::grouped}});
    } else if (option == "--strict") {
      arguments.strict = true;
    } else if (option == "--list-unused") {
      arguments.list_unused = true;
    } else if (option == "--no-library") {
      arguments.library = false;
    } else if (option == "--quiet") {
      arguments.quiet = true;
    } else if (arguments.folder.empty() && option.rfind("--", 0) != 0) {
      arguments.folder = option;
    } else {
      throw Error("unknown argument '" + option + "'");
    }
  }
  if (arguments.folder.empty()) throw Error("the folder to check is missing");
  arguments.load.vae_dtype = arguments.load.dtype;
  return arguments;
}

// Float32 means float32: no TF32 and no reduced-precision sums in matrix products and convolutions.
void use_full_precision() {
  at::globalContext().setAllowTF32CuBLAS(false);
  at::globalContext().setAllowTF32CuDNN(false);
}

using CaseFunction = void (*)(CheckContext&, const std::string&);

// The kind of a case follows from a tensor that only this kind has.
CaseFunction find_case(const Comparison& comparison, const std::string& prefix, const std::string& leaf) {
  if (leaf == "init_latents") return check_image_case;
  if (leaf == "input_ids" && !comparison.has(prefix + "init_latents")) return check_text_case;
  if (leaf == "positions_yx") return check_rope_case;
  if (leaf == "t") return check_embedder_case;
  if (leaf == "x") return check_moe_case;
  if (leaf == "z") return check_vae_decode_case;
  if (leaf == "pixels") return check_vae_encode_case;
  if (leaf == "sigmas" && !comparison.has(prefix + "init_latents")) return check_schedule_case;
  return nullptr;
}

void run_cases(CheckContext& context) {
  for (const auto& [name, entry] : context.comparison.recorded().entries()) {
    const std::size_t dot = name.rfind('.');
    if (dot == std::string::npos) continue;
    const std::string prefix = name.substr(0, dot + 1);
    const CaseFunction run = find_case(context.comparison, prefix, name.substr(dot + 1));
    if (run == nullptr) continue;
    try {
      run(context, prefix);
    } catch (const c10::Error& error) {
      context.comparison.fail(prefix, error.what_without_backtrace());
    } catch (const std::exception& error) {
      context.comparison.fail(prefix, error.what());
    }
  }
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

int run(int count, char** values) {
  const Arguments arguments = parse_arguments(count, values);
  const std::filesystem::path folder = arguments.folder;
  const c10::InferenceMode inference;
  use_full_precision();
  const ModelConfig config = read_config(folder);
  const Checkpoint checkpoint(folder);
  const Model model(checkpoint, config, arguments.load);
  const bool reduced = arguments.load.dtype != at::kFloat;
  Comparison comparison(SafetensorsFile(folder / "io.safetensors"), arguments.load.device, reduced, arguments.quiet);

  if (!arguments.quiet) std::printf("%-44s %10s %10s %10s %10s\n", "tensor", "max abs", "max rel", "measure", "limit");
  ComputeOptions compute = arguments.compute;
  compute.drop_tokens = config.moe_drop_tokens;
  CheckContext context{model,
                       comparison,
                       compute,
                       read_ratio_slices(folder),
                       Vocabulary(config.vocab_size, folder, config.image_base_size),
                       arguments.library};
  run_cases(context);
  const bool all_used = report_unused(checkpoint, arguments);
  return comparison.finish(arguments.strict) && all_used ? 0 : 1;
}

}  // namespace
}  // namespace hunyuan_generate

int main(int count, char** values) {
  try {
    for (int i = 1; i < count; ++i) {
      if (std::strcmp(values[i], "--help") == 0) return std::printf("%s", hunyuan_generate::usage) < 0;
    }
    return hunyuan_generate::run(count, values);
  } catch (const c10::Error& error) {
    std::fprintf(stderr, "hunyuan-generate-check: %s\n", error.what_without_backtrace());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "hunyuan-generate-check: %s\n", error.what());
  }
  return 2;
}
