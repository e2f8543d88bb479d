// SPDX-License-Identifier: MIT
// The table of names that a JIT compiler writes for profilers: lines "START SIZE NAME", numbers in
// hexadecimal without prefix. It only ever grows, and later entries hide earlier ones; a number of
// entries is therefore a moment of its history.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct perf_map;

struct perf_map *perf_map_new(void);
void perf_map_free(struct perf_map *map);

// Takes the complete lines at the beginning of `text` (which may hold any bytes) and returns how
// many bytes they are. Lines that are none of these and what exceeds all bounds are passed over.
size_t perf_map_parse(struct perf_map *map, const char *text, size_t length);

// Entries so far. What is said twice counts once.
size_t perf_map_count(const struct perf_map *map);

// The name of the code at an address when there were `known` entries (SIZE_MAX: now), raw bytes,
// and the address's place in it; NULL when it has none.
const char *perf_map_find(const struct perf_map *map, uint64_t address, size_t known,
                          uint64_t *offset);

// The code at the address was seen to run.
void perf_map_use(struct perf_map *map, uint64_t address);

// How many entries there were before the first one, since this was last asked, that took memory
// away from code that was seen to run and gave it to other code; SIZE_MAX when none did.
size_t perf_map_moved(struct perf_map *map);
