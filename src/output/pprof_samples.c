// SPDX-License-Identifier: MIT
// Samples are nearly all of a file: nothing is allocated for one.
#include <inttypes.h>
#include <string.h>

#include "output/parsers.h"
#include "output/pprof_parts.h"


static enum rc more_depth(struct pprof_reading *parse)
{
    if (parse->depth >= PARSER_NODES_MAX)
        return err_set(parse->err, RC_LIMIT, PARSER_TOO_MANY_FRAMES, PARSER_NODES_MAX);
    enum rc rc = pprof_check_room(parse, 2 * parse->depth * sizeof *parse->stack);
    if (rc == RC_OK)
        ARRAY_RESERVE(parse->stack, parse->depth, parse->stack_capacity);
    return rc;
}

static enum rc take_location(struct pprof_reading *parse, uint64_t id)
{
    uint32_t number = pprof_number(&parse->locations, id);
    if (number == PLAIN_NONE)
        return PPROF_WRONG(parse, "a sample is at location %" PRIu64 ", which it has not", id);
    enum rc rc = parse->depth < parse->stack_capacity ? RC_OK : more_depth(parse);
    if (rc == RC_OK)
        parse->stack[parse->depth++] = number;
    return rc;
}

static enum rc take_value(struct pprof_reading *parse, uint64_t value)
{
    if (parse->value_count < PPROF_TYPES_MAX)
        parse->values[parse->value_count] = (int64_t)value;
    parse->value_count++;
    return RC_OK;
}

// --- labels ---

// A label that is neither text nor number says nothing.
static enum rc read_label(struct pprof_reading *parse, const struct pb_field *message,
                          uint32_t *set)
{
    enum { KEY = 1, TEXT, NUMBER, UNIT, END };
    uint64_t values[END];
    struct plain_label label = {0};
    if (!pb_numbers(message, values, END))
        return PPROF_WRONG(parse, PPROF_DAMAGED);
    label.number = (int64_t)values[NUMBER];
    enum rc rc = PPROF_TEXTS(parse, {"the key of a label", values[KEY], &label.key},
                             {"the text of a label", values[TEXT], &label.text},
                             {"the unit of a label", values[UNIT], &label.unit});
    if (rc == RC_OK && (label.text || label.number || label.unit))
        *set = plain_with_label(parse->to, *set, label);
    return rc;
}

static enum rc take_label(struct pprof_reading *parse, const struct pb_field *message,
                          uint32_t *set)
{
    struct pprof_known_label label = {.length = (uint32_t)message->value, .before = *set};
    if (message->wire != PB_BYTES)
        return PPROF_WRONG(parse, PPROF_DAMAGED);
    if (!message->value || message->value > sizeof label.bytes)
        return read_label(parse, message, set);
    memcpy(label.bytes, message->bytes, message->value);
    uint64_t hash = map_hash(label.bytes[0] ^ map_hash(label.bytes[1] + *set));
    struct pprof_known_label *known = &parse->known[hash & (PPROF_KNOWN_LABELS - 1)];
    if (known->length == label.length && known->before == label.before &&
        known->bytes[0] == label.bytes[0] && known->bytes[1] == label.bytes[1]) {
        *set = known->after;
        return RC_OK;
    }
    enum rc rc = read_label(parse, message, set);
    label.after = *set;
    if (rc == RC_OK)
        *known = label;
    return rc;
}

// --- samples ---

static enum rc take_part(struct pprof_reading *parse, const struct pb_field *field, uint32_t *set)
{
    switch (field->number) {
    case 1:
        return pprof_each_number(parse, field, take_location);
    case 2:
        return pprof_each_number(parse, field, take_value);
    case 3:
        return take_label(parse, field, set);
    default:
        return RC_OK;
    }
}

static enum rc add_sample(struct pprof_reading *parse, uint32_t set)
{
    struct plain_profile *to = parse->to;
    if (parse->value_count != to->type_count)
        return PPROF_WRONG(parse, "a sample has %zu values for %zu types", parse->value_count,
                           to->type_count);
    if (parse->depth > PARSER_NODES_MAX - to->stacks.count)
        return err_set(parse->err, RC_LIMIT, PARSER_TOO_MANY_FRAMES, PARSER_NODES_MAX);
    enum rc rc = pprof_check_room(parse, parse->depth * PPROF_NODE_COST);
    if (rc != RC_OK)
        return rc;
    uint32_t stack = plain_stack(to, parse->stack, parse->depth);
    plain_add(to, plain_sample(to, stack, set), parse->values);
    return RC_OK;
}

enum rc pprof_take_sample(struct pprof_reading *parse, const struct pb_field *message)
{
    struct pb_cursor cursor = pb_inside(message);
    struct pb_field field;
    uint32_t set = 0;
    enum rc rc = RC_OK;
    parse->depth = parse->value_count = 0;
    while (rc == RC_OK && pb_next(&cursor, &field))
        rc = take_part(parse, &field, &set);
    if (rc == RC_OK && cursor.damaged)
        return PPROF_WRONG(parse, PPROF_DAMAGED);
    return rc == RC_OK ? add_sample(parse, set) : rc;
}
