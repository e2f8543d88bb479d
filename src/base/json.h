// SPDX-License-Identifier: MIT
// JSON, written in order: quotes, commas and escapes are put here. Inside an object each value has
// a key; in an array, and at the top, the key is NULL.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct json { // zeroed, but for `out`
    struct buf *out; // may be emptied between two calls
    bool follows;    // something stands before what comes next
    bool line;       // which begins a line
};

// An object or an array begins and ends; its bracket is '{' or '['.
void json_begin(struct json *json, const char *key, char bracket);
void json_end(struct json *json, char bracket);

// Has what comes next begin a line, if anything comes before the bracket ends.
void json_line(struct json *json);

// Write a value each. A text of NULL is the empty string.
void json_text(struct json *json, const char *key, const char *text);
void json_number(struct json *json, const char *key, int64_t number);
void json_count(struct json *json, const char *key, uint64_t count);
void json_bool(struct json *json, const char *key, bool value);
void json_null(struct json *json, const char *key);

// Writes a number with so many decimals; it is 0 where JSON has no number.
void json_decimal(struct json *json, const char *key, double value, unsigned decimals);
