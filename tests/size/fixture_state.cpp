// SPDX-License-Identifier: MIT
// For the test of the test: a variable that can change.
int counter = 1;
int next() { return ++counter; }
