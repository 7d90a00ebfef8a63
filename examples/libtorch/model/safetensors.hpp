// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_SAFETENSORS_HPP
#define HUNYUAN_GENERATE_SAFETENSORS_HPP

#include <ATen/ATen.h>  // Tensor, ScalarType

#include <cstddef>     // byte, size_t
#include <cstdint>     // int64_t
#include <filesystem>  // path
#include <map>         // map
#include <memory>      // shared_ptr
#include <optional>    // optional
#include <string>      // string
#include <vector>      // vector

namespace hunyuan_generate {

/// Read-only memory mapping of a whole file (POSIX). The file must not shrink while it is mapped.
class FileMapping {
 public:
  /// Maps the file; throws Error naming it when it cannot be opened, is no regular file or cannot be mapped.
  explicit FileMapping(const std::filesystem::path& path);
  ~FileMapping();
  FileMapping(const FileMapping&) = delete;
  FileMapping& operator=(const FileMapping&) = delete;

  [[nodiscard]] const std::byte* data() const noexcept { return data_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// Gives pages back that lie within the range; they are read again if somebody looks at them.
  void release(std::size_t offset, std::size_t bytes) const noexcept;

 private:
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

/// One tensor as the header of a safetensors file describes it; checked against the file.
struct TensorEntry {
  std::string dtype_name;               ///< as written in the header, "BF16"
  std::optional<at::ScalarType> dtype;  ///< absent where nothing here reads such numbers; F8_E4M3 is read as bytes
  std::vector<std::int64_t> shape;      ///< outermost dimension first
  std::size_t offset = 0;               ///< of the first byte, from the start of the file
  std::size_t bytes = 0;
};

/// A safetensors file: 8 bytes of header length (little-endian), a JSON header, then the data. The header is checked
/// in full when the file is opened: known types, shapes whose byte counts do not overflow and agree with the offsets,
/// data inside the file, without overlap and without gaps, no name twice. Throws Error naming file and tensor.
class SafetensorsFile {
 public:
  explicit SafetensorsFile(const std::filesystem::path& path);

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] const std::map<std::string, TensorEntry>& entries() const noexcept { return entries_; }
  [[nodiscard]] bool contains(const std::string& tensor) const { return entries_.count(tensor) != 0; }

  /// The tensor on the CPU in its stored type. It views the mapping, which it keeps alive, and must not be written to;
  /// data that is not aligned to its element size is copied. Throws Error when the name or the type is unknown.
  [[nodiscard]] at::Tensor tensor(const std::string& tensor) const;
  /// Frees the memory of a tensor that was copied.
  void release(const std::string& tensor) const;

 private:
  std::string name_;
  std::shared_ptr<const FileMapping> mapping_;
  std::map<std::string, TensorEntry> entries_;
};

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_SAFETENSORS_HPP
