// SPDX-License-Identifier: MIT
// For the test of the test: a constant that is computed before main.
#include <cstdlib>
extern const int seed;
const int seed = std::rand();
int next() { return seed; }
