// SPDX-License-Identifier: MIT
#include "two_units.hpp"

Unit other_unit() { return {}; }
