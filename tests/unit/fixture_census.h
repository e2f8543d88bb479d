// SPDX-License-Identifier: MIT
// A small frozen census of two allocators, with hostile names and what cannot be told.
#pragma once

#include "heap/heap_census.h"
#include "heap/target.h"

struct census_fixture {
    struct heap_target target; // this process, without mappings
    struct heap_census census;
    struct heap_census_allocator allocators[2];
    struct heap_census_row rows[8];
};

void census_fixture_init(struct census_fixture *fixture);
void census_fixture_fini(struct census_fixture *fixture);
