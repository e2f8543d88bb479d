// SPDX-License-Identifier: MIT
// What most of the time was waited for in which a function was on the stack.
#pragma once

#include "rows/selection.h"

struct main_wait { // raw texts, "": not known
    const char *wait, *lock;
};

// Returns it for each function of the moment: the labels `wait` and
// `lock` of the samples that the selection takes. The caller frees the list; its texts are the
// moment's.
struct main_wait *main_waits(const struct moment *moment, const struct selection *selection,
                             struct rows_span span);
