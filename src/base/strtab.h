// SPDX-License-Identifier: MIT
// Interned strings: each distinct text is stored once and known by a number. Number 0 is always "".
// Texts never move, and copies of a table share them.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct strtab_block;

struct strtab {
    char **texts; // [id]
    size_t count, capacity;
    uint32_t *buckets; // id + 1, 0 = free
    size_t bucket_count;
    struct strtab_block *newest; // a reference: it holds one to the block before it
    char *free;                  // where the next text goes in the newest block
    size_t bytes;                // of all blocks
    size_t room;                 // bytes there; 0: the block is somebody else's to fill
};

void strtab_init(struct strtab *tab);
void strtab_fini(struct strtab *tab);

// Gives *copy the same texts under the same numbers. Either may grow, each in a thread of its own.
void strtab_copy(struct strtab *copy, const struct strtab *tab);

size_t strtab_memory(const struct strtab *tab); // bytes; blocks that it shares count

uint32_t strtab_add(struct strtab *tab, const char *text);
const char *strtab_get(const struct strtab *tab, uint32_t id);
