// SPDX-License-Identifier: MIT
#include "heap/kinds.h"

#include <stdlib.h>
#include <string.h>

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
    &recognizer_class,
    &recognizer_text,
    &recognizer_pattern,
    &recognizer_container,
    &recognizer_rust,
};

#define RECOGNIZERS (sizeof recognizers / sizeof *recognizers)
#define LOWEST_ADDRESS (1ull << 16)
#define HIGHEST_ADDRESS (1ull << 47)

struct named_kind { // kind of block
    enum block_kind kind;
    uint32_t name; // in texts
};

struct kinds {
    struct named_kind *list; // list[0]: nothing is known
    size_t count, capacity;
    struct strtab texts;
    size_t text_bytes;
    struct map by_key; // hash of kind and text -> number; where two have one hash, the next key
    struct {
        const struct recognizer *recognizer;
        void *state;
    } at_work[RECOGNIZERS]; // those that may meet a block of theirs in this process
    size_t used;
};

#define OTHERS 1u // number of BLOCK_OTHERS

static bool is_kind(const struct kinds *kinds, uint32_t number, enum block_kind kind,
                    const char *name)
{
    return kinds->list[number].kind == kind && strcmp(kinds_name(kinds, number), name) == 0;
}

uint32_t kinds_number(struct kinds *kinds, enum block_kind kind, const char *name)
{
    uint64_t key = map_hash_text(name) + kind;
    for (uint32_t at; (at = map_get(&kinds->by_key, key, UINT32_MAX)) != UINT32_MAX; key++)
        if (is_kind(kinds, at, kind, name))
            return at;
    size_t length = strlen(name) + 1;
    if (kinds->count >= KINDS_MAX || length > KIND_NAMES_MAX - kinds->text_bytes)
        return OTHERS;
    kinds->text_bytes += length;
    ARRAY_RESERVE(kinds->list, kinds->count, kinds->capacity);
    kinds->list[kinds->count] = (struct named_kind){kind, strtab_add(&kinds->texts, name)};
    map_put(&kinds->by_key, key, (uint32_t)kinds->count);
    return (uint32_t)kinds->count++;
}

struct kinds *kinds_new(struct heap_target *target)
{
    struct kinds *kinds = xcalloc(1, sizeof *kinds);
    kinds_number(kinds, BLOCK_UNKNOWN, "");
    kinds_number(kinds, BLOCK_OTHERS, "");
    for (size_t i = 0; i < RECOGNIZERS; i++) {
        void *state = recognizers[i]->begin(kinds, target);
        if (state) {
            kinds->at_work[kinds->used].recognizer = recognizers[i];
            kinds->at_work[kinds->used++].state = state;
        }
    }
    return kinds;
}

void kinds_free(struct kinds *kinds)
{
    if (!kinds)
        return;
    for (size_t i = 0; i < kinds->used; i++)
        kinds->at_work[i].recognizer->end(kinds->at_work[i].state);
    map_fini(&kinds->by_key);
    strtab_fini(&kinds->texts);
    free(kinds->list);
    free(kinds);
}

static bool has_zero_byte(uint64_t word)
{
    const uint64_t ones = UINT64_MAX / 255;
    return (word - ones) & ~word & ones << 7;
}

static unsigned signs_of(const struct block *block)
{
    uint64_t first = block_word(block, 0);
    uint64_t second = block->have < 16 ? 0 : block_word(block, 8);
    bool is_address = !(second % 8) && second >= LOWEST_ADDRESS && second < HIGHEST_ADDRESS;
    return SIGN_ANY | (has_zero_byte(first) ? 0 : SIGN_TEXT) |
           (first == second ? SIGN_REPEATED : 0) | (is_address ? SIGN_LINKED : 0);
}

uint32_t kinds_of(struct kinds *kinds, const struct block *block)
{
    uint32_t number = 0;
    if (block->have < sizeof(uint64_t))
        return number;
    unsigned signs = signs_of(block);
    for (size_t i = 0; i < kinds->used && !number; i++)
        if (kinds->at_work[i].recognizer->signs & signs)
            number = kinds->at_work[i].recognizer->recognize(kinds->at_work[i].state, block);
    return number;
}

bool kinds_learnt(struct kinds *kinds)
{
    bool learnt = false;
    for (size_t i = 0; i < kinds->used; i++) {
        const struct recognizer *recognizer = kinds->at_work[i].recognizer;
        if (recognizer->learnt && recognizer->learnt(kinds->at_work[i].state))
            learnt = true;
    }
    return learnt;
}

enum block_kind kinds_kind(const struct kinds *kinds, uint32_t number)
{
    return kinds->list[number].kind;
}

const char *kinds_name(const struct kinds *kinds, uint32_t number)
{
    return strtab_get(&kinds->texts, kinds->list[number].name);
}
