// SPDX-License-Identifier: MIT
#include "base/strtab.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"

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
    tab->bucket_count = tab->bucket_count ? tab->bucket_count * 2 : 256;
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
    for (size_t id = 0; id < tab->count; id++)
        free(tab->texts[id]);
    free(tab->texts);
    free(tab->buckets);
    *tab = (struct strtab){0};
}

uint32_t strtab_add(struct strtab *tab, const char *text)
{
    if (tab->count * 2 >= tab->bucket_count)
        rehash(tab);
    uint32_t *bucket = find(tab, text);
    if (!*bucket) {
        ARRAY_RESERVE(tab->texts, tab->count, tab->capacity);
        tab->texts[tab->count] = xstrdup(text);
        *bucket = (uint32_t)++tab->count;
    }
    return *bucket - 1;
}

const char *strtab_get(const struct strtab *tab, uint32_t id)
{
    assert(id < tab->count);
    return tab->texts[id];
}
