// SPDX-License-Identifier: MIT
// What must not be in the header of a request, whoever sends it. Nothing here knows the library
// that reads HTTP: it takes texts.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define GUARD_PATH_MOST 1024       // bytes
#define GUARD_QUERY_MOST (8u << 10)
#define GUARD_HEADER_MOST (16u << 10) // of all names and values together

struct header_guard { // of one request; zeroed at its beginning
    unsigned status;  // of HTTP; 0: nothing is wrong
    const char *text; // what is wrong
    unsigned hosts, origins, lengths, encodings;
    size_t bytes;
};

// Checks path and query as they were sent, before anything was decoded.
void guard_target(struct header_guard *guard, const char *uri);

// Checks one field of the header. The bytes need not end in NUL.
void guard_field(struct header_guard *guard, const char *name, size_t name_length,
                 const char *value, size_t value_length);

// Decodes %HH in place, in a path that has passed.
void guard_decode(char *path);
