// SPDX-License-Identifier: MIT
// Interned strings: each distinct text is stored once and known by a number. Number 0 is always "".
#pragma once

#include <stddef.h>
#include <stdint.h>

struct strtab {
    char **texts; // [id]
    size_t count, capacity;
    uint32_t *buckets; // id + 1, 0 = free
    size_t bucket_count;
};

void strtab_init(struct strtab *tab);
void strtab_fini(struct strtab *tab);
uint32_t strtab_add(struct strtab *tab, const char *text);
const char *strtab_get(const struct strtab *tab, uint32_t id);
