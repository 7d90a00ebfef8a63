// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_VERSION_HPP
#define HUNYUAN_RESO_VERSION_HPP

/// Version of the library, as integers for #if. The build reads it from here too.
#define HUNYUAN_RESO_VERSION_MAJOR 0
#define HUNYUAN_RESO_VERSION_MINOR 2
#define HUNYUAN_RESO_VERSION_PATCH 0

// The inline namespace v0_2: objects built against releases that may differ do not link with one another by accident.
#define HUNYUAN_RESO_INLINE_NAMESPACE_OF(major, minor) v##major##_##minor
#define HUNYUAN_RESO_INLINE_NAMESPACE_EXPANDED(major, minor) HUNYUAN_RESO_INLINE_NAMESPACE_OF(major, minor)
#define HUNYUAN_RESO_INLINE_NAMESPACE \
  HUNYUAN_RESO_INLINE_NAMESPACE_EXPANDED(HUNYUAN_RESO_VERSION_MAJOR, HUNYUAN_RESO_VERSION_MINOR)

#endif  // HUNYUAN_RESO_VERSION_HPP
