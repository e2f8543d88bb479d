// SPDX-License-Identifier: MIT
#include "base/strtab.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"

#define BLOCK_SIZE 4000

struct strtab_block {
    _Atomic unsigned references; // of tables, and of the block that came after it
    struct strtab_block *older;
    char bytes[];
};

static uint64_t hash_text(const char *text)
{
    uint64_t hash = 14695981039346656037u; // FNV-1a
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 1099511628211u;
    return map_hash(hash);
}

// Returns the bucket that holds text, or the free one where it belongs.
static uint32_t *find(const struct strtab *tab, const char *text)
{
    size_t mask = tab->bucket_count - 1;
    size_t at = (size_t)hash_text(text) & mask;
    while (tab->buckets[at] && strcmp(tab->texts[tab->buckets[at] - 1], text) != 0)
        at = (at + 1) & mask;
    return &tab->buckets[at];
}

static void rehash(struct strtab *tab)
{
    free(tab->buckets);
    tab->bucket_count = tab->bucket_count ? tab->bucket_count : 128;
    do
        tab->bucket_count *= 2;
    while (tab->count * 2 >= tab->bucket_count);
    tab->buckets = xcalloc(tab->bucket_count, sizeof *tab->buckets);
    for (size_t id = 0; id < tab->count; id++)
        *find(tab, tab->texts[id]) = (uint32_t)id + 1;
}

void strtab_init(struct strtab *tab)
{
    *tab = (struct strtab){0};
    strtab_add(tab, "");
}

void strtab_fini(struct strtab *tab)
{
    struct strtab_block *block = tab->newest;
    while (block && atomic_fetch_sub(&block->references, 1) == 1) {
        struct strtab_block *older = block->older;
        free(block);
        block = older;
    }
    free(tab->texts);
    free(tab->buckets);
    *tab = (struct strtab){0};
}

void strtab_copy(struct strtab *copy, const struct strtab *tab)
{
    *copy = (struct strtab){
        .texts = xmalloc(tab->count * sizeof *tab->texts),
        .count = tab->count,
        .capacity = tab->count,
        .newest = tab->newest,
    };
    copy->bytes = tab->bytes;
    memcpy(copy->texts, tab->texts, tab->count * sizeof *tab->texts);
    atomic_fetch_add(&tab->newest->references, 1);
}

static char *keep(struct strtab *tab, const char *text)
{
    size_t size = strlen(text) + 1;
    if (size > tab->room) {
        tab->room = size > BLOCK_SIZE ? size : BLOCK_SIZE;
        struct strtab_block *block = xmalloc(sizeof *block + tab->room);
        tab->bytes += tab->room;
        atomic_init(&block->references, 1);
        block->older = tab->newest;
        tab->newest = block;
        tab->free = block->bytes;
    }
    char *kept = memcpy(tab->free, text, size);
    tab->free += size;
    tab->room -= size;
    return kept;
}

uint32_t strtab_add(struct strtab *tab, const char *text)
{
    if (tab->count * 2 >= tab->bucket_count)
        rehash(tab);
    uint32_t *bucket = find(tab, text);
    if (!*bucket) {
        ARRAY_RESERVE(tab->texts, tab->count, tab->capacity);
        tab->texts[tab->count] = keep(tab, text);
        *bucket = (uint32_t)++tab->count;
    }
    return *bucket - 1;
}

size_t strtab_memory(const struct strtab *tab)
{
    return tab->bytes + tab->capacity * sizeof *tab->texts +
           tab->bucket_count * sizeof *tab->buckets;
}

const char *strtab_get(const struct strtab *tab, uint32_t id)
{
    assert(id < tab->count);
    return tab->texts[id];
}
