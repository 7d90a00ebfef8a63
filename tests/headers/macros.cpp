// SPDX-License-Identifier: MIT
// The library behind macros that large headers define. The standard headers come first: they cannot be protected.
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

// windows.h
#define min(a, b) (((a) < (b)) ? (a) : (b))
#define max(a, b) (((a) > (b)) ? (a) : (b))
#define small char
#define near
#define far
#define NEAR
#define FAR
#define IN
#define OUT
#define OPTIONAL
#define CONST const
#define VOID void
#define TRUE 1
#define FALSE 0
#define ERROR 0
#define NO_ERROR 0
#define DELETE 0x00010000
#define STRICT 1
#define ABSOLUTE 1
#define RELATIVE 2
#define TRANSPARENT 1
#define OPAQUE 2
#define DIFFERENCE 11
#define interface struct
#define cdecl
#define pascal
#define hyper long
#define RGB(r, g, b) ((r) | (g) << 8 | (b) << 16)
#define Yield()
#define GetMessage GetMessageW
#define GetObject GetObjectW
#define LoadImage LoadImageW
#define CreateWindow CreateWindowW
#define UNKNOWN 0
#define EMPTY 0
#define grp1 0
#define rad1 0

// X11
#define None 0L
#define Bool int
#define Status int
#define Success 0
#define True 1
#define False 0
#define Always 2
#define Above 0
#define Below 1

// sys/sysmacros.h, complex.h, common assertion and logging headers
#define major(device) (device)
#define minor(device) (device)
#define I (1.0i)
#define CHECK(condition) static_assert(sizeof(condition) != 0, "")
#define LOG(level)
#define ASSERT(condition)
#define UNUSED(value)
#define verify(condition)

#include <hunyuan_reso/hunyuan_reso.hpp>

// The library must neither use these names nor take them away.
#if !defined(min) || !defined(max) || !defined(small) || !defined(near) || !defined(ERROR) || !defined(None)
#error "a macro was undefined"
#endif

namespace hr = hunyuan_reso;

static_assert(hr::group_for<hr::profiles::instruct>.get_target_size(1920, 1080) == hr::Resolution{720, 1280}, "");
static_assert(*hr::ratio_token_id(hr::profiles::instruct, 36) == 130106, "");
static_assert(hr::build_gen_image_info(hr::model_for<hr::profiles::instruct>, "16:9")->image_token_length == 3600, "");
static_assert(hr::make_presets(hr::model_for<hr::profiles::base>).size() == 33, "");
