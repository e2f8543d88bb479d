// SPDX-License-Identifier: MIT
#include "output/known.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void known_init(struct known *known)
{
    *known = (struct known){0};
    strtab_init(&known->texts);
}

void known_fini(struct known *known)
{
    strtab_fini(&known->texts);
    buf_fini(&known->text);
    free(known->numbers);
}

uint32_t *known_number(struct known *known, const char *start, const char *end)
{
    size_t before = known->capacity;
    buf_clear(&known->text);
    buf_append(&known->text, start, (size_t)(end - start));
    uint32_t text = strtab_add(&known->texts, known->text.length ? known->text.data : "");
    ARRAY_RESERVE(known->numbers, text, known->capacity);
    if (known->capacity > before)
        memset(known->numbers + before, 0, (known->capacity - before) * sizeof *known->numbers);
    return &known->numbers[text];
}

size_t known_memory(const struct known *known)
{
    return strtab_memory(&known->texts) + known->capacity * sizeof *known->numbers +
           known->text.capacity;
}
