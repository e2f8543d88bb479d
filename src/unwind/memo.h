// SPDX-License-Identifier: MIT
// The memo remembers walks, because threads of a pool often wait in the same place. A walk is the
// same if the leaf pc is, and the words that it read are at the same offsets from the stack pointer
// with the same values, or, if they point into the stack, the same offsets as values. It is used
// only for captures of threads that were not stopped, of which pc and stack pointer are the only
// known registers.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/map.h"
#include "unwind/unwinder.h"

struct memo_word { // a word that a walk read
    uint64_t above; // offset from the stack pointer of the leaf
    uint64_t value; // if `near`, an offset from that stack pointer
    bool near;
};

struct memo {
    struct map by_pc; // leaf pc -> index + 1 of the newest walk from there
    struct memo_walk *walks;
    size_t count, capacity;

    // Of the present walk:
    const struct capture *capture;
    struct memo_word *words;
    size_t word_count, word_capacity;
    bool spoilt; // it also depends on something other than words of the stack
};

void memo_fini(struct memo *memo);

// Forgets all walks, because mappings have changed.
void memo_flush(struct memo *memo);

// Finds a remembered walk that is the same and copies its result. The array result->frames stays
// the same one, which is grown as needed. Returns false if there is none.
bool memo_find(const struct memo *memo, const struct capture *capture,
               struct unwind_result *result, size_t *capacity);

// memo_begin begins a walk and memo_note notes a word that it reads. memo_keep remembers the walk
// if it reached the root and is not spoilt.
void memo_begin(struct memo *memo, const struct capture *capture);
void memo_note(struct memo *memo, uint64_t address, uint64_t value);
void memo_keep(struct memo *memo, const struct unwind_result *result);
