// SPDX-License-Identifier: MIT
// The table of names that a JIT compiler writes for profilers: lines "START SIZE NAME" with
// hexadecimal numbers without prefix. The table only grows, and later entries hide earlier ones, so
// a number of entries identifies a moment of its history.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct perf_map;

struct perf_map *perf_map_new(void);
void perf_map_free(struct perf_map *map);

// Parses the complete lines at the beginning of `text` (which may hold any bytes) and returns how
// many bytes they have. Malformed lines and entries beyond the limits are skipped.
size_t perf_map_parse(struct perf_map *map, const char *text, size_t length);

// Returns the number of entries so far. A repeated entry counts once.
size_t perf_map_count(const struct perf_map *map);

// Returns the name (raw bytes) of the code at an address as of when there were `known` entries
// (SIZE_MAX: now), and the offset of the address in that code; NULL when it has no name.
const char *perf_map_find(const struct perf_map *map, uint64_t address, size_t known,
                          uint64_t *offset);

// Notes that the code at the address was seen to run.
void perf_map_use(struct perf_map *map, uint64_t address);

// Returns how many entries there were before the first one, since the last call, that covered code
// which had been seen to run and has another name; SIZE_MAX when there was none.
size_t perf_map_moved(struct perf_map *map);
