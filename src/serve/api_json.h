// SPDX-License-Identifier: MIT
// JSON of /api/profiling. A value that cannot be known is null, and the object `unavailable` at the
// end says why, by the path of the value: {"memory.total_alloc": "allocators keep no count"}.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"

#define API_UNKNOWN UINT64_MAX // of a count; of a real number NAN, of a text NULL

struct api_json {
    struct json json;
    char path[160]; // of the object that is being written, with '.' between and at the end
    struct api_absence {
        char *path, *why; // owned
    } *absent;            // owned
    size_t count, capacity;
    bool quiet; // what is not known is null, and nothing is noted of it
};

// The whole begins and ends with these; the end frees what was kept.
void api_begin(struct api_json *api, struct buf *out);
void api_end(struct api_json *api);

// An object in it.
void api_group(struct api_json *api, const char *key);
void api_group_end(struct api_json *api);

// An array in it, and the objects that it consists of: all have the same path, "samples[].".
void api_list(struct api_json *api, const char *key);
void api_list_end(struct api_json *api);
void api_item(struct api_json *api);
void api_item_end(struct api_json *api);

// Write a value each, or null and why.
void api_count(struct api_json *api, const char *key, uint64_t value, const char *why);
void api_real(struct api_json *api, const char *key, double value, unsigned decimals,
              const char *why);
void api_text(struct api_json *api, const char *key, const char *value, const char *why);
void api_null(struct api_json *api, const char *key, const char *why);

// Writes a time as RFC 3339 has it, UTC. wall: ns since 1970; 0: not known.
void api_time(struct api_json *api, const char *key, int64_t wall, const char *why);

// Writes bytes in units of 2^20, as "alloc_mb".
void api_megabytes(struct api_json *api, const char *key, uint64_t bytes, const char *why);
