// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_VERSION_HPP
#define HUNYUAN_RESO_VERSION_HPP

/// Version of the library, as integers for #if. The build reads it from here too.
#define HUNYUAN_RESO_VERSION_MAJOR 0
#define HUNYUAN_RESO_VERSION_MINOR 1
#define HUNYUAN_RESO_VERSION_PATCH 0

#endif  // HUNYUAN_RESO_VERSION_HPP
