// SPDX-License-Identifier: MIT
#include "unwind/memo.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "unwind/stack_copy.h"

#define WALKS_MAX 2048 // then all are forgotten
#define TRIED_MAX 8    // walks from the same pc
#define WORDS_MAX 1024 // of one walk
#define MARGIN (64u << 10) // bytes around the stack copy that count as near
#define ALIGNMENT 64u  // functions that align their frame go by the low bits of the stack pointer

struct memo_walk {
    uint64_t pc, sp;
    uint32_t older; // index + 1 of the next one from that pc
    struct memo_word *words; // owned
    size_t word_count;
    struct unwind_result result; // frames: owned
};

static void forget(struct memo *memo)
{
    for (size_t i = 0; i < memo->count; i++) {
        free(memo->walks[i].words);
        free(memo->walks[i].result.frames);
    }
    memo->count = 0;
}

void memo_fini(struct memo *memo)
{
    forget(memo);
    map_fini(&memo->by_pc);
    free(memo->walks);
    free(memo->words);
}

void memo_flush(struct memo *memo)
{
    forget(memo);
    map_clear(&memo->by_pc);
}

static bool holds(const struct memo_word *word, const struct capture *capture)
{
    uint64_t value, wanted = word->near ? word->value + capture_sp(capture) : word->value;
    struct stack_use ignored = {0};
    return stack_copy_read(capture, capture_sp(capture) + word->above, &value, &ignored) &&
           value == wanted;
}

static bool is_same(const struct memo_walk *walk, const struct capture *capture)
{
    if (!(capture->flags & CAPTURE_IN_PLACE) || walk->pc != capture_pc(capture) ||
        (walk->sp ^ capture_sp(capture)) % ALIGNMENT)
        return false;
    for (size_t i = 0; i < walk->word_count; i++)
        if (!holds(&walk->words[i], capture))
            return false;
    return true;
}

bool memo_find(const struct memo *memo, const struct capture *capture,
               struct unwind_result *result, size_t *capacity)
{
    uint32_t at = map_get(&memo->by_pc, capture_pc(capture), 0);
    for (unsigned i = 0; at && i < TRIED_MAX && !is_same(&memo->walks[at - 1], capture); i++)
        at = memo->walks[at - 1].older;
    if (!at || !is_same(&memo->walks[at - 1], capture))
        return false;
    const struct memo_walk *walk = &memo->walks[at - 1];
    struct unwind_frame *frames = result->frames;
    *result = walk->result;
    ARRAY_RESERVE(frames, result->count, *capacity);
    memcpy(frames, walk->result.frames, result->count * sizeof *frames);
    for (size_t i = 0; i < result->count; i++)
        frames[i].sp += capture_sp(capture) - walk->sp;
    result->root += capture_sp(capture) - walk->sp;
    result->frames = frames;
    return true;
}

void memo_begin(struct memo *memo, const struct capture *capture)
{
    memo->capture = capture;
    memo->word_count = 0;
    memo->spoilt = !(capture->flags & CAPTURE_IN_PLACE);
}

void memo_note(struct memo *memo, uint64_t address, uint64_t value)
{
    if (memo->spoilt)
        return;
    uint64_t sp = capture_sp(memo->capture);
    bool near = value - sp + MARGIN < memo->capture->stack_length + 2ull * MARGIN;
    ARRAY_RESERVE(memo->words, memo->word_count, memo->word_capacity);
    memo->words[memo->word_count++] = (struct memo_word){address - sp, near ? value - sp : value,
                                                         near};
    memo->spoilt = memo->word_count == WORDS_MAX;
}

static void *copy_of(const void *array, size_t bytes)
{
    return memcpy(xmalloc(bytes + 1), array, bytes);
}

void memo_keep(struct memo *memo, const struct unwind_result *result)
{
    if (memo->spoilt || result->end != UNWIND_BOTTOM || !memo->word_count)
        return;
    if (memo->count == WALKS_MAX)
        memo_flush(memo);
    uint64_t pc = capture_pc(memo->capture);
    ARRAY_RESERVE(memo->walks, memo->count, memo->capacity);
    struct memo_walk *walk = &memo->walks[memo->count++];
    *walk = (struct memo_walk){
        .pc = pc,
        .sp = capture_sp(memo->capture),
        .older = map_get(&memo->by_pc, pc, 0),
        .words = copy_of(memo->words, memo->word_count * sizeof *memo->words),
        .word_count = memo->word_count,
        .result = *result,
    };
    walk->result.frames = copy_of(result->frames, result->count * sizeof *result->frames);
    map_put(&memo->by_pc, pc, (uint32_t)memo->count);
}
