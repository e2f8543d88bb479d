// SPDX-License-Identifier: MIT
// Where what was split off a binary may lie, as distributions and debuggers have it. The caller
// frees the paths.
#pragma once

#include <stddef.h>

#define DEBUG_PATH_PLACES 3

// "/usr/lib/debug/.build-id/ab/cdef.debug", where the ending is ".debug".
char *debug_path_of_id(const unsigned char *build_id, size_t length, const char *ending);

// A file of that name, for a binary in the directory; place: below DEBUG_PATH_PLACES.
char *debug_path_beside(size_t place, const char *directory, const char *name);
