// SPDX-License-Identifier: MIT
// Text: printable bytes up to a NUL, at least eight of them, and nothing else in the part of the
// block that is looked at.
#include <stdlib.h>

#include "base/mem.h"
#include "heap/kinds.h"

#define LEAST 8u // bytes of a text that is taken for one

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

static uint32_t recognize(void *state, const struct block *block)
{
    const struct texts *texts = state;
    size_t length = 0;
    while (length < block->have && (block->bytes[length] >= 0x20 || block->bytes[length] == '\n'))
        length++;
    bool ends = length == block->have || block->bytes[length] == '\0';
    return length >= LEAST && ends ? texts->number : 0;
}

const struct recognizer recognizer_text = {.begin = begin, .recognize = recognize, .end = free};
