// SPDX-License-Identifier: MIT
// A hash map with open addressing from 64-bit keys to 32-bit values. Any key is allowed.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct map_slot {
    uint64_t key;
    uint32_t value;
    uint32_t used;
};

struct map {
    struct map_slot *slots;
    size_t count, capacity; // capacity: 0 or a power of two
};

void map_fini(struct map *map);
void map_clear(struct map *map);

// Returns the value of key, or `fallback`.
uint32_t map_get(const struct map *map, uint64_t key, uint32_t fallback);
void map_put(struct map *map, uint64_t key, uint32_t value);

// Numbers keys in the order of first use: 0, 1, 2 ... The map must hold nothing else.
uint32_t map_number(struct map *map, uint64_t key);

void map_remove(struct map *map, uint64_t key);

// Returns a well-mixed hash of a 64-bit key (the finisher of splitmix64).
uint64_t map_hash(uint64_t key);
uint64_t map_hash_text(const char *text);
