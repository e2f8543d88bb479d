// SPDX-License-Identifier: MIT
// The paths at which distributions put the parts that were split off a binary, and where debuggers
// look for them. The caller frees the paths.
#pragma once

#include <stddef.h>

#define DEBUG_PATH_PLACES 3

// Returns for example "/usr/lib/debug/.build-id/ab/cdef.debug", where the ending is ".debug".
char *debug_path_of_id(const unsigned char *build_id, size_t length, const char *ending);

// Returns the path of a file with that name that belongs to a binary in `directory`. `place` counts
// the places to look at, below DEBUG_PATH_PLACES.
char *debug_path_beside(size_t place, const char *directory, const char *name);
