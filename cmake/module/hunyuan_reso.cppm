// SPDX-License-Identifier: MIT
// The library as a C++20 module, without text/ and without macros: `import hunyuan_reso;`. Optional; clang 19:
//   clang++-19 -std=c++20 -Iinclude --precompile cmake/module/hunyuan_reso.cppm -o hunyuan_reso.pcm
//   clang++-19 -std=c++20 -fmodule-file=hunyuan_reso=hunyuan_reso.pcm program.cpp hunyuan_reso.pcm -o program
module;

// What the headers include, so that none of it is in the module.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

export module hunyuan_reso;

// Not attached to the module: a program may import it in one file and include the headers in another. clang warns of the
// standard headers in there, which have been included above.
#if defined(__clang__)
#pragma clang diagnostic ignored "-Winclude-angled-in-module-purview"
#endif
export extern "C++" {
#include "../../include/hunyuan_reso/hunyuan_reso.hpp"
}
