// SPDX-License-Identifier: MIT
// The kernels between the products of the decoder layers. All of them are bound by memory: the comment of each says
// which bytes it must move at 1024 x 1024 pixels and two rows of the published shape (8194 tokens, 65552 expert rows,
// hidden 4096, expert width 3072), and the floor that follows at 3.0 TB/s, what a copy reaches on an H100 of 3.35.
#include <cuda_fp8.h>

#include "model/kernels_device.cuh"

namespace hunyuan_generate::kernels {
namespace {

constexpr int row_threads = 128;  // of a block that has one row
constexpr float e4m3_largest = 448, e4m3_step = static_cast<float>(1.0 / 448);
constexpr float smallest_scale = 1e-12F;
constexpr float smallest_divisor = 1.1920929e-7F;

struct Add {
  __device__ float operator()(float a, float b) const { return a + b; }
};
struct Max {
  __device__ float operator()(float a, float b) const { return fmaxf(a, b); }
};

template <class Op>
__device__ float warp_reduce(float x, Op op) {
#pragma unroll
  for (int offset = 16; offset > 0; offset /= 2) x = op(x, __shfl_xor_sync(~0U, x, offset));
  return x;
}

// Over the threads of a block of row_threads; every thread gets the result. Uses `slots` once.
template <class Op>
__device__ float block_reduce(float x, Op op, float (&slots)[row_threads / 32]) {
  x = warp_reduce(x, op);
  if (threadIdx.x % 32 == 0) slots[threadIdx.x / 32] = x;
  __syncthreads();
  float all = slots[0];
#pragma unroll
  for (int i = 1; i < row_threads / 32; ++i) all = op(all, slots[i]);
  return all;
}

// A row of up to 8 Chunks row_threads numbers in the registers of a block: chunk c of a thread holds the columns
// column(c) .. column(c) + 7.
template <int Chunks>
struct Row {
  float value[Chunks][8];
  __device__ static int column(int chunk) { return (chunk * row_threads + static_cast<int>(threadIdx.x)) * 8; }
};

// Writes a row whose numbers are bfloat16 already; with e4m3 the scale first. The division by the scale is a
// multiplication with 448 / largest, as in the ATen twin.
template <int Chunks>
__device__ void store_row(const Row<Chunks>& row, const RowOut& out, std::int64_t index, int width) {
  const std::int64_t base = index * width;
  if (out.plain != nullptr) {
#pragma unroll
    for (int c = 0; c < Chunks; ++c) {
      if (Row<Chunks>::column(c) < width) store8(row.value[c], static_cast<Bf16*>(out.plain) + base + row.column(c));
    }
  }
  if (out.small == nullptr) return;
  __shared__ float slots[row_threads / 32];
  float largest = 0;
#pragma unroll
  for (int c = 0; c < Chunks; ++c) {
#pragma unroll
    for (int i = 0; i < 8; ++i) largest = fmaxf(largest, fabsf(row.value[c][i]));
  }
  largest = fmaxf(block_reduce(largest, Max(), slots), smallest_scale);
  const float factor = e4m3_largest / largest;
  if (threadIdx.x == 0) out.scale[index] = largest * e4m3_step;
#pragma unroll
  for (int c = 0; c < Chunks; ++c) {
    const int column = Row<Chunks>::column(c);
    if (column >= width) continue;
    alignas(8) __nv_fp8x2_storage_t small[4];
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const float2 pair{row.value[c][2 * i] * factor, row.value[c][2 * i + 1] * factor};
      small[i] = __nv_cvt_float2_to_fp8x2(pair, __NV_SATFINITE, __NV_E4M3);
    }
    *reinterpret_cast<uint2*>(static_cast<unsigned char*>(out.small) + base + column) =
        *reinterpret_cast<const uint2*>(small);
  }
}

// x and delta read, sum and the normed row written: 268 MB, 0.09 ms; without delta 134 MB, 0.045 ms; e4m3 beside the
// plain row 34 MB more, in place of it 34 MB less.
template <int Chunks>
__global__ void __launch_bounds__(row_threads)
    add_rms_norm_kernel(const Bf16* x, const Bf16* delta, Bf16* sum, const Bf16* weight, float eps, RowOut out,
                        int width) {
  __shared__ float slots[row_threads / 32];
  const std::int64_t base = static_cast<std::int64_t>(blockIdx.x) * width;
  Row<Chunks> row{};
  float squares = 0;
#pragma unroll
  for (int c = 0; c < Chunks; ++c) {
    const int column = Row<Chunks>::column(c);
    if (column >= width) continue;
    load8(x + base + column, row.value[c]);
    if (delta != nullptr) {
      float other[8];
      load8(delta + base + column, other);
#pragma unroll
      for (int i = 0; i < 8; ++i) row.value[c][i] = rounded(row.value[c][i] + other[i]);
      store8(row.value[c], sum + base + column);
    }
#pragma unroll
    for (int i = 0; i < 8; ++i) squares += row.value[c][i] * row.value[c][i];
  }
  const float scale = rsqrtf(block_reduce(squares, Add(), slots) / static_cast<float>(width) + eps);
#pragma unroll
  for (int c = 0; c < Chunks; ++c) {
    const int column = Row<Chunks>::column(c);
    if (column >= width) continue;
    float gain[8];
    load8(weight + column, gain);
#pragma unroll
    for (int i = 0; i < 8; ++i) row.value[c][i] = rounded(rounded(row.value[c][i] * scale) * gain[i]);
  }
  store_row(row, out, blockIdx.x, width);
}

// Both halves of the experts' rows read, one written: 1208 MB, 0.40 ms; to e4m3 1007 MB, 0.34 ms.
template <int Chunks>
__global__ void __launch_bounds__(row_threads)
    gated_silu_kernel(const Bf16* packed, RowOut out, int width, const std::int32_t* limit) {
  if (limit != nullptr && static_cast<int>(blockIdx.x) >= *limit) return;
  const Bf16* first = packed + static_cast<std::int64_t>(blockIdx.x) * 2 * width;
  Row<Chunks> row{};
#pragma unroll
  for (int c = 0; c < Chunks; ++c) {
    const int column = Row<Chunks>::column(c);
    if (column >= width) continue;
    float gate[8];
    load8(first + column, row.value[c]);
    load8(first + width + column, gate);
#pragma unroll
    for (int i = 0; i < 8; ++i) row.value[c][i] = rounded(row.value[c][i] * rounded(silu(gate[i])));
  }
  store_row(row, out, blockIdx.x, width);
}

// Read and written once: 134 MB, 0.045 ms; to e4m3 101 MB, 0.034 ms.
template <int Chunks>
__global__ void __launch_bounds__(row_threads) heads_to_rows_kernel(const Bf16* mixed, HeadShape shape, RowOut out) {
  const int width = static_cast<int>(shape.heads * shape.head), head = static_cast<int>(shape.head);
  const std::int64_t batch = blockIdx.x / shape.count, token = blockIdx.x % shape.count;
  Row<Chunks> row{};
#pragma unroll
  for (int c = 0; c < Chunks; ++c) {
    const int column = Row<Chunks>::column(c);
    if (column >= width) continue;
    const std::int64_t at = (batch * shape.heads + column / head) * shape.count + token;
    load8(mixed + at * head + column % head, row.value[c]);
  }
  store_row(row, out, batch * shape.tokens + shape.first + token, width);
}

// The chosen rows, the shared one and the residual read, one written: 738 MB, 0.25 ms. Rounded where the ATen twin
// rounds: the sum of the experts, then each addition.
template <int Chunks>
__global__ void __launch_bounds__(row_threads)
    combine_kernel(const Bf16* parts, const std::int32_t* place, const float* weight, const Bf16* shared,
                   const Bf16* residual, int choices, int width, Bf16* out) {
  __shared__ std::int64_t from[most_choices];
  __shared__ float share[most_choices];
  const std::int64_t token = blockIdx.x;
  if (static_cast<int>(threadIdx.x) < choices) {
    from[threadIdx.x] = static_cast<std::int64_t>(place[token * choices + threadIdx.x]) * width;
    share[threadIdx.x] = weight[token * choices + threadIdx.x];
  }
  __syncthreads();
  Row<Chunks> row{};
#pragma unroll 8
  for (int j = 0; j < choices; ++j) {
#pragma unroll
    for (int c = 0; c < Chunks; ++c) {
      const int column = Row<Chunks>::column(c);
      if (column >= width) continue;
      float part[8] = {};
      if (share[j] != 0) load8(parts + from[j] + column, part);
#pragma unroll
      for (int i = 0; i < 8; ++i) row.value[c][i] = __fadd_rn(row.value[c][i], __fmul_rn(part[i], share[j]));
    }
  }
#pragma unroll
  for (int c = 0; c < Chunks; ++c) {
    const int column = Row<Chunks>::column(c);
    if (column >= width) continue;
    float other[8];
#pragma unroll
    for (int i = 0; i < 8; ++i) row.value[c][i] = rounded(row.value[c][i]);
    for (const Bf16* term : {shared, residual}) {
      if (term == nullptr) continue;
      load8(term + token * width + column, other);
#pragma unroll
      for (int i = 0; i < 8; ++i) row.value[c][i] = rounded(row.value[c][i] + other[i]);
    }
    store8(row.value[c], out + token * width + column);
  }
}

// A row is read once and written to each of its places: 604 MB, 0.20 ms; e4m3 302 MB, 0.10 ms.
__global__ void __launch_bounds__(row_threads)
    gather_kernel(const uint4* __restrict__ from, const float* from_scale, const std::int32_t* place, int choices,
                  int chunks, uint4* __restrict__ to, float* to_scale, const std::int32_t* limit) {
  __shared__ std::int64_t row[most_choices];
  const std::int64_t token = blockIdx.x;
  if (static_cast<int>(threadIdx.x) < choices) {
    const std::int32_t at = place[token * choices + threadIdx.x];
    row[threadIdx.x] = limit != nullptr && at >= *limit ? -1 : at;
    if (from_scale != nullptr && row[threadIdx.x] >= 0) to_scale[row[threadIdx.x]] = from_scale[token];
  }
  __syncthreads();
#pragma unroll 4
  for (int chunk = static_cast<int>(threadIdx.x); chunk < chunks; chunk += row_threads) {
    const uint4 value = from[token * chunks + chunk];
    for (int j = 0; j < choices; ++j) {
      if (row[j] >= 0) to[row[j] * chunks + chunk] = value;
    }
  }
}

// Four neighbouring numbers of 16 bits, moved by one access.
struct alignas(8) Four {
  Bf16 value[4];
};

// The packed product read; queries, keys and values written: 201 MB, 0.067 ms. One block a token and head / 8 lanes a
// head, which have four components of the first half each, and their partners in the second.
__global__ void __launch_bounds__(256)
    rotate_norm_store_kernel(const Bf16* __restrict__ packed, const float* __restrict__ cos,
                             const float* __restrict__ sin, const Bf16* __restrict__ q_weight,
                             const Bf16* __restrict__ k_weight, float eps, QkShape s, Bf16* __restrict__ q,
                             Bf16* __restrict__ k_cache, Bf16* __restrict__ v_cache) {
  const int half = static_cast<int>(s.head / 2), team = half / 4, at = static_cast<int>(threadIdx.x) % team * 4;
  const std::int64_t batch = blockIdx.x / s.count, i = blockIdx.x % s.count, token = s.first + i;
  const int members = static_cast<int>(s.group + 2), heads = static_cast<int>(s.groups) * members;
  float cosine[2][4], sine[2][4];  // of both halves
#pragma unroll
  for (int p = 0; p < 4; ++p) {
    const std::int64_t low = token * s.head + at + p;
    cosine[0][p] = cos[low], cosine[1][p] = cos[low + half];
    sine[0][p] = sin[low], sine[1][p] = sin[low + half];
  }
#pragma unroll 3
  for (int first = 0; first < heads; first += 256 / team) {  // together, since a warp's teams share its shuffles
    const int h = first + static_cast<int>(threadIdx.x) / team, group = h / members, member = h % members;
    const Bf16* from = packed + ((batch * s.tokens + token) * heads + h) * s.head;
    Four low{}, high{};
    if (h < heads) {
      low = *reinterpret_cast<const Four*>(from + at);
      high = *reinterpret_cast<const Four*>(from + half + at);
    }
    float a[4], b[4], squares = 0;
#pragma unroll
    for (int p = 0; p < 4; ++p) {
      const float x = widen(low.value[p]), y = widen(high.value[p]);
      a[p] = __fadd_rn(__fmul_rn(x, cosine[0][p]), __fmul_rn(-y, sine[0][p]));
      b[p] = __fadd_rn(__fmul_rn(y, cosine[1][p]), __fmul_rn(x, sine[1][p]));
      squares += a[p] * a[p] + b[p] * b[p];
    }
    for (int offset = team / 2; offset > 0; offset /= 2) squares += __shfl_xor_sync(~0U, squares, offset);
    if (h >= heads) continue;
    const std::int64_t entry = ((batch * s.groups + group) * s.cache_length + s.position + i) * s.head;
    Bf16* to = v_cache + entry;
    if (member <= s.group) {  // a query or the key
      const float scale = rsqrtf(squares / static_cast<float>(s.head) + eps);
      const Bf16* weight = member == s.group ? k_weight : q_weight;
      const Four low_weight = *reinterpret_cast<const Four*>(weight + at);
      const Four high_weight = *reinterpret_cast<const Four*>(weight + half + at);
#pragma unroll
      for (int p = 0; p < 4; ++p) {
        narrow(a[p] * scale * widen(low_weight.value[p]), low.value[p]);
        narrow(b[p] * scale * widen(high_weight.value[p]), high.value[p]);
      }
      to = member == s.group ? k_cache + entry
                             : q + ((batch * s.groups * s.group + group * s.group + member) * s.count + i) * s.head;
    }
    *reinterpret_cast<Four*>(to + at) = low;
    *reinterpret_cast<Four*>(to + half + at) = high;
  }
}

// A few megabytes and no floor worth the name: one warp a token, PerLane experts a lane.
template <int PerLane>
__global__ void __launch_bounds__(256)
    route_kernel(const float* logits, RouteShape s, std::int32_t* index, float* weight) {
  const int lane = static_cast<int>(threadIdx.x % 32), experts = static_cast<int>(s.experts);
  const std::int64_t token = static_cast<std::int64_t>(blockIdx.x) * 8 + threadIdx.x / 32;
  if (token >= s.tokens) return;
  float p[PerLane], largest = -INFINITY;
#pragma unroll
  for (int i = 0; i < PerLane; ++i) {
    const int expert = lane + 32 * i;
    p[i] = -INFINITY;
    if (expert < experts) {
      p[i] = 0;  // the last part is the smallest
      for (std::int64_t part = s.parts - 1; part >= 0; --part)
        p[i] += logits[(token * s.parts + part) * experts + expert];
    }
    largest = fmaxf(largest, p[i]);
  }
  largest = warp_reduce(largest, Max());
  float sum = 0;
#pragma unroll
  for (int i = 0; i < PerLane; ++i) {
    p[i] = expf(p[i] - largest);
    sum += p[i];
  }
  sum = warp_reduce(sum, Add());
  float mine = 0, chosen = 0;  // lane j keeps choice j
  int expert_of_mine = 0;
  for (int j = 0; j < s.choices; ++j) {
    float best = -1;
    int where = 0;
#pragma unroll
    for (int i = 0; i < PerLane; ++i) {
      if (p[i] > best && lane + 32 * i < experts) best = p[i], where = lane + 32 * i;
    }
#pragma unroll
    for (int offset = 16; offset > 0; offset /= 2) {
      const float other = __shfl_xor_sync(~0U, best, offset);
      const int there = __shfl_xor_sync(~0U, where, offset);
      if (other > best || (other == best && there < where)) best = other, where = there;
    }
    best /= sum;
    chosen += best;
    if (lane == j) mine = best, expert_of_mine = where;
#pragma unroll
    for (int i = 0; i < PerLane; ++i) {
      if (lane + 32 * i == where) p[i] = -2;
    }
  }
  if (lane >= s.choices) return;
  index[token * s.choices + lane] = expert_of_mine;
  weight[token * s.choices + lane] = s.normalise ? mine / fmaxf(chosen, smallest_divisor) : mine * s.scaling;
}

// One block an expert: counts the entries of lower experts and its own, then numbers its own. 0.26 MB, read by every
// block from the L2 cache: about 0.01 ms.
__global__ void __launch_bounds__(1024)
    place_kernel(const std::int32_t* index, int count, std::int32_t* place, std::int32_t* stops) {
  __shared__ int own_of_warp[32], lower_of_warp[32];
  const int expert = static_cast<int>(blockIdx.x), thread = static_cast<int>(threadIdx.x);
  const int each = (count + 4095) / 4096 * 4;  // a multiple of four, for wide loads
  const int begin = min(thread * each, count), end = min(begin + each, count);
  int own = 0, lower = 0;
  const auto visit = [&](auto act) {
    int i = begin;
    for (; i + 4 <= end; i += 4) {
      const int4 four = *reinterpret_cast<const int4*>(index + i);
      act(i, four.x), act(i + 1, four.y), act(i + 2, four.z), act(i + 3, four.w);
    }
    for (; i < end; ++i) act(i, index[i]);
  };
  visit([&](int, int e) {
    own += e == expert ? 1 : 0;
    lower += e < expert ? 1 : 0;
  });
  int before = own;  // inclusive over the warp's lanes
#pragma unroll
  for (int offset = 1; offset < 32; offset *= 2) {
    const int other = __shfl_up_sync(~0U, before, offset);
    if (thread % 32 >= offset) before += other;
  }
#pragma unroll
  for (int offset = 16; offset > 0; offset /= 2) lower += __shfl_xor_sync(~0U, lower, offset);
  if (thread % 32 == 31) own_of_warp[thread / 32] = before, lower_of_warp[thread / 32] = lower;
  __syncthreads();
  int next = before - own;
  for (int w = 0; w < 32; ++w) {
    next += lower_of_warp[w] + (w < thread / 32 ? own_of_warp[w] : 0);
  }
  visit([&](int i, int e) {
    if (e == expert) place[i] = next++;
  });
  if (thread == 1023) stops[expert] = next;
}

// Calls launch(std::integral_constant<int, Chunks>) with the smallest number of chunks that holds a row.
template <int Value>
struct Constant {
  static constexpr int value = Value;
};
template <class Launch>
void with_chunks(std::int64_t width, Launch launch) {
  const std::int64_t chunks = (width + 8 * row_threads - 1) / (8 * row_threads);
  if (chunks <= 1) return launch(Constant<1>());
  if (chunks <= 2) return launch(Constant<2>());
  if (chunks <= 3) return launch(Constant<3>());
  if (chunks <= 4) return launch(Constant<4>());
  launch(Constant<8>());
}

}  // namespace

void add_rms_norm(const bf16* x, const bf16* delta, bf16* sum, const bf16* weight, float eps, const RowOut& out,
                  std::int64_t rows, std::int64_t width, Stream stream) {
  with_chunks(width, [&](auto chunks) {
    add_rms_norm_kernel<decltype(chunks)::value><<<blocks_of(rows), row_threads, 0, stream>>>(
        static_cast<const Bf16*>(x), static_cast<const Bf16*>(delta), static_cast<Bf16*>(sum),
        static_cast<const Bf16*>(weight), eps, out, static_cast<int>(width));
  });
}

void gated_silu(const bf16* packed, const RowOut& out, std::int64_t rows, std::int64_t width, const std::int32_t* limit,
                Stream stream) {
  with_chunks(width, [&](auto chunks) {
    gated_silu_kernel<decltype(chunks)::value><<<blocks_of(rows), row_threads, 0, stream>>>(
        static_cast<const Bf16*>(packed), out, static_cast<int>(width), limit);
  });
}

void heads_to_rows(const bf16* mixed, const HeadShape& shape, const RowOut& out, Stream stream) {
  with_chunks(shape.heads * shape.head, [&](auto chunks) {
    heads_to_rows_kernel<decltype(chunks)::value>
        <<<blocks_of(shape.batch * shape.count), row_threads, 0, stream>>>(static_cast<const Bf16*>(mixed), shape, out);
  });
}

void rotate_norm_store(const bf16* packed, const float* cos, const float* sin, const bf16* q_weight,
                       const bf16* k_weight, float eps, const QkShape& shape, const QkOut& out, Stream stream) {
  rotate_norm_store_kernel<<<blocks_of(shape.batch * shape.count), 256, 0, stream>>>(
      static_cast<const Bf16*>(packed), cos, sin, static_cast<const Bf16*>(q_weight),
      static_cast<const Bf16*>(k_weight), eps, shape, static_cast<Bf16*>(out.q), static_cast<Bf16*>(out.k_cache),
      static_cast<Bf16*>(out.v_cache));
}

void route(const float* logits, const RouteShape& shape, std::int32_t* index, float* weight, Stream stream) {
  const auto launch = [&](auto per) {
    route_kernel<decltype(per)::value>
        <<<blocks_of((shape.tokens + 7) / 8), 256, 0, stream>>>(logits, shape, index, weight);
  };
  if (shape.experts <= 32) return launch(Constant<1>());
  if (shape.experts <= 64) return launch(Constant<2>());
  if (shape.experts <= 128) return launch(Constant<4>());
  launch(Constant<8>());
}

void place_by_expert(const std::int32_t* index, std::int64_t count, std::int64_t experts, std::int32_t* place,
                     std::int32_t* stops, Stream stream) {
  place_kernel<<<blocks_of(experts), 1024, 0, stream>>>(index, static_cast<int>(count), place, stops);
}

void gather(const void* from, const float* from_scale, const std::int32_t* place, std::int64_t tokens,
            std::int64_t choices, std::int64_t bytes, void* to, float* to_scale, const std::int32_t* limit,
            Stream stream) {
  gather_kernel<<<blocks_of(tokens), row_threads, 0, stream>>>(static_cast<const uint4*>(from), from_scale, place,
                                                               static_cast<int>(choices), static_cast<int>(bytes / 16),
                                                               static_cast<uint4*>(to), to_scale, limit);
}

void combine(const bf16* parts, const std::int32_t* place, const float* weight, const bf16* shared,
             const bf16* residual, std::int64_t tokens, std::int64_t choices, std::int64_t width, bf16* out,
             Stream stream) {
  with_chunks(width, [&](auto chunks) {
    combine_kernel<decltype(chunks)::value><<<blocks_of(tokens), row_threads, 0, stream>>>(
        static_cast<const Bf16*>(parts), place, weight, static_cast<const Bf16*>(shared),
        static_cast<const Bf16*>(residual), static_cast<int>(choices), static_cast<int>(width),
        static_cast<Bf16*>(out));
  });
}

}  // namespace hunyuan_generate::kernels
