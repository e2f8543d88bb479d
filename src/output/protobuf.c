// SPDX-License-Identifier: MIT
#include "output/protobuf.h"

#define FIELD_BITS 3 // of a tag: how the field is written
#define FIELD_MAX ((1u << 29) - 1)

uint64_t pb_long_varint(struct pb_cursor *cursor)
{
    uint64_t value = 0;
    const uint8_t *at = cursor->at;
    for (unsigned shift = 0; shift < 64 && at < cursor->end; shift += 7) {
        value |= (uint64_t)(*at & 0x7f) << shift;
        if (*at++ < 0x80) {
            cursor->at = at;
            return value;
        }
    }
    cursor->damaged = true;
    cursor->at = cursor->end;
    return 0;
}

static bool damaged(struct pb_cursor *cursor)
{
    cursor->damaged = true;
    cursor->at = cursor->end;
    return false;
}

// Steps over the bytes of a field that holds so many.
static bool take(struct pb_cursor *cursor, struct pb_field *field, uint64_t length)
{
    if (length > (uint64_t)(cursor->end - cursor->at))
        return damaged(cursor);
    field->bytes = cursor->at;
    cursor->at += length;
    return true;
}

bool pb_next(struct pb_cursor *cursor, struct pb_field *field)
{
    if (cursor->at == cursor->end)
        return false;
    uint64_t tag = pb_varint(cursor);
    if (tag >> FIELD_BITS > FIELD_MAX || !(tag >> FIELD_BITS))
        return damaged(cursor);
    field->number = (uint32_t)(tag >> FIELD_BITS);
    field->wire = (enum pb_wire)(tag & ((1u << FIELD_BITS) - 1));
    switch (field->wire) {
    case PB_VARINT:
        field->value = pb_varint(cursor);
        return !cursor->damaged;
    case PB_BYTES:
        field->value = pb_varint(cursor);
        return !cursor->damaged && take(cursor, field, field->value);
    case PB_FIXED64:
        return take(cursor, field, sizeof(uint64_t));
    case PB_FIXED32:
        return take(cursor, field, sizeof(uint32_t));
    }
    return damaged(cursor); // groups, which no profile has
}

bool pb_numbers(const struct pb_field *message, uint64_t *values, uint32_t count)
{
    struct pb_cursor cursor = pb_inside(message);
    struct pb_field field;
    for (uint32_t i = 0; i < count; i++)
        values[i] = 0;
    while (pb_next(&cursor, &field)) {
        if (field.number >= count)
            continue;
        if (field.wire != PB_VARINT)
            return false;
        values[field.number] = field.value;
    }
    return !cursor.damaged;
}
