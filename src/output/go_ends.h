// SPDX-License-Identifier: MIT
// When the present states of threads end: a heap of (time, thread), each thread at most once.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define GO_ENDS_NONE UINT32_MAX

struct go_ends {
    uint32_t *heap;  // threads, the next one first
    size_t *places;  // [thread]: in the heap; SIZE_MAX: it is not there
    int64_t *times;  // [thread]
    size_t count;
};

void go_ends_init(struct go_ends *ends, size_t threads);
void go_ends_fini(struct go_ends *ends);

void go_ends_set(struct go_ends *ends, uint32_t thread, int64_t time); // added or changed

// Takes out the thread that is next, if its time is at most `until`; else returns GO_ENDS_NONE.
uint32_t go_ends_take(struct go_ends *ends, int64_t until);
