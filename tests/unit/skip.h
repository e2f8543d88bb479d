// SPDX-License-Identifier: MIT
// How a test ends that lacks what it needs: tests/run.py counts its line as skipped. A bare
// `return` would pass without a word; tests/style looks for it.
#pragma once

void skip_test(const char *function, int index, const char *reason);

// Within a test of Check only, which has the _i of a loop.
#define SKIP_IF(lacks, reason)                   \
    do {                                         \
        if (lacks) {                             \
            skip_test(__func__, _i, reason);     \
            return;                              \
        }                                        \
    } while (0)
