// SPDX-License-Identifier: MIT
// A JSON text, loaded by jansson within a bound on memory. One at a time: jansson is told how to
// allocate without a context.
#pragma once

#include <jansson.h>
#include <stddef.h>

#include "base/err.h"

struct json_load {
    json_t *root; // NULL after a failure
    json_malloc_t take; // how jansson allocated before
    json_free_t give;
};

// Loads a text of which `room` is as in struct parser. Fails with RC_FORMAT or RC_LIMIT. The caller
// ends it, whatever the result is.
enum rc json_load_begin(struct json_load *load, const char *bytes, size_t length, size_t room,
                        struct err *err) MUST_CHECK;
void json_load_end(struct json_load *load);

// Returns how many bytes jansson holds.
size_t json_load_memory(void);
