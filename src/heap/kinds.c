// SPDX-License-Identifier: MIT
#include "heap/kinds.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/strtab.h"

const char *const block_kind_words[BLOCK_KIND_COUNT] = {
#define X(name, word, text) [BLOCK_##name] = word,
    BLOCK_KINDS(X)
#undef X
};

static const struct recognizer *const recognizers[] = {
    &recognizer_python,
    &recognizer_text,
};

#define RECOGNIZERS (sizeof recognizers / sizeof *recognizers)

struct named_kind { // kind of block
    enum block_kind kind;
    uint32_t name; // in texts
};

struct kinds {
    struct named_kind *list; // list[0]: nothing is known
    size_t count, capacity;
    struct strtab texts;
    struct map by_key; // kind and text -> number
    void *states[RECOGNIZERS]; // NULL: not in this process
};

uint32_t kinds_number(struct kinds *kinds, enum block_kind kind, const char *name)
{
    uint32_t text = strtab_add(&kinds->texts, name);
    uint64_t key = (uint64_t)kind << 32 | text;
    uint32_t number = map_get(&kinds->by_key, key, UINT32_MAX);
    if (number != UINT32_MAX)
        return number;
    number = (uint32_t)kinds->count;
    ARRAY_RESERVE(kinds->list, kinds->count, kinds->capacity);
    kinds->list[kinds->count++] = (struct named_kind){kind, text};
    map_put(&kinds->by_key, key, number);
    return number;
}

struct kinds *kinds_new(struct heap_target *target)
{
    struct kinds *kinds = xcalloc(1, sizeof *kinds);
    kinds_number(kinds, BLOCK_UNKNOWN, "");
    for (size_t i = 0; i < RECOGNIZERS; i++)
        kinds->states[i] = recognizers[i]->begin(kinds, target);
    return kinds;
}

void kinds_free(struct kinds *kinds)
{
    if (!kinds)
        return;
    for (size_t i = 0; i < RECOGNIZERS; i++)
        if (kinds->states[i])
            recognizers[i]->end(kinds->states[i]);
    map_fini(&kinds->by_key);
    strtab_fini(&kinds->texts);
    free(kinds->list);
    free(kinds);
}

uint32_t kinds_of(struct kinds *kinds, const struct block *block)
{
    uint32_t number = 0;
    for (size_t i = 0; i < RECOGNIZERS && !number; i++)
        if (kinds->states[i])
            number = recognizers[i]->recognize(kinds->states[i], block);
    return number;
}

enum block_kind kinds_kind(const struct kinds *kinds, uint32_t number)
{
    return kinds->list[number].kind;
}

const char *kinds_name(const struct kinds *kinds, uint32_t number)
{
    return strtab_get(&kinds->texts, kinds->list[number].name);
}
