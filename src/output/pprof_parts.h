// SPDX-License-Identifier: MIT
// What the parser of pprof files knows while it is at work; it is private to pprof_*.c.
#pragma once

#include "base/buf.h"
#include "base/mem.h"
#include "output/protobuf.h"
#include "profile/plain.h"

#define PPROF_TYPES_MAX 64 // of values
#define PPROF_FIELDS 16    // of a profile: 1 to 15
#define PPROF_NODE_COST 40 // bytes that rows need for each node of its stacks
#define PPROF_DAMAGED "it is no profile in pprof's format, or it is damaged"

// Ids are any numbers, and almost always 1, 2, 3 ...
struct pprof_ids {
    uint32_t *direct; // [id]: number + 1, 0: none
    uint64_t count;
    struct map others; // id -> number
};

struct pprof_parts { // of one field of the profile
    const uint8_t *first, *end; // between which they all lie
    size_t count;
};

// A label adds the same to the same set each time.
struct pprof_known_label {
    uint64_t bytes[2]; // of the message, zeroes behind its end
    uint32_t length;   // 0: none
    uint32_t before, after; // sets
};
#define PPROF_KNOWN_LABELS 1024 // a power of two

struct pprof_reading {
    struct plain_profile *to;
    struct pprof_parts parts[PPROF_FIELDS]; // [field]
    uint64_t numbers[PPROF_FIELDS];         // [field]: of those that are numbers, the last one
    uint32_t *texts; // [string of the file]: text of the profile
    size_t text_count;
    struct buf scratch; // the string at hand
    struct pprof_ids mappings, functions, locations;
    struct plain_line *lines; // of the location at hand
    size_t line_capacity;
    uint32_t *stack; // locations of the sample at hand
    size_t depth, stack_capacity;
    int64_t values[PPROF_TYPES_MAX]; // of the sample at hand
    size_t value_count;
    struct pprof_known_label *known; // [hash]
    size_t room;      // bytes that the profile may take
    bool packed;      // the room is what a compressed file has
    size_t unchecked; // bytes of parts since it was looked at
    struct err *err;
};

#define PPROF_WRONG(parse, ...) err_set((parse)->err, RC_FORMAT, __VA_ARGS__)

static inline uint32_t pprof_number(const struct pprof_ids *ids, uint64_t id)
{
    return id < ids->count ? ids->direct[id] - 1 : map_get(&ids->others, id, PLAIN_NONE);
}

struct pprof_text {
    const char *what;
    uint64_t index;
    uint32_t *number;
};

// Give the texts of strings, and fail if there are no such strings.
enum rc pprof_take_texts(struct pprof_reading *parse, const struct pprof_text *wanted, size_t count)
    MUST_CHECK;
#define PPROF_TEXTS(parse, ...)                                                                    \
    pprof_take_texts((parse), (const struct pprof_text[]){__VA_ARGS__},                            \
                     ARRAY_LENGTH(((const struct pprof_text[]){__VA_ARGS__})))

// Fails if what has been made of the file so far, and a part that takes so many bytes, is too much.
enum rc pprof_check_room(struct pprof_reading *parse, size_t more) MUST_CHECK;

// Gives what a field of repeated numbers holds, which come one by one or packed.
static inline enum rc pprof_each_number(struct pprof_reading *parse, const struct pb_field *field,
                                        enum rc (*take)(struct pprof_reading *, uint64_t))
{
    if (field->wire == PB_VARINT)
        return take(parse, field->value);
    if (field->wire != PB_BYTES)
        return PPROF_WRONG(parse, PPROF_DAMAGED);
    struct pb_cursor cursor = pb_inside(field);
    enum rc rc = RC_OK;
    while (rc == RC_OK && cursor.at < cursor.end) {
        uint64_t number = pb_varint(&cursor);
        rc = cursor.damaged ? PPROF_WRONG(parse, PPROF_DAMAGED) : take(parse, number);
    }
    return rc;
}

enum rc pprof_take_sample(struct pprof_reading *parse, const struct pb_field *message) MUST_CHECK;
