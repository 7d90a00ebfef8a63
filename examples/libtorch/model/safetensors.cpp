// SPDX-License-Identifier: MIT
#include "model/safetensors.hpp"

#include <fcntl.h>     // open
#include <sys/mman.h>  // mmap
#include <sys/stat.h>  // fstat
#include <unistd.h>    // close

#include <algorithm>  // sort
#include <cerrno>     // errno
#include <cstring>    // memcpy, strerror
#include <limits>     // numeric_limits
#include <utility>    // move

#include "adapter/error.hpp"
#include "model/json_file.hpp"

namespace hunyuan_generate {
namespace {

using Json = nlohmann::json;

constexpr std::size_t length_bytes = 8;                  // the header length in front of the header
constexpr std::uint64_t max_header_bytes = 100'000'000;  // the format's own limit
constexpr std::size_t max_dimensions = 8;
constexpr int max_header_depth = 3;  // header, tensor, list

struct ElementType {
  const char* name;
  std::size_t bytes;
  std::optional<at::ScalarType> dtype;
};

const ElementType* find_element_type(const std::string& name) {
  static const ElementType table[] = {
      {"F64", 8, at::kDouble},  {"F32", 4, at::kFloat},    {"F16", 2, at::kHalf},        {"BF16", 2, at::kBFloat16},
      {"I64", 8, at::kLong},    {"I32", 4, at::kInt},      {"I16", 2, at::kShort},       {"I8", 1, at::kChar},
      {"U8", 1, at::kByte},     {"BOOL", 1, at::kBool},    {"U64", 8, std::nullopt},     {"U32", 4, std::nullopt},
      {"U16", 2, std::nullopt}, {"F8_E4M3", 1, at::kByte}, {"F8_E5M2", 1, std::nullopt},
  };
  for (const ElementType& type : table) {
    if (name == type.name) return &type;
  }
  return nullptr;
}

const Json& member(const Json& object, const char* key, const std::string& where) {
  const auto found = object.find(key);
  if (found == object.end()) throw Error(where + "'" + key + "' is missing in the header");
  return *found;
}

// Number of elements times element size; every dimension counts at least once so that strides cannot overflow either.
std::size_t checked_bytes(const std::vector<std::int64_t>& shape, std::size_t element_bytes, const std::string& where) {
  constexpr auto limit = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  std::uint64_t padded = element_bytes;
  bool empty = false;
  for (const std::int64_t dimension : shape) {
    const std::uint64_t factor = dimension == 0 ? 1 : static_cast<std::uint64_t>(dimension);
    empty = empty || dimension == 0;
    if (padded > limit / factor) throw Error(where + "the shape " + shape_text(shape) + " has too many elements");
    padded *= factor;
  }
  return empty ? 0 : static_cast<std::size_t>(padded);
}

std::vector<std::int64_t> read_shape(const Json& value, const std::string& where) {
  if (!value.is_array() || value.size() > max_dimensions) {
    throw Error(where + "'shape' is not a list of at most " + std::to_string(max_dimensions) + " sizes");
  }
  std::vector<std::int64_t> shape;
  for (const Json& size : value) {
    constexpr auto limit = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (!size.is_number_unsigned() || size.get<std::uint64_t>() > limit) {
      throw Error(where + "'shape' holds " + size.dump() + ", which is no size");
    }
    shape.push_back(size.get<std::int64_t>());
  }
  return shape;
}

// Reads one tensor's description; `data_start` and `data_bytes` say where the data section lies in the file.
TensorEntry read_entry(const Json& value, std::size_t data_start, std::size_t data_bytes, const std::string& where) {
  if (!value.is_object()) throw Error(where + "its description is not an object");
  TensorEntry entry;
  const Json& dtype = member(value, "dtype", where);
  if (!dtype.is_string()) throw Error(where + "'dtype' is not a string");
  entry.dtype_name = dtype.get<std::string>();
  const ElementType* type = find_element_type(entry.dtype_name);
  if (type == nullptr) throw Error(where + "unknown dtype '" + entry.dtype_name + "'");
  entry.dtype = type->dtype;
  entry.shape = read_shape(member(value, "shape", where), where);
  entry.bytes = checked_bytes(entry.shape, type->bytes, where);

  const Json& offsets = member(value, "data_offsets", where);
  if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() ||
      !offsets[1].is_number_unsigned()) {
    throw Error(where + "'data_offsets' is not a pair of offsets");
  }
  const auto begin = offsets[0].get<std::uint64_t>();
  const auto end = offsets[1].get<std::uint64_t>();
  if (begin > end || end > data_bytes) {
    throw Error(where + "offsets [" + std::to_string(begin) + ", " + std::to_string(end) + "] lie outside the " +
                std::to_string(data_bytes) + " data bytes of the file");
  }
  if (end - begin != entry.bytes) {
    throw Error(where + "offsets span " + std::to_string(end - begin) + " bytes, but shape " + shape_text(entry.shape) +
                " of " + entry.dtype_name + " needs " + std::to_string(entry.bytes));
  }
  entry.offset = data_start + static_cast<std::size_t>(begin);
  return entry;
}

// The format allows neither overlapping data nor bytes that belong to no tensor.
void check_layout(const std::map<std::string, TensorEntry>& entries, std::size_t data_start, std::size_t file_size,
                  const std::string& file) {
  std::vector<std::pair<const std::string*, const TensorEntry*>> order;
  for (const auto& [name, entry] : entries) order.emplace_back(&name, &entry);
  std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return a.second->offset != b.second->offset ? a.second->offset < b.second->offset
                                                : a.second->bytes < b.second->bytes;
  });
  std::size_t end = data_start;
  for (const auto& [name, entry] : order) {
    if (entry->offset != end) {
      throw Error(file + ": tensor '" + *name + "': its data " +
                  (entry->offset < end ? "overlaps another tensor's" : "leaves a gap before it"));
    }
    end += entry->bytes;
  }
  if (end != file_size) {
    throw Error(file + ": " + std::to_string(file_size - end) + " bytes after the last tensor's data");
  }
}

void check_metadata(const Json& value, const std::string& file) {
  bool good = value.is_object();
  if (good) {
    for (const auto& item : value) good = good && item.is_string();
  }
  if (!good) throw Error(file + ": '__metadata__' is not an object of strings");
}

}  // namespace

FileMapping::FileMapping(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) throw Error(path.string() + ": cannot open: " + std::strerror(errno));
  struct stat status {};
  if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(descriptor);
    throw Error(path.string() + ": not a regular file");
  }
  size_ = static_cast<std::size_t>(status.st_size);
  void* address = size_ == 0 ? nullptr : ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, descriptor, 0);
  const int reason = errno;
  ::close(descriptor);
  if (address == MAP_FAILED) throw Error(path.string() + ": cannot map: " + std::strerror(reason));
  data_ = static_cast<const std::byte*>(address);
}

FileMapping::~FileMapping() {
  if (size_ != 0) ::munmap(const_cast<std::byte*>(data_), size_);
}

void FileMapping::release(std::size_t offset, std::size_t bytes) const noexcept {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t first = (offset + page - 1) / page * page, last = (offset + bytes) / page * page;
  if (first < last) (void)::madvise(const_cast<std::byte*>(data_) + first, last - first, MADV_DONTNEED);
}

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path)
    : name_(path.string()), mapping_(std::make_shared<const FileMapping>(path)) {
  const std::size_t file_size = mapping_->size();
  if (file_size < length_bytes) throw Error(name_ + ": too short to be a safetensors file");
  std::uint64_t header_bytes = 0;
  for (std::size_t i = length_bytes; i-- > 0;) {
    header_bytes = header_bytes << 8U | std::to_integer<std::uint64_t>(mapping_->data()[i]);
  }
  if (header_bytes > file_size - length_bytes || header_bytes > max_header_bytes) {
    throw Error(name_ + ": header length " + std::to_string(header_bytes) +
                " is larger than the file or the limit of " + std::to_string(max_header_bytes));
  }
  const char* begin = reinterpret_cast<const char*>(mapping_->data() + length_bytes);
  const Json header = parse_json({begin, static_cast<std::size_t>(header_bytes)}, name_, max_header_depth);
  if (!header.is_object()) throw Error(name_ + ": the header is not a JSON object");

  const std::size_t data_start = length_bytes + static_cast<std::size_t>(header_bytes);
  for (const auto& [tensor, value] : header.items()) {
    if (tensor == "__metadata__") {
      check_metadata(value, name_);
    } else {
      const std::string where = name_ + ": tensor '" + tensor + "': ";
      entries_.emplace(tensor, read_entry(value, data_start, file_size - data_start, where));
    }
  }
  check_layout(entries_, data_start, file_size, name_);
}

at::Tensor SafetensorsFile::tensor(const std::string& tensor) const {
  const auto found = entries_.find(tensor);
  if (found == entries_.end()) throw Error(name_ + ": tensor '" + tensor + "' is missing");
  const TensorEntry& entry = found->second;
  if (!entry.dtype) throw Error(name_ + ": tensor '" + tensor + "': dtype " + entry.dtype_name + " cannot be read");

  const auto options = at::TensorOptions().dtype(*entry.dtype);
  if (entry.bytes == 0) return at::empty(entry.shape, options);
  const std::byte* data = mapping_->data() + entry.offset;
  if (reinterpret_cast<std::uintptr_t>(data) % c10::elementSize(*entry.dtype) != 0) {
    at::Tensor copy = at::empty(entry.shape, options);
    std::memcpy(copy.data_ptr(), data, entry.bytes);
    return copy;
  }
  // The deleter owns a reference to the mapping: the file stays mapped as long as any view of it lives.
  return at::from_blob(
      const_cast<std::byte*>(data), entry.shape, [keep = mapping_](void*) {}, options);
}

void SafetensorsFile::release(const std::string& tensor) const {
  const auto found = entries_.find(tensor);
  if (found != entries_.end()) mapping_->release(found->second.offset, found->second.bytes);
}

}  // namespace hunyuan_generate
