// SPDX-License-Identifier: MIT
// A hash map from 64-bit keys to 32-bit values, open addressing. Any key is allowed.
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

// The value of key, or `fallback`.
uint32_t map_get(const struct map *map, uint64_t key, uint32_t fallback);
void map_put(struct map *map, uint64_t key, uint32_t value);

// The number of a key in a map that holds nothing else: 0, 1, 2 ... in the order of first use.
uint32_t map_number(struct map *map, uint64_t key);

void map_remove(struct map *map, uint64_t key);

// A well-mixed hash of 64 bits (splitmix64's finisher).
uint64_t map_hash(uint64_t key);
