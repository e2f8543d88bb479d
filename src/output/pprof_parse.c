// SPDX-License-Identifier: MIT
// A file is hostile input: every index and id is checked before it is used, what is made of it is
// bounded, and the error says what is wrong. The parts of a profile come in any order (Go writes
// the strings last), so they are found first and then taken in the order in which they need each
// other.
#include "output/parsers.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "output/mapped_file.h"
#include "output/pprof_parts.h"

#define MEMORY_MAX ((size_t)2048 << 20) // bytes that a profile may take
#define UNCHECKED_MAX 32768             // bytes of the file
#define PART_COPIES 2                   // a string is the longest part: one at hand, one kept
#define PART_COST 64                    // bytes that a part takes beside

enum { // fields of a profile
    TYPE = 1, SAMPLE, MAPPING, LOCATION, FUNCTION, STRING, DROP, KEEP, TIME, DURATION,
    PERIOD_TYPE, PERIOD, COMMENT, DEFAULT_TYPE, DOC_URL,
};

// --- finding the parts ---

static bool is_message(uint32_t number)
{
    return (number >= TYPE && number <= STRING) || number == PERIOD_TYPE;
}

static enum rc note_part(struct pprof_reading *parse, const struct pb_field *field,
                         const uint8_t *first, const uint8_t *end)
{
    struct pprof_parts *parts = &parse->parts[field->number];
    bool packed = field->number == COMMENT && field->wire == PB_BYTES;
    if (!packed && field->wire != (is_message(field->number) ? PB_BYTES : PB_VARINT))
        return PPROF_WRONG(parse, PPROF_DAMAGED);
    // A profile that follows another one gives its time again, as pprof knows them.
    if (field->number == TIME && parse->numbers[TIME])
        return PPROF_WRONG(parse, "it is several profiles, one behind the other: give each a file "
                                  "of its own");
    parts->first = parts->count++ ? parts->first : first;
    parts->end = end;
    parse->numbers[field->number] = field->value;
    return RC_OK;
}

static enum rc find_parts(struct pprof_reading *parse, struct pb_cursor cursor)
{
    struct pb_field field;
    const uint8_t *first = cursor.at;
    enum rc rc = RC_OK;
    while (rc == RC_OK && pb_next(&cursor, &field)) {
        if (field.number < PPROF_FIELDS)
            rc = note_part(parse, &field, first, cursor.at);
        first = cursor.at;
    }
    return rc == RC_OK && cursor.damaged ? PPROF_WRONG(parse, PPROF_DAMAGED) : rc;
}

static size_t memory_of(const struct pprof_reading *parse)
{
    return plain_memory(parse->to) + parse->to->stacks.count * PPROF_NODE_COST +
           parse->text_count * sizeof *parse->texts +
           parse->stack_capacity * sizeof *parse->stack +
           parse->line_capacity * sizeof *parse->lines;
}

enum rc pprof_check_room(struct pprof_reading *parse, size_t more)
{
    parse->unchecked += more;
    if (parse->unchecked < UNCHECKED_MAX)
        return RC_OK;
    parse->unchecked = 0;
    if (memory_of(parse) + more <= parse->room)
        return RC_OK;
    if (parse->packed)
        return err_set(parse->err, RC_LIMIT, PARSER_UNPACK_FIRST, parse->room >> 20);
    return err_set(parse->err, RC_LIMIT, "it has more parts than %zu MiB of memory hold",
                   parse->room >> 20);
}

static enum rc each(struct pprof_reading *parse, uint32_t number,
                    enum rc (*take)(struct pprof_reading *, const struct pb_field *))
{
    const struct pprof_parts *parts = &parse->parts[number];
    if (!parts->count)
        return RC_OK;
    struct pb_cursor cursor = pb_cursor(parts->first, (size_t)(parts->end - parts->first));
    struct pb_field field;
    enum rc rc = RC_OK;
    while (rc == RC_OK && pb_next(&cursor, &field)) {
        if (field.number != number)
            continue;
        rc = pprof_check_room(parse, PART_COPIES * field.value + PART_COST);
        if (rc == RC_OK)
            rc = take(parse, &field);
    }
    return rc;
}

// Reads a part that consists of numbers: values[n] is its field n.
static enum rc read_numbers(struct pprof_reading *parse, const struct pb_field *message,
                            uint64_t *values, uint32_t count)
{
    return pb_numbers(message, values, count) ? RC_OK : PPROF_WRONG(parse, PPROF_DAMAGED);
}

// --- texts ---

static enum rc take_string(struct pprof_reading *parse, const struct pb_field *field)
{
    buf_clear(&parse->scratch);
    buf_append(&parse->scratch, field->bytes, field->value);
    parse->texts[parse->text_count++] = plain_text(parse->to, parse->scratch.data);
    return RC_OK;
}

static enum rc take_strings(struct pprof_reading *parse)
{
    parse->texts = xcalloc(parse->parts[STRING].count, sizeof *parse->texts);
    enum rc rc = each(parse, STRING, take_string);
    if (rc == RC_OK && (!parse->text_count || parse->texts[0]))
        return PPROF_WRONG(parse, "its table of strings does not begin with the empty one");
    return rc;
}

enum rc pprof_take_texts(struct pprof_reading *parse, const struct pprof_text *wanted, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (wanted[i].index >= parse->text_count)
            return PPROF_WRONG(parse, "%s is string %" PRId64 " of %zu", wanted[i].what,
                               (int64_t)wanted[i].index, parse->text_count);
        *wanted[i].number = parse->texts[wanted[i].index];
    }
    return RC_OK;
}

// --- the head ---

static enum rc read_type(struct pprof_reading *parse, const struct pb_field *message,
                         struct plain_type *type)
{
    enum { NAME = 1, UNIT, END };
    uint64_t values[END];
    enum rc rc = read_numbers(parse, message, values, END);
    if (rc != RC_OK)
        return rc;
    return PPROF_TEXTS(parse, {"the name of a sample type", values[NAME], &type->type},
                       {"the unit of a sample type", values[UNIT], &type->unit});
}

static enum rc take_type(struct pprof_reading *parse, const struct pb_field *message)
{
    struct plain_type type = {0};
    enum rc rc = read_type(parse, message, &type);
    if (rc == RC_OK)
        plain_add_type(parse->to, plain_string(parse->to, type.type),
                       plain_string(parse->to, type.unit));
    return rc;
}

static enum rc take_period_type(struct pprof_reading *parse, const struct pb_field *message)
{
    return read_type(parse, message, &parse->to->period_type);
}

static enum rc take_types(struct pprof_reading *parse)
{
    size_t count = parse->parts[TYPE].count;
    if (!count || count > PPROF_TYPES_MAX)
        return PPROF_WRONG(parse, "it has %zu sample types: 1 to %d can be", count,
                           PPROF_TYPES_MAX);
    enum rc rc = each(parse, TYPE, take_type);
    return rc == RC_OK ? each(parse, PERIOD_TYPE, take_period_type) : rc;
}

static enum rc add_comment(struct pprof_reading *parse, uint64_t index)
{
    uint32_t comment = 0;
    enum rc rc = pprof_check_room(parse, sizeof comment);
    if (rc == RC_OK)
        rc = PPROF_TEXTS(parse, {"a comment", index, &comment});
    if (rc == RC_OK)
        plain_add_comment(parse->to, plain_string(parse->to, comment));
    return rc;
}

static enum rc take_comment(struct pprof_reading *parse, const struct pb_field *field)
{
    return pprof_each_number(parse, field, add_comment);
}

static enum rc take_head(struct pprof_reading *parse)
{
    const uint64_t *numbers = parse->numbers;
    struct plain_profile *to = parse->to;
    to->period = (int64_t)numbers[PERIOD];
    to->time = (int64_t)numbers[TIME];
    to->duration = (int64_t)numbers[DURATION];
    enum rc rc = take_types(parse);
    if (rc == RC_OK)
        rc = PPROF_TEXTS(parse, {"the default type", numbers[DEFAULT_TYPE], &to->default_type},
                         {"what frames to drop", numbers[DROP], &to->drop_frames},
                         {"what frames to keep", numbers[KEEP], &to->keep_frames},
                         {"the address of its description", numbers[DOC_URL], &to->doc_url});
    return rc == RC_OK ? each(parse, COMMENT, take_comment) : rc;
}

// --- code ---

// The array is as long as ids that count up need it. It is memory only where it is written.
static void ids_init(struct pprof_ids *ids, size_t parts)
{
    ids->count = 2 * (uint64_t)parts + 1;
    ids->direct = xcalloc(ids->count, sizeof *ids->direct);
}

static void ids_fini(struct pprof_ids *ids)
{
    free(ids->direct);
    map_fini(&ids->others);
}

static void put_id(struct pprof_ids *ids, uint64_t id, uint32_t number)
{
    if (id < ids->count)
        ids->direct[id] = number + 1;
    else
        map_put(&ids->others, id, number);
}

static enum rc check_id(struct pprof_reading *parse, const struct pprof_ids *ids, const char *what,
                        uint64_t id)
{
    if (!id)
        return PPROF_WRONG(parse, "a %s has no id", what);
    if (pprof_number(ids, id) != PLAIN_NONE)
        return PPROF_WRONG(parse, "two %ss have the id %" PRIu64, what, id);
    return RC_OK;
}

static enum rc add_mapping(struct pprof_reading *parse, const uint64_t *values)
{
    enum { ID = 1, START, LIMIT, OFFSET, FILE_NAME, BUILD_ID, FUNCTIONS, FILES, NUMBERS, INLINED };
    struct plain_mapping mapping = {
        .start = values[START],
        .limit = values[LIMIT],
        .offset = values[OFFSET],
        .has_functions = values[FUNCTIONS],
        .has_files = values[FILES],
        .has_numbers = values[NUMBERS],
        .has_inlined = values[INLINED],
    };
    enum rc rc = check_id(parse, &parse->mappings, "mapping", values[ID]);
    if (rc == RC_OK)
        rc = PPROF_TEXTS(parse, {"the file of a mapping", values[FILE_NAME], &mapping.file},
                         {"the build id of a mapping", values[BUILD_ID], &mapping.build_id});
    if (rc != RC_OK)
        return rc;
    mapping.made = mapping.file && mapped_file_is_made(plain_string(parse->to, mapping.file));
    put_id(&parse->mappings, values[ID], plain_add_mapping(parse->to, mapping));
    return RC_OK;
}

static enum rc take_mapping(struct pprof_reading *parse, const struct pb_field *message)
{
    uint64_t values[11];
    enum rc rc = read_numbers(parse, message, values, ARRAY_LENGTH(values));
    return rc == RC_OK ? add_mapping(parse, values) : rc;
}

static enum rc take_function(struct pprof_reading *parse, const struct pb_field *message)
{
    enum { ID = 1, NAME, SYMBOL, FILE_NAME, START_LINE, END };
    uint64_t values[END];
    struct plain_function function = {0};
    enum rc rc = read_numbers(parse, message, values, END);
    if (rc == RC_OK)
        rc = check_id(parse, &parse->functions, "function", values[ID]);
    if (rc == RC_OK)
        rc = PPROF_TEXTS(parse, {"the name of a function", values[NAME], &function.name},
                         {"the name of a symbol", values[SYMBOL], &function.system_name},
                         {"the file of a function", values[FILE_NAME], &function.file});
    if (rc != RC_OK)
        return rc;
    function.start_line = (int64_t)values[START_LINE];
    put_id(&parse->functions, values[ID], plain_add_function(parse->to, function));
    return RC_OK;
}

struct pprof_location { // the one at hand
    uint64_t id, mapping, address;
    bool folded;
    size_t lines;
};

static enum rc take_line(struct pprof_reading *parse, const struct pb_field *message,
                         struct pprof_location *location)
{
    enum { FUNCTION_ID = 1, LINE, COLUMN, END };
    uint64_t values[END];
    enum rc rc = read_numbers(parse, message, values, END);
    if (rc != RC_OK)
        return rc;
    if (location->lines == parse->line_capacity)
        rc = pprof_check_room(parse, 3 * (location->lines + 1) * sizeof *parse->lines);
    if (rc != RC_OK)
        return rc;
    ARRAY_RESERVE(parse->lines, location->lines, parse->line_capacity);
    struct plain_line *line = &parse->lines[location->lines++];
    *line = (struct plain_line){
        .function = pprof_number(&parse->functions, values[FUNCTION_ID]),
        .line = (int64_t)values[LINE],
        .column = (int64_t)values[COLUMN],
    };
    if (line->function == PLAIN_NONE)
        return PPROF_WRONG(parse, "a location is in function %" PRIu64 ", which it has not",
                           values[FUNCTION_ID]);
    return RC_OK;
}

static enum rc read_location(struct pprof_reading *parse, const struct pb_field *message,
                             struct pprof_location *location)
{
    enum { ID = 1, MAPPING_ID, ADDRESS, LINES, FOLDED, END };
    struct pb_cursor cursor = pb_inside(message);
    struct pb_field field;
    uint64_t values[END] = {0};
    enum rc rc = RC_OK;
    while (rc == RC_OK && pb_next(&cursor, &field)) {
        if (field.number >= END)
            continue;
        if (field.wire != (field.number == LINES ? PB_BYTES : PB_VARINT))
            return PPROF_WRONG(parse, PPROF_DAMAGED);
        values[field.number] = field.value;
        if (field.number == LINES)
            rc = take_line(parse, &field, location);
    }
    location->id = values[ID];
    location->mapping = values[MAPPING_ID];
    location->address = values[ADDRESS];
    location->folded = values[FOLDED];
    return rc == RC_OK && cursor.damaged ? PPROF_WRONG(parse, PPROF_DAMAGED) : rc;
}

static enum rc take_location(struct pprof_reading *parse, const struct pb_field *message)
{
    struct pprof_location location = {0};
    enum rc rc = read_location(parse, message, &location);
    if (rc == RC_OK)
        rc = check_id(parse, &parse->locations, "location", location.id);
    if (rc != RC_OK)
        return rc;
    uint32_t number =
        plain_add_location(parse->to, pprof_number(&parse->mappings, location.mapping),
                           location.address, parse->lines, location.lines);
    parse->to->code.locations[number].folded = location.folded;
    put_id(&parse->locations, location.id, number);
    return RC_OK;
}

static enum rc take_code(struct pprof_reading *parse)
{
    ids_init(&parse->mappings, parse->parts[MAPPING].count);
    ids_init(&parse->functions, parse->parts[FUNCTION].count);
    ids_init(&parse->locations, parse->parts[LOCATION].count);
    enum rc rc = each(parse, MAPPING, take_mapping);
    if (rc == RC_OK)
        rc = each(parse, FUNCTION, take_function);
    return rc == RC_OK ? each(parse, LOCATION, take_location) : rc;
}

// --- the whole ---

static enum rc take_all(struct pprof_reading *parse)
{
    enum rc rc = take_strings(parse);
    if (rc == RC_OK)
        rc = take_head(parse);
    if (rc == RC_OK)
        rc = take_code(parse);
    return rc == RC_OK ? each(parse, SAMPLE, pprof_take_sample) : rc;
}

static void parse_fini(struct pprof_reading *parse)
{
    free(parse->texts);
    buf_fini(&parse->scratch);
    ids_fini(&parse->mappings);
    ids_fini(&parse->functions);
    ids_fini(&parse->locations);
    free(parse->lines);
    free(parse->stack);
    free(parse->known);
}

// A message of this kind begins with the tag of one of its fields, which are 1 to 15.
bool pprof_recognizes(const char *bytes, size_t length)
{
    unsigned tag = length ? (unsigned char)bytes[0] : 0;
    return tag >> 3 >= 1 && tag >> 3 <= 15 && ((tag & 7) == 2 || (tag & 7) == 0);
}

static enum rc parse_all(const char *bytes, size_t length, struct pprof_reading *parse,
                         struct plain_profile **profile)
{
    parse->to = plain_new();
    parse->known = xcalloc(PPROF_KNOWN_LABELS, sizeof *parse->known);
    enum rc rc = find_parts(parse, pb_cursor(bytes, length));
    if (rc == RC_OK)
        rc = take_all(parse);
    parse_fini(parse);
    *profile = rc == RC_OK ? parse->to : NULL;
    if (rc != RC_OK)
        plain_free(parse->to);
    return rc;
}

enum rc pprof_parse(const char *bytes, size_t length, size_t room, struct plain_profile **profile,
                    struct err *err)
{
    bool packed = room < MEMORY_MAX;
    struct pprof_reading parse = {
        .room = packed ? room : MEMORY_MAX, .packed = packed, .err = err};
    return parse_all(bytes, length, &parse, profile);
}
