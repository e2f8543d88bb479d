// SPDX-License-Identifier: MIT
// Stacks that have been walked. Threads of a pool wait in the same place: the words that decided
// one walk lie as far above the stack pointer of the next one, with the same values, or, where they
// point into the stack, with values that are as far away. Then it is the same walk. Only for
// captures that were taken in place, of which no register but pc and stack pointer is known.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/map.h"
#include "unwind/unwinder.h"

struct memo_word { // that a walk looked at
    uint64_t above; // bytes, from the stack pointer of the leaf
    uint64_t value; // less that stack pointer if `near`
    bool near;
};

struct memo {
    struct map by_pc; // of the leaf -> index + 1 of the newest walk from there
    struct memo_walk *walks;
    size_t count, capacity;

    // Of the walk that is going on:
    const struct capture *capture;
    struct memo_word *words;
    size_t word_count, word_capacity;
    bool spoilt; // it stands on something else too
};

void memo_fini(struct memo *memo);

// What was walked may be walked differently from now on.
void memo_flush(struct memo *memo);

// The walk that was the same, its frames written to *frames (grown as needed); false: none was.
bool memo_find(const struct memo *memo, const struct capture *capture,
               struct unwind_frame **frames, size_t *capacity, struct unwind_result *result);

// A walk begins. It is kept at its end if it came to the root and was not spoilt meanwhile.
void memo_begin(struct memo *memo, const struct capture *capture);
void memo_note(struct memo *memo, uint64_t address, uint64_t value);
void memo_keep(struct memo *memo, const struct unwind_result *result);
