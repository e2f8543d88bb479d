// SPDX-License-Identifier: MIT
#pragma once

#include "heap/heap_census.h"
#include "output/writer.h"

// Makes a profile of two values, objects/count and space/bytes in use, whose frames say what the
// blocks are (profile/block_profile.h). The caller frees it.
struct plain_profile *census_profile(const struct heap_census *census);

// Writes that profile. RC_ABSENT, beside what the writer fails with, where no allocator was found:
// a profile without samples would be taken for that of a process without memory.
enum rc census_write(const struct heap_census *census, const struct writer *writer, FILE *stream,
                     struct err *err) MUST_CHECK;
