// SPDX-License-Identifier: MIT
// Reads messages of Protocol Buffers where they lie, field by field, without copying or allocating.
// Whatever the bytes are, no reader leaves them: what cannot be read ends the message, and
// `damaged` says so.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pb_cursor {
    const uint8_t *at, *end;
    bool damaged;
};

enum pb_wire { PB_VARINT = 0, PB_FIXED64 = 1, PB_BYTES = 2, PB_FIXED32 = 5 };

struct pb_field {
    uint32_t number;
    enum pb_wire wire;
    uint64_t value;     // of a number; of PB_BYTES: their length
    const uint8_t *bytes; // of PB_BYTES
};

static inline struct pb_cursor pb_cursor(const void *bytes, size_t length)
{
    return (struct pb_cursor){bytes, (const uint8_t *)bytes + length, false};
}

static inline struct pb_cursor pb_inside(const struct pb_field *field)
{
    return pb_cursor(field->bytes, field->value);
}

// Reads a varint of more than one byte.
uint64_t pb_long_varint(struct pb_cursor *cursor);

// Returns 0 when it is damaged.
static inline uint64_t pb_varint(struct pb_cursor *cursor)
{
    if (cursor->at < cursor->end && *cursor->at < 0x80)
        return *cursor->at++;
    return pb_long_varint(cursor);
}

// Reads the next field. Returns false at the end of the message, which may be damage.
bool pb_next(struct pb_cursor *cursor, struct pb_field *field);

// Reads a message of numbers: values[n] is field n, for 1 <= n < count; of a field that is there
// several times the last one counts. Returns false when it is damaged, or a field is no number.
bool pb_numbers(const struct pb_field *message, uint64_t *values, uint32_t count);
