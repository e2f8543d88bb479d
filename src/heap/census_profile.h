// SPDX-License-Identifier: MIT
#pragma once

#include "heap/heap_census.h"
#include "profile/plain.h"

// Makes a profile of two values, objects/count and space/bytes in use, whose frames say what the
// blocks are (profile/block_profile.h). The caller frees it.
struct plain_profile *census_profile(const struct heap_census *census);
