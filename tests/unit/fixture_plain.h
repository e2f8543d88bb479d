// SPDX-License-Identifier: MIT
// A small plain profile, made by hand.
#pragma once

#include "profile/plain.h"

struct plain_profile *fixture_plain(void); // samples/count, cpu/nanoseconds

// A mapping of one page, of the file's offset 0x2000.
uint32_t fixture_mapping(struct plain_profile *profile, const char *file, const char *build_id,
                         uint64_t start);

// A location in line 7 of a new function.
uint32_t fixture_location(struct plain_profile *profile, uint32_t mapping, uint64_t address,
                          const char *name);

void fixture_sample(struct plain_profile *profile, uint32_t stack, uint32_t set, int64_t samples,
                    int64_t ns);
