// SPDX-License-Identifier: MIT
#include "base/map.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

uint64_t map_hash(uint64_t key)
{
    key = (key ^ key >> 30) * 0xbf58476d1ce4e5b9u;
    key = (key ^ key >> 27) * 0x94d049bb133111ebu;
    return key ^ key >> 31;
}

void map_fini(struct map *map)
{
    free(map->slots);
    *map = (struct map){0};
}

void map_clear(struct map *map)
{
    if (map->slots)
        memset(map->slots, 0, map->capacity * sizeof *map->slots);
    map->count = 0;
}

// Returns the slot that holds key, or the free one where it belongs.
static struct map_slot *find(const struct map *map, uint64_t key)
{
    size_t mask = map->capacity - 1;
    size_t at = (size_t)map_hash(key) & mask;
    while (map->slots[at].used && map->slots[at].key != key)
        at = (at + 1) & mask;
    return &map->slots[at];
}

static void grow(struct map *map)
{
    struct map old = *map;
    map->capacity = old.capacity ? old.capacity * 2 : 64;
    map->slots = xcalloc(map->capacity, sizeof *map->slots);
    for (size_t i = 0; i < old.capacity; i++)
        if (old.slots[i].used)
            *find(map, old.slots[i].key) = old.slots[i];
    free(old.slots);
}

uint32_t map_get(const struct map *map, uint64_t key, uint32_t fallback)
{
    if (!map->count)
        return fallback;
    const struct map_slot *slot = find(map, key);
    return slot->used ? slot->value : fallback;
}

void map_put(struct map *map, uint64_t key, uint32_t value)
{
    if (map->count * 4 >= map->capacity * 3)
        grow(map);
    struct map_slot *slot = find(map, key);
    if (!slot->used)
        map->count++;
    *slot = (struct map_slot){.key = key, .value = value, .used = 1};
}

uint32_t map_number(struct map *map, uint64_t key)
{
    uint32_t number = map_get(map, key, UINT32_MAX);
    if (number == UINT32_MAX) {
        number = (uint32_t)map->count;
        map_put(map, key, number);
    }
    return number;
}

// Each entry behind the freed slot moves into it, unless that would put the entry before its own
// place (deletion without tombstones).
void map_remove(struct map *map, uint64_t key)
{
    struct map_slot *gap = map->count ? find(map, key) : NULL;
    if (!gap || !gap->used)
        return;
    size_t mask = map->capacity - 1, free_at = (size_t)(gap - map->slots);
    for (size_t at = (free_at + 1) & mask; map->slots[at].used; at = (at + 1) & mask) {
        size_t home = (size_t)map_hash(map->slots[at].key) & mask;
        if (((at - home) & mask) < ((at - free_at) & mask))
            continue;
        map->slots[free_at] = map->slots[at];
        free_at = at;
    }
    map->slots[free_at].used = 0;
    map->count--;
}

uint64_t map_hash_text(const char *text)
{
    uint64_t key = 5381;
    for (; *text; text++)
        key = map_hash(key ^ (unsigned char)*text);
    return key;
}
