// SPDX-License-Identifier: MIT
// A file is hostile input: protobuf-c parses it within a bound on memory, every index and id is
// checked before it is used, and the error says what is wrong.
#include "output/parsers.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "profile.pb-c.h"

#define MEMORY_MAX ((size_t)2048 << 20)   // bytes for the parts of a message
#define NODES_MAX (32u << 20)             // of stacks
#define TYPES_MAX 64                      // of values

struct parse {
    const Perftools__Profiles__Profile *from;
    struct plain_profile *to;
    uint32_t *texts; // [string of the file]: text of the profile
    struct map mappings, functions, locations; // id in the file -> number
    struct plain_line *lines; // of the location at hand
    size_t line_capacity;
    uint32_t *stack; // locations of the sample at hand
    size_t stack_capacity;
    struct err *err;
};

#define WRONG(parse, ...) err_set((parse)->err, RC_FORMAT, __VA_ARGS__)

// --- taking the message apart ---

struct budget {
    size_t left;
    bool exceeded;
};

static void *take_memory(void *context, size_t size)
{
    struct budget *budget = context;
    void *memory = size <= budget->left ? malloc(size ? size : 1) : NULL;
    budget->exceeded |= !memory;
    budget->left -= memory ? size : 0;
    return memory;
}

static void give_memory(void *context, void *memory)
{
    (void)context;
    free(memory);
}

static enum rc unpack(const void *bytes, size_t length, Perftools__Profiles__Profile **message,
                      struct err *err)
{
    struct budget budget = {.left = MEMORY_MAX};
    ProtobufCAllocator allocator = {take_memory, give_memory, &budget};
    *message = perftools__profiles__profile__unpack(&allocator, length, bytes);
    if (*message)
        return RC_OK;
    if (budget.exceeded)
        return err_set(err, RC_LIMIT, "it has more parts than %zu MiB of memory hold",
                       MEMORY_MAX >> 20);
    return err_set(err, RC_FORMAT, "it is no profile in pprof's format, or it is damaged");
}

// --- texts ---

static enum rc take_strings(struct parse *parse)
{
    const Perftools__Profiles__Profile *from = parse->from;
    if (!from->n_string_table || from->string_table[0][0])
        return WRONG(parse, "its table of strings does not begin with the empty one");
    parse->texts = xcalloc(from->n_string_table, sizeof *parse->texts);
    for (size_t i = 0; i < from->n_string_table; i++)
        parse->texts[i] = plain_text(parse->to, from->string_table[i]);
    return RC_OK;
}

static enum rc text(struct parse *parse, const char *what, int64_t index, uint32_t *number)
{
    size_t count = parse->from->n_string_table;
    if (index < 0 || (uint64_t)index >= count)
        return WRONG(parse, "%s is string %" PRId64 " of %zu", what, index, count);
    *number = parse->texts[index];
    return RC_OK;
}

struct wanted_text {
    const char *what;
    int64_t index;
    uint32_t *number;
};

static enum rc take_texts(struct parse *parse, const struct wanted_text *wanted, size_t count)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; i < count && rc == RC_OK; i++)
        rc = text(parse, wanted[i].what, wanted[i].index, wanted[i].number);
    return rc;
}

#define TAKE_TEXTS(parse, ...)                                                                     \
    take_texts((parse), (const struct wanted_text[]){__VA_ARGS__},                                 \
               ARRAY_LENGTH(((const struct wanted_text[]){__VA_ARGS__})))

// --- the head ---

static enum rc take_type(struct parse *parse, const Perftools__Profiles__ValueType *from,
                         struct plain_type *type)
{
    return TAKE_TEXTS(parse, {"the name of a sample type", from->type, &type->type},
                      {"the unit of a sample type", from->unit, &type->unit});
}

static enum rc take_types(struct parse *parse)
{
    const Perftools__Profiles__Profile *from = parse->from;
    enum rc rc = RC_OK;
    if (!from->n_sample_type || from->n_sample_type > TYPES_MAX)
        return WRONG(parse, "it has %zu sample types: 1 to %d can be", from->n_sample_type,
                     TYPES_MAX);
    for (size_t i = 0; i < from->n_sample_type && rc == RC_OK; i++) {
        struct plain_type type = {0};
        rc = take_type(parse, from->sample_type[i], &type);
        if (rc == RC_OK)
            plain_add_type(parse->to, plain_string(parse->to, type.type),
                           plain_string(parse->to, type.unit));
    }
    return rc == RC_OK && from->period_type
               ? take_type(parse, from->period_type, &parse->to->period_type)
               : rc;
}

static enum rc take_head(struct parse *parse)
{
    const Perftools__Profiles__Profile *from = parse->from;
    struct plain_profile *to = parse->to;
    to->period = from->period;
    to->time = from->time_nanos;
    to->duration = from->duration_nanos;
    enum rc rc = take_types(parse);
    if (rc == RC_OK)
        rc = TAKE_TEXTS(parse, {"the default type", from->default_sample_type, &to->default_type},
                        {"what frames to drop", from->drop_frames, &to->drop_frames},
                        {"what frames to keep", from->keep_frames, &to->keep_frames},
                        {"the address of its description", from->doc_url, &to->doc_url});
    for (size_t i = 0; i < from->n_comment && rc == RC_OK; i++) {
        uint32_t comment = 0;
        rc = text(parse, "a comment", from->comment[i], &comment);
        if (rc == RC_OK)
            plain_add_comment(to, plain_string(to, comment));
    }
    return rc;
}

// --- code ---

static enum rc new_id(struct parse *parse, struct map *ids, const char *what, uint64_t id)
{
    if (!id)
        return WRONG(parse, "a %s has no id", what);
    if (map_get(ids, id, PLAIN_NONE) != PLAIN_NONE)
        return WRONG(parse, "two %ss have the id %" PRIu64, what, id);
    return RC_OK;
}

// Such files hold no code but what their process puts there.
static bool is_made(const char *file)
{
    static const char *const beginnings[] = {"[anon", "[heap]", "[stack]", "//anon", "/memfd:",
                                             "/dev/shm/"};
    for (size_t i = 0; i < ARRAY_LENGTH(beginnings); i++)
        if (strncmp(file, beginnings[i], strlen(beginnings[i])) == 0)
            return true;
    return false;
}

static enum rc take_mapping(struct parse *parse, const Perftools__Profiles__Mapping *from)
{
    struct plain_mapping mapping = {
        .start = from->memory_start,
        .limit = from->memory_limit,
        .offset = from->file_offset,
        .has_functions = from->has_functions,
        .has_files = from->has_filenames,
        .has_numbers = from->has_line_numbers,
        .has_inlined = from->has_inline_frames,
    };
    enum rc rc = new_id(parse, &parse->mappings, "mapping", from->id);
    if (rc == RC_OK)
        rc = TAKE_TEXTS(parse, {"the file of a mapping", from->filename, &mapping.file},
                        {"the build id of a mapping", from->build_id, &mapping.build_id});
    if (rc != RC_OK)
        return rc;
    mapping.made = is_made(plain_string(parse->to, mapping.file));
    map_put(&parse->mappings, from->id, plain_add_mapping(parse->to, mapping));
    return RC_OK;
}

static enum rc take_function(struct parse *parse, const Perftools__Profiles__Function *from)
{
    struct plain_function function = {.start_line = from->start_line};
    enum rc rc = new_id(parse, &parse->functions, "function", from->id);
    if (rc == RC_OK)
        rc = TAKE_TEXTS(parse, {"the name of a function", from->name, &function.name},
                        {"the name of a symbol", from->system_name, &function.system_name},
                        {"the file of a function", from->filename, &function.file});
    if (rc == RC_OK)
        map_put(&parse->functions, from->id, plain_add_function(parse->to, function));
    return rc;
}

static enum rc take_location(struct parse *parse, const Perftools__Profiles__Location *from)
{
    enum rc rc = new_id(parse, &parse->locations, "location", from->id);
    for (size_t i = 0; i < from->n_line && rc == RC_OK; i++) {
        const Perftools__Profiles__Line *line = from->line[i];
        ARRAY_RESERVE(parse->lines, i, parse->line_capacity);
        parse->lines[i] = (struct plain_line){
            .function = map_get(&parse->functions, line->function_id, PLAIN_NONE),
            .line = line->line,
            .column = line->column,
        };
        if (parse->lines[i].function == PLAIN_NONE)
            rc = WRONG(parse, "location %" PRIu64 " is in function %" PRIu64 ", which it has not",
                       from->id, line->function_id);
    }
    if (rc != RC_OK)
        return rc;
    uint32_t mapping = map_get(&parse->mappings, from->mapping_id, PLAIN_NONE);
    uint32_t number =
        plain_add_location(parse->to, mapping, from->address, parse->lines, from->n_line);
    parse->to->code.locations[number].folded = from->is_folded;
    map_put(&parse->locations, from->id, number);
    return RC_OK;
}

static enum rc take_code(struct parse *parse)
{
    const Perftools__Profiles__Profile *from = parse->from;
    enum rc rc = RC_OK;
    for (size_t i = 0; i < from->n_mapping && rc == RC_OK; i++)
        rc = take_mapping(parse, from->mapping[i]);
    for (size_t i = 0; i < from->n_function && rc == RC_OK; i++)
        rc = take_function(parse, from->function[i]);
    for (size_t i = 0; i < from->n_location && rc == RC_OK; i++)
        rc = take_location(parse, from->location[i]);
    return rc;
}

// --- samples ---

static enum rc take_stack(struct parse *parse, const Perftools__Profiles__Sample *from,
                          uint32_t *stack)
{
    size_t count = from->n_location_id;
    for (size_t i = 0; i < count; i++) {
        ARRAY_RESERVE(parse->stack, i, parse->stack_capacity);
        parse->stack[i] = map_get(&parse->locations, from->location_id[i], PLAIN_NONE);
        if (parse->stack[i] == PLAIN_NONE)
            return WRONG(parse, "a sample is at location %" PRIu64 ", which it has not",
                         from->location_id[i]);
    }
    if (count > NODES_MAX - parse->to->stacks.count)
        return err_set(parse->err, RC_LIMIT, "its stacks have more than %u frames", NODES_MAX);
    *stack = plain_stack(parse->to, parse->stack, count);
    return RC_OK;
}

// A label that is neither text nor number says nothing.
static enum rc take_labels(struct parse *parse, const Perftools__Profiles__Sample *from,
                           uint32_t *set)
{
    *set = 0;
    for (size_t i = 0; i < from->n_label; i++) {
        const Perftools__Profiles__Label *label = from->label[i];
        struct plain_label taken = {.number = label->num};
        enum rc rc = TAKE_TEXTS(parse, {"the key of a label", label->key, &taken.key},
                                {"the text of a label", label->str, &taken.text},
                                {"the unit of a label", label->num_unit, &taken.unit});
        if (rc != RC_OK)
            return rc;
        if (taken.text || taken.number || taken.unit)
            *set = plain_with_label(parse->to, *set, taken);
    }
    return RC_OK;
}

static enum rc take_sample(struct parse *parse, const Perftools__Profiles__Sample *from)
{
    uint32_t stack = 0, set = 0;
    if (from->n_value != parse->to->type_count)
        return WRONG(parse, "a sample has %zu values for %zu types", from->n_value,
                     parse->to->type_count);
    enum rc rc = take_stack(parse, from, &stack);
    if (rc == RC_OK)
        rc = take_labels(parse, from, &set);
    if (rc == RC_OK)
        plain_add(parse->to, plain_sample(parse->to, stack, set), from->value);
    return rc;
}

static enum rc take_all(struct parse *parse)
{
    enum rc rc = take_strings(parse);
    if (rc == RC_OK)
        rc = take_head(parse);
    if (rc == RC_OK)
        rc = take_code(parse);
    for (size_t i = 0; i < parse->from->n_sample && rc == RC_OK; i++)
        rc = take_sample(parse, parse->from->sample[i]);
    return rc;
}

static void parse_fini(struct parse *parse)
{
    free(parse->texts);
    map_fini(&parse->mappings);
    map_fini(&parse->functions);
    map_fini(&parse->locations);
    free(parse->lines);
    free(parse->stack);
}

// A message of this kind begins with the tag of one of its fields, which are 1 to 15.
bool pprof_recognizes(const char *bytes, size_t length)
{
    unsigned tag = length ? (unsigned char)bytes[0] : 0;
    return tag >> 3 >= 1 && tag >> 3 <= 15 && ((tag & 7) == 2 || (tag & 7) == 0);
}

enum rc pprof_parse(const char *bytes, size_t length, struct plain_profile **profile,
                    struct err *err)
{
    Perftools__Profiles__Profile *message;
    *profile = NULL;
    enum rc rc = unpack(bytes, length, &message, err);
    if (rc != RC_OK)
        return rc;
    struct parse parse = {.from = message, .to = plain_new(), .err = err};
    rc = take_all(&parse);
    parse_fini(&parse);
    struct budget none = {0};
    ProtobufCAllocator allocator = {take_memory, give_memory, &none};
    perftools__profiles__profile__free_unpacked(message, &allocator);
    if (rc == RC_OK)
        *profile = parse.to;
    else
        plain_free(parse.to);
    return rc;
}
