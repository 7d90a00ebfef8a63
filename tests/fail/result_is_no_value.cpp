// SPDX-License-Identifier: MIT
// expect: conversion from|no viable conversion
#include <hunyuan_reso/model.hpp>

namespace hr = hunyuan_reso;

#if MUST_NOT_COMPILE
constexpr hr::ResolutionGroup group = hr::make_group(hr::profiles::base);
#else
constexpr hr::ResolutionGroup group = *hr::make_group(hr::profiles::base);
#endif
static_assert(group.size() == 33);
