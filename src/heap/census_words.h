// SPDX-License-Identifier: MIT
// What the rows of a census are called: each has the texts that every output shows.
#pragma once

#include "heap/heap_census.h"
#include "profile/block_profile.h"

#define CENSUS_SIZE_TEXT 48 // bytes

struct census_texts { // of one row
    char arena[16];
    char size[CENSUS_SIZE_TEXT];
};

// Returns what a row counts, with texts that are the census's or in `texts`. What has no name is
// called by its size class where nothing is known of it at all.
struct block_count census_count_of(const struct heap_census *census,
                                   const struct heap_census_row *row, struct census_texts *texts);

// Writes the size class whose largest size this is: "56 bytes", "1K-1.25K" (from 1025 on).
const char *census_size_text(uint64_t size, char text[CENSUS_SIZE_TEXT]);
