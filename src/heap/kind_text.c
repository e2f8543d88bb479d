// SPDX-License-Identifier: MIT
// Text: at least eight printable characters, in UTF-8, up to a NUL or to the end of what is looked
// at, and nothing behind that makes the block something else: it fills a good part of the block, or
// only zeroes follow.
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "heap/kinds.h"

#define LEAST 8u // characters of a text that is taken for one
#define PART 4u  // it fills at least one in so many bytes of its block

struct texts {
    uint32_t number;
};

static void *begin(struct kinds *kinds, struct heap_target *target)
{
    (void)target;
    struct texts *texts = xmalloc(sizeof *texts);
    texts->number = kinds_number(kinds, BLOCK_TEXT, "");
    return texts;
}

static bool is_printable(unsigned char byte)
{
    return (byte >= 0x20 && byte < 0x7f) || byte == '\n' || byte == '\t' || byte == '\r';
}

// Returns the length of the character at `at`; 0 when it is none. One that the end cuts counts.
static size_t character(const unsigned char *at, const unsigned char *end)
{
    if (*at < 0x80)
        return is_printable(*at);
    size_t length = *at >= 0xc2 && *at < 0xe0 ? 2 : *at >= 0xe0 && *at < 0xf0 ? 3
                    : *at >= 0xf0 && *at < 0xf5                               ? 4
                                                                              : 0;
    size_t have = (size_t)(end - at) < length ? (size_t)(end - at) : length;
    for (size_t i = 1; i < have; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    return have;
}

static bool are_zeroes(const unsigned char *at, const unsigned char *end)
{
    while (at < end && !*at)
        at++;
    return at == end;
}

static uint32_t recognize(void *state, const struct block *block)
{
    const struct texts *texts = state;
    const unsigned char *at = block->bytes, *end = at + block->have;
    size_t characters = 0;
    for (size_t length; at < end && (length = character(at, end)); at += length)
        characters++;
    size_t bytes = (size_t)(at - block->bytes);
    if (characters < LEAST)
        return 0;
    if (at == end) // the rest is not looked at, if there is one
        return block->have < block->usable ? texts->number : 0;
    bool fits = bytes + 1 >= block->usable / PART || are_zeroes(at, end);
    return *at == '\0' && fits ? texts->number : 0;
}

const struct recognizer recognizer_text = {
    .signs = SIGN_TEXT,
    .begin = begin,
    .recognize = recognize,
    .end = free,
};
