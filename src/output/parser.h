// SPDX-License-Identifier: MIT
// A parser makes a plain profile of a file in one format. Which format a file has, its content
// says; its name does not count.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "profile/plain.h"

struct parser {
    const char *name; // for people: "pprof", "collapsed stacks"
    // Says whether the bytes, which are not compressed, look like a beginning of the format.
    bool (*recognizes)(const char *bytes, size_t length);
    // As parser_parse, without compression. RC_LIMIT also if it would take more than `room` bytes
    // of memory, which is all that a compressed file of its size may take; PARSER_ROOMY: it was
    // not compressed.
    enum rc (*parse)(const char *bytes, size_t length, size_t room,
                     struct plain_profile **profile, struct err *err);
};

extern const struct parser parsers[]; // in the order in which they are asked
extern const size_t parser_count;

#define PARSER_ROOMY SIZE_MAX
#define PROFILE_UNPACKED_MAX (256u << 20) // bytes; profiles of a day have less than 10 MiB

// Parses a file of any of the formats, gzip-compressed or not. Fails with RC_FORMAT and what is
// wrong with it, or with RC_LIMIT if it is too large; then *profile is NULL. The caller frees it.
enum rc parser_parse(const void *bytes, size_t length, struct plain_profile **profile,
                      struct err *err) MUST_CHECK;
