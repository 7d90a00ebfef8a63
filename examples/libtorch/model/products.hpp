// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_PRODUCTS_HPP
#define HUNYUAN_GENERATE_PRODUCTS_HPP

#include <ATen/ATen.h>  // Tensor

#include <cstdint>           // int64_t
#include <initializer_list>  // initializer_list
#include <vector>            // vector

#include "model/weights.hpp"

namespace hunyuan_generate {

/// How the weights of the decoder layers' products are kept.
enum class Precision {
  plain,  ///< in the model's type
  fp8,    ///< e4m3 with a scale for each output; their inputs get a scale for each row
};

/// Numbers in e4m3 (4 bits of exponent, 3 of mantissa, largest 448) and one float32 scale for each run of the last
/// axis: value = small * scale. LibTorch before 2.1 has no such type and keeps the same numbers as bfloat16.
struct Small {
  at::Tensor values;  ///< [.., width]
  at::Tensor scale;   ///< [..]
  [[nodiscard]] bool defined() const { return values.defined(); }
};
/// The element type of Small::values.
[[nodiscard]] at::ScalarType small_type() noexcept;
/// x [.., width] with scale = largest magnitude of a run / 448, numbers rounded to even.
[[nodiscard]] Small make_small(const at::Tensor& x);
/// What it stands for, float32.
[[nodiscard]] at::Tensor value_of(const Small& x);

/// Rows on their way into a product, in the forms that somebody needs.
struct Rows {
  at::Tensor plain;  ///< [.., width]; undefined where only products take them
  Small small;       ///< [rows, width]; undefined where no product is in e4m3
  [[nodiscard]] std::int64_t count() const { return small.defined() ? small.values.size(0) : plain.numel() / width(); }
  [[nodiscard]] std::int64_t width() const { return small.defined() ? small.values.size(-1) : plain.size(-1); }
};
/// Which of the forms to make.
struct Form {
  bool plain = true, small = false;
};

/// A weight of a product, [out, in], or one for each expert, [E, out, in].
class Weight {
 public:
  Weight() = default;
  Weight(at::Tensor values, Precision precision);
  /// Reads one; what is stored in e4m3 stays as it is, or becomes plain numbers where `precision` says so.
  Weight(const WeightLoader& loader, const std::string& name, c10::IntArrayRef shape, Precision precision);
  /// Reads this process's part of those of `count` experts, prefix + "{i}." + name.
  static Weight stacked(const WeightLoader& loader, const std::string& name, std::int64_t count, c10::IntArrayRef shape,
                        Precision precision);
  /// Those of all experts, [E, out, in]. Narrowed one by one, so that float32 numbers are those of one expert.
  static Weight stacked(const at::Tensor& values, Precision precision);

  /// y = x W^T over the last axis: [rows, out], in the type of the model.
  [[nodiscard]] at::Tensor operator()(const Rows& rows) const;
  /// The same for a plain tensor, in its shape.
  [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const;
  /// Rows sorted by expert times their expert's weight; `stops` int32 [E] is where each expert's rows end. Waits for
  /// nothing. Needs grouped_available().
  [[nodiscard]] at::Tensor grouped(const Rows& rows, const at::Tensor& stops) const;
  /// The weight of one expert.
  [[nodiscard]] Weight select(std::int64_t expert) const;

  /// What its input must have.
  [[nodiscard]] Form form() const { return {!small_.defined(), small_.defined()}; }
  [[nodiscard]] bool is_small() const { return small_.defined(); }
  [[nodiscard]] std::int64_t outputs() const { return (is_small() ? small_.values : plain_).size(-2); }
  [[nodiscard]] std::int64_t experts() const { return (is_small() ? small_.values : plain_).size(0); }
  [[nodiscard]] at::ScalarType type() const { return type_; }

 private:
  friend std::vector<at::Tensor*> tensors_of(std::initializer_list<Weight*> weights);

  at::Tensor plain_;
  Small small_;
  at::ScalarType type_ = at::kFloat;
};

/// All that they hold, for who keeps it elsewhere between products.
[[nodiscard]] std::vector<at::Tensor*> tensors_of(std::initializer_list<Weight*> weights);

/// Whether this LibTorch has grouped products (2.8 and later). They want bfloat16 tensors on a CUDA device of compute
/// capability 9.0 and widths that are multiples of 8.
[[nodiscard]] bool grouped_available() noexcept;
/// Whether a device multiplies e4m3 numbers: compute capability 9.0 and LibTorch 2.8. Elsewhere the same numbers are
/// multiplied in float32.
[[nodiscard]] bool small_products(at::Device device);

/// x w^T for x bfloat16 [rows, width] with float32 sums and results; `w` is float32 [outputs, width], given as the
/// three bfloat16 parts that add up to it, [3 outputs, width] in descending order: float32 [rows, 3 outputs].
[[nodiscard]] at::Tensor split_product(const at::Tensor& x, const at::Tensor& parts);
/// The three parts; undefined where LibTorch has no such products.
[[nodiscard]] at::Tensor split_parts(const at::Tensor& w);

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_PRODUCTS_HPP
