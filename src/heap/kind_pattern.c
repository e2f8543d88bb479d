// SPDX-License-Identifier: MIT
// One word, repeated in all of the part of a block that is looked at: zeroes, a byte that fills it,
// or any other word.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "heap/kinds.h"

#define LEAST_ZEROES 16u
#define LEAST 32u // bytes of any other pattern

struct patterns {
    struct kinds *kinds;
    uint32_t zeroes, word;
    uint32_t bytes[256]; // 0: not met yet
};

static void *begin(struct kinds *kinds, struct heap_target *target)
{
    (void)target;
    struct patterns *patterns = xcalloc(1, sizeof *patterns);
    patterns->kinds = kinds;
    patterns->zeroes = kinds_number(kinds, BLOCK_PATTERN, "zeroes");
    patterns->word = kinds_number(kinds, BLOCK_PATTERN, "a word, repeated");
    return patterns;
}

static uint32_t byte_pattern(struct patterns *patterns, unsigned char byte)
{
    char name[32];
    if (patterns->bytes[byte])
        return patterns->bytes[byte];
    snprintf(name, sizeof name, "byte 0x%02x, repeated", byte);
    return patterns->bytes[byte] = kinds_number(patterns->kinds, BLOCK_PATTERN, name);
}

static uint32_t recognize(void *state, const struct block *block)
{
    struct patterns *patterns = state;
    uint64_t word = block_word(block, 0);
    if (block->have < LEAST_ZEROES || block_word(block, 8) != word ||
        memcmp(block->bytes, block->bytes + 8, block->have - 8) != 0)
        return 0;
    if (!word)
        return patterns->zeroes;
    if (block->have < LEAST)
        return 0;
    unsigned char byte = (unsigned char)word;
    return word == byte * (UINT64_MAX / 255) ? byte_pattern(patterns, byte) : patterns->word;
}

const struct recognizer recognizer_pattern = {
    .signs = SIGN_REPEATED,
    .begin = begin,
    .recognize = recognize,
    .end = free,
};
