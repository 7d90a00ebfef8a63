// SPDX-License-Identifier: MIT
#include "model/weights.hpp"

#include <cmath>  // isfinite, sqrt

#include "adapter/error.hpp"
#include "model/json_file.hpp"

namespace hunyuan_generate {
namespace {

nlohmann::json read_index(const std::filesystem::path& path) {
  nlohmann::json index = read_json(path);
  if (!index.is_object() || !index.contains("weight_map") || !index["weight_map"].is_object()) {
    throw Error(path.string() + ": no JSON object with a 'weight_map'");
  }
  return index["weight_map"];
}

// One pass without copies: what is not finite shows in the sum. A sum that overflows says nothing by itself. Meta
// tensors have no values.
bool is_finite(const at::Tensor& tensor) {
  if (tensor.is_meta() || std::isfinite(tensor.sum(at::kFloat).item<float>())) return true;
  return tensor.isfinite().all().item<bool>();
}

[[noreturn]] void refuse_values(const std::string& name) {
  throw Error("tensor '" + name + "' holds values that are not finite");
}

}  // namespace

Checkpoint::Checkpoint(const std::filesystem::path& folder) {
  const std::filesystem::path index = folder / "model.safetensors.index.json";
  if (std::filesystem::exists(index)) {
    open_shards(folder, index);
    return;
  }
  const auto file = std::make_shared<const SafetensorsFile>(folder / "model.safetensors");
  where_ = file->name();
  for (const auto& [name, entry] : file->entries()) owner_.emplace(name, file);
}

void Checkpoint::open_shards(const std::filesystem::path& folder, const std::filesystem::path& index) {
  where_ = index.string();
  std::map<std::string, std::shared_ptr<const SafetensorsFile>> shards;
  const nlohmann::json weight_map = read_index(index);
  for (const auto& [name, value] : weight_map.items()) {
    const std::string shard = value.is_string() ? value.get<std::string>() : std::string();
    // A shard is a plain file name: an index must not reach outside its folder.
    if (shard.empty() || shard == ".." || shard.find_first_of("/\\") != std::string::npos) {
      throw Error(where_ + ": tensor '" + name + "': " + value.dump() + " is not the name of a file in this folder");
    }
    auto& file = shards[shard];
    if (!file) file = std::make_shared<const SafetensorsFile>(folder / shard);
    if (!file->contains(name)) {
      throw Error(where_ + ": tensor '" + name + "' is not in " + shard + ", where the index puts it");
    }
    owner_.emplace(name, file);
  }
}

at::Tensor Checkpoint::tensor(const std::string& name, c10::IntArrayRef shape) const {
  const auto found = owner_.find(name);
  if (found == owner_.end()) {
    throw Error(where_ + ": tensor '" + name + "' is missing (expected shape " + shape_text(shape) + ")");
  }
  const SafetensorsFile& file = *found->second;
  const TensorEntry& entry = file.entries().at(name);
  if (c10::IntArrayRef(entry.shape) != shape) {
    throw Error(file.name() + ": tensor '" + name + "' has shape " + shape_text(entry.shape) + ", expected " +
                shape_text(shape));
  }
  const std::lock_guard<std::mutex> lock(shared_->mutex);
  shared_->used.insert(name);
  return file.tensor(name);
}

const TensorEntry* Checkpoint::find(const std::string& name) const {
  const auto owner = owner_.find(name);
  return owner == owner_.end() ? nullptr : &owner->second->entries().at(name);
}

void Checkpoint::start_progress(Progress progress) const {
  const std::lock_guard<std::mutex> lock(shared_->mutex);
  shared_->progress = std::move(progress);
  shared_->read = shared_->all = 0;
  for (const std::string& name : shared_->used)
    shared_->all += static_cast<std::int64_t>(owner_.at(name)->entries().at(name).bytes);
}

void Checkpoint::finish(const std::string& name, bool copied) const {
  const SafetensorsFile& file = *owner_.at(name);
  if (copied) file.release(name);
  const std::lock_guard<std::mutex> lock(shared_->mutex);
  shared_->read += static_cast<std::int64_t>(file.entries().at(name).bytes);
  if (shared_->progress) shared_->progress(shared_->read, shared_->all);
}

std::int64_t Checkpoint::elements(const std::string& prefix) const {
  std::int64_t sum = 0;
  for (auto owner = owner_.lower_bound(prefix); owner != owner_.end() && owner->first.rfind(prefix, 0) == 0; ++owner) {
    std::int64_t count = 1;
    for (const std::int64_t size : owner->second->entries().at(owner->first).shape) count *= size;
    sum += count;
  }
  return sum;
}

std::vector<std::string> Checkpoint::unused() const {
  std::vector<std::string> names;
  for (const auto& [name, file] : owner_) {
    if (shared_->used.count(name) == 0) names.push_back(name);
  }
  return names;
}

// A view where the part lies in one piece, else a copy of the part.
at::Tensor WeightLoader::part_of(const at::Tensor& whole, const std::string& name) const {
  if (axis_ < 0) return whole;
  std::vector<std::int64_t> shape = whole.sizes().vec();
  const auto at = shape.begin() + axis_;
  *at /= blocks_;
  shape.insert(at, blocks_);
  const at::Tensor part = parallel_->tensor.of(whole.view(shape), axis_ + 1, "tensor '" + prefix_ + name + "'");
  return part.flatten(axis_, axis_ + 1);
}

at::Tensor WeightLoader::stored(const std::string& name, c10::IntArrayRef shape) const {
  at::Tensor tensor = checkpoint_->tensor(prefix_ + name, shape);
  if (is_quantised(name)) throw Error("tensor '" + prefix_ + name + "' holds e4m3 numbers: only products take these");
  if (!tensor.is_floating_point()) throw Error("tensor '" + prefix_ + name + "' does not hold floating-point numbers");
  return tensor;
}

// `copies` random tensors in one array; 0 = one tensor without the extra axis.
at::Tensor WeightLoader::drawn(const std::string& name, c10::IntArrayRef shape, std::int64_t copies) const {
  std::vector<std::int64_t> all = shape.vec();
  if (copies > 0) all.insert(all.begin(), copies);
  const auto options = at::TensorOptions().dtype(dtype_).device(device_);
  if (shape.size() == 1) return name == "bias" ? at::zeros(all, options) : at::ones(all, options);
  double inputs = 1;
  for (const std::int64_t size : shape.slice(1)) inputs *= static_cast<double>(size);
  return at::empty(all, options).normal_(0, 1 / std::sqrt(inputs));
}

at::Tensor WeightLoader::tensor(const std::string& name, c10::IntArrayRef shape) const {
  if (checkpoint_->is_random()) {
    const at::Tensor all = drawn(name, shape, 0);  // every process draws the same numbers
    return axis_ < 0 ? all : part_of(all, name).clone(at::MemoryFormat::Contiguous);
  }
  const at::Tensor source = stored(name, shape);
  at::Tensor result = part_of(source, name).to(device_, dtype_).contiguous();
  if (!is_finite(result)) refuse_values(prefix_ + name);
  if (!result.is_meta()) checkpoint_->finish(prefix_ + name, !result.is_alias_of(source));
  return result;
}

bool WeightLoader::is_quantised(const std::string& name) const {
  const TensorEntry* entry = checkpoint_->find(prefix_ + name);
  return entry != nullptr && entry->dtype_name == "F8_E4M3";
}

WeightLoader::Quantised WeightLoader::quantised(const std::string& name, c10::IntArrayRef shape) const {
  const std::string weight = prefix_ + name, scale = weight + "_scale";
  const TensorEntry* entry = checkpoint_->find(scale);
  if (entry == nullptr) {
    throw Error("tensor '" + weight + "' holds e4m3 numbers, but there is no '" + scale + "', a scale for each output");
  }
  const at::Tensor stored_scale = checkpoint_->tensor(scale, entry->shape);
  const std::int64_t count = stored_scale.numel();
  if (!stored_scale.is_floating_point() || (count != 1 && (count != shape[0] || stored_scale.size(0) != count))) {
    throw Error("tensor '" + scale + "' is " + entry->dtype_name + ' ' + shape_text(entry->shape) + "; expected one " +
                "floating-point number, or one for each of " + std::to_string(shape[0]) + " outputs");
  }
  Quantised result{part_of(checkpoint_->tensor(weight, shape), name).to(device_).contiguous(),
                   stored_scale.to(at::kFloat).reshape({-1}).expand({shape[0]})};
  if (axis_ == 0) result.scale = part_of(result.scale.contiguous(), name + "_scale");
  if (device_.is_meta()) {
    result.scale = result.scale.to(device_).contiguous();
    return result;
  }
  constexpr std::int64_t not_a_number = 0x7F;  // whatever its sign
  if (result.bytes.bitwise_and(not_a_number).eq(not_a_number).any().item<bool>()) refuse_values(weight);
  if (!result.scale.gt(0).all().item<bool>() || !is_finite(result.scale)) {
    throw Error("tensor '" + scale + "': not all of its scales are positive and finite");
  }
  result.scale = result.scale.to(device_).contiguous();
  checkpoint_->finish(weight, /*copied=*/!device_.is_cpu());
  checkpoint_->finish(scale, /*copied=*/false);
  return result;
}

at::Tensor WeightLoader::stacked(const std::string& name, std::int64_t count, c10::IntArrayRef shape) const {
  const Share& share = parallel_->tensor;
  const std::int64_t part = share.part(count, "tensors '" + prefix_ + "{i}." + name + "'"), first = share.index * part;
  if (checkpoint_->is_random()) {
    const at::Tensor drawn_all = drawn(name, shape, count);
    return part == count ? drawn_all : drawn_all.narrow(0, first, part).clone();
  }
  std::vector<std::int64_t> all{part};
  all.insert(all.end(), shape.begin(), shape.end());
  at::Tensor result = at::empty(all, at::TensorOptions().dtype(dtype_).device(device_));
  const auto own_name = [&](std::int64_t i) { return std::to_string(first + i) + "." + name; };
  for (std::int64_t i = 0; i < part; ++i) {
    result.select(0, i).copy_(stored(own_name(i), shape));
    if (!result.is_meta()) checkpoint_->finish(prefix_ + own_name(i), /*copied=*/true);
  }
  for (std::int64_t i = 0; i < part && !is_finite(result); ++i) {
    if (!is_finite(result.select(0, i))) refuse_values(prefix_ + own_name(i));
  }
  return result;
}

}  // namespace hunyuan_generate
