// SPDX-License-Identifier: MIT
#include "output/trace_firefox.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define LIBRARY 1 // kind of resource

// Texts of the file: those of the profile, under their numbers, and these behind them.
static const char *const own_texts[] = {"Running", "Runnable", "Blocked", "[unknown]"};
enum { TEXT_RUNNING, TEXT_UNKNOWN = ARRAY_LENGTH(own_texts) - 1 };

static size_t own_text(const struct firefox_code *code, size_t number)
{
    return code->profile->texts.count + number;
}

size_t trace_firefox_state(const struct firefox_code *code, enum profile_state state)
{
    return own_text(code, TEXT_RUNNING + (state > STATE_RUNNING ? state - STATE_RUNNING : 0));
}

// --- what is known of code ---

static uint32_t library_of(struct firefox_code *code, uint32_t mapping)
{
    size_t known = code->library_ids.count;
    if (mapping == PLAIN_NONE || !code->profile->code.mappings[mapping].module)
        return TIMELINE_NONE;
    uint32_t id = map_number(&code->library_ids, code->profile->code.mappings[mapping].module);
    ARRAY_RESERVE(code->libraries, id, code->library_capacity);
    if (id == known)
        code->libraries[id] = mapping;
    return id;
}

static void add_file(struct firefox_code *code, uint32_t file)
{
    if (!file)
        return;
    uint32_t id = map_number(&code->file_ids, file);
    ARRAY_RESERVE(code->files, id, code->file_capacity);
    code->files[id] = file;
}

static uint32_t function_of(struct firefox_code *code, struct firefox_function function)
{
    size_t known = code->function_count;
    uint32_t id = map_number(&code->function_ids,
                             (uint64_t)function.name << 32 | function.library);
    if (id < known)
        return id;
    ARRAY_RESERVE(code->functions, code->function_count, code->function_capacity);
    code->functions[code->function_count++] = function;
    add_file(code, function.file);
    return id;
}

static void add_frame(struct firefox_code *code, const struct plain_location *at, uint32_t number)
{
    const struct plain_code *plain = &code->profile->code;
    const struct plain_mapping *mapping =
        at->mapping == PLAIN_NONE ? NULL : &plain->mappings[at->mapping];
    struct firefox_function function = {.library = library_of(code, at->mapping)};
    struct firefox_frame frame = {.category = FIREFOX_RUNNING};
    if (at->count) {
        const struct plain_line *line = &plain->lines[at->first + number];
        function.name = plain->functions[line->function].name;
        function.file = plain->functions[line->function].file;
        frame.depth = at->count - 1 - number;
        frame.line = line->line;
        frame.column = line->column;
    } else if (mapping) {
        function.name = mapping->placeholder;
    }
    if (mapping && strcmp(plain_string(code->profile, mapping->module), "[kernel]") == 0)
        frame.category = FIREFOX_KERNEL;
    frame.function = function_of(code, function);
    ARRAY_RESERVE(code->frames, code->frame_count, code->frame_capacity);
    code->frames[code->frame_count++] = frame;
}

// Returns the frame of each location that is innermost; the others follow it. The last one is of no
// location.
static uint32_t *add_frames(struct firefox_code *code)
{
    const struct plain_code *plain = &code->profile->code;
    uint32_t *first = xcalloc(plain->location_count + 1, sizeof *first);
    for (size_t i = 0; i < plain->location_count; i++) {
        first[i] = (uint32_t)code->frame_count;
        add_frame(code, &plain->locations[i], 0);
        for (uint32_t number = 1; number < plain->locations[i].count; number++)
            add_frame(code, &plain->locations[i], number);
    }
    first[plain->location_count] = (uint32_t)code->frame_count;
    add_frame(code, &(struct plain_location){.mapping = PLAIN_NONE}, 0);
    return first;
}

static uint32_t add_stack(struct firefox_code *code, uint32_t frame, uint32_t prefix)
{
    ARRAY_RESERVE(code->stacks, code->stack_count, code->stack_capacity);
    code->stacks[code->stack_count] = (struct firefox_stack){frame, prefix};
    return (uint32_t)code->stack_count++;
}

static void add_stacks(struct firefox_code *code, const uint32_t *first)
{
    const struct plain_profile *profile = code->profile;
    code->leaves = xcalloc(profile->stacks.count + 1, sizeof *code->leaves);
    code->leaves[0] = add_stack(code, first[profile->code.location_count], TIMELINE_NONE);
    for (size_t i = 1; i < profile->stacks.count; i++) {
        const struct plain_node *node = &profile->stacks.nodes[i];
        uint32_t count = profile->code.locations[node->location].count;
        uint32_t stack = node->parent ? code->leaves[node->parent] : TIMELINE_NONE;
        for (uint32_t number = count ? count : 1; number-- > 0;)
            stack = add_stack(code, first[node->location] + number, stack);
        code->leaves[i] = stack;
    }
}

void trace_firefox_code_init(struct firefox_code *code, const struct plain_profile *profile)
{
    *code = (struct firefox_code){.profile = profile};
    AUTO_FREE uint32_t *first = add_frames(code);
    add_stacks(code, first);
}

void trace_firefox_code_fini(struct firefox_code *code)
{
    free(code->functions);
    free(code->frames);
    free(code->stacks);
    free(code->libraries);
    free(code->files);
    free(code->leaves);
    map_fini(&code->function_ids);
    map_fini(&code->library_ids);
    map_fini(&code->file_ids);
}

// --- tables ---

void trace_firefox_columns(struct trace_json *trace, const struct firefox_column *columns,
                           size_t count, const void *table, size_t rows)
{
    struct json *json = &trace->json;
    for (size_t i = 0; i < count; i++) {
        json_line(json);
        json_begin(json, columns[i].key, '[');
        for (size_t row = 0; row < rows; row++) {
            columns[i].put(json, table, row);
            trace_json_some(trace);
        }
        json_end(json, '[');
    }
    json_count(json, "length", rows);
}

static void put_known(struct json *json, bool known, int64_t number)
{
    if (known)
        json_number(json, NULL, number);
    else
        json_null(json, NULL);
}

static void put_null(struct json *json, const void *table, size_t row)
{
    (void)table, (void)row;
    json_null(json, NULL);
}

static void put_false(struct json *json, const void *table, size_t row)
{
    (void)table, (void)row;
    json_bool(json, NULL, false);
}

static void put_zero(struct json *json, const void *table, size_t row)
{
    (void)table, (void)row;
    json_number(json, NULL, 0);
}

static void put_no_address(struct json *json, const void *table, size_t row)
{
    (void)table, (void)row;
    json_number(json, NULL, -1);
}

static void put_kind(struct json *json, const void *table, size_t row)
{
    (void)table, (void)row;
    json_number(json, NULL, LIBRARY);
}

static void put_row(struct json *json, const void *table, size_t row)
{
    (void)table;
    json_count(json, NULL, row);
}

static void put_stack_frame(struct json *json, const void *table, size_t row)
{
    json_count(json, NULL, ((const struct firefox_code *)table)->stacks[row].frame);
}

static void put_prefix(struct json *json, const void *table, size_t row)
{
    uint32_t prefix = ((const struct firefox_code *)table)->stacks[row].prefix;
    put_known(json, prefix != TIMELINE_NONE, prefix);
}

static void put_depth(struct json *json, const void *table, size_t row)
{
    json_count(json, NULL, ((const struct firefox_code *)table)->frames[row].depth);
}

static void put_category(struct json *json, const void *table, size_t row)
{
    json_count(json, NULL, ((const struct firefox_code *)table)->frames[row].category);
}

static void put_function(struct json *json, const void *table, size_t row)
{
    json_count(json, NULL, ((const struct firefox_code *)table)->frames[row].function);
}

static void put_line(struct json *json, const void *table, size_t row)
{
    int64_t line = ((const struct firefox_code *)table)->frames[row].line;
    put_known(json, line, line);
}

static void put_column(struct json *json, const void *table, size_t row)
{
    int64_t column = ((const struct firefox_code *)table)->frames[row].column;
    put_known(json, column, column);
}

static void put_name(struct json *json, const void *table, size_t row)
{
    const struct firefox_code *code = table;
    uint32_t name = code->functions[row].name;
    json_count(json, NULL, name ? name : own_text(code, TEXT_UNKNOWN));
}

static void put_library(struct json *json, const void *table, size_t row)
{
    uint32_t library = ((const struct firefox_code *)table)->functions[row].library;
    json_number(json, NULL, library == TIMELINE_NONE ? -1 : (int64_t)library);
}

static void put_source(struct json *json, const void *table, size_t row)
{
    const struct firefox_code *code = table;
    uint32_t file = code->functions[row].file;
    put_known(json, file, file ? map_get(&code->file_ids, file, 0) : 0);
}

static void put_module(struct json *json, const void *table, size_t row)
{
    const struct firefox_code *code = table;
    json_count(json, NULL, code->profile->code.mappings[code->libraries[row]].module);
}

static void put_file(struct json *json, const void *table, size_t row)
{
    json_count(json, NULL, ((const struct firefox_code *)table)->files[row]);
}

static const struct firefox_column stack_columns[] = {
    {"frame", put_stack_frame}, {"prefix", put_prefix}};
static const struct firefox_column frame_columns[] = {
    {"address", put_no_address}, {"inlineDepth", put_depth}, {"category", put_category},
    {"subcategory", put_zero}, {"func", put_function}, {"nativeSymbol", put_null},
    {"innerWindowID", put_zero}, {"line", put_line}, {"column", put_column}};
static const struct firefox_column function_columns[] = {
    {"name", put_name}, {"isJS", put_false}, {"relevantForJS", put_false},
    {"resource", put_library}, {"source", put_source}, {"lineNumber", put_null},
    {"columnNumber", put_null}};
static const struct firefox_column library_columns[] = {
    {"lib", put_row}, {"name", put_module}, {"host", put_null}, {"type", put_kind}};
static const struct firefox_column file_columns[] = {{"uuid", put_null}, {"filename", put_file}};
static const struct firefox_column symbol_columns[] = { // none: the code has names already
    {"libIndex", put_null}, {"address", put_null}, {"name", put_null}, {"functionSize", put_null}};

static void put_texts(const struct firefox_code *code, struct trace_json *trace)
{
    struct json *json = &trace->json;
    json_line(json);
    json_begin(json, "stringArray", '[');
    for (size_t i = 0; i < code->profile->texts.count; i++) {
        json_text(json, NULL, plain_string(code->profile, (uint32_t)i));
        trace_json_some(trace);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(own_texts); i++)
        json_text(json, NULL, own_texts[i]);
    json_end(json, '[');
}

void trace_firefox_shared(const struct firefox_code *code, struct trace_json *trace)
{
    const struct {
        const char *key;
        const struct firefox_column *columns;
        size_t count, rows;
    } tables[] = {
        {"stackTable", stack_columns, ARRAY_LENGTH(stack_columns), code->stack_count},
        {"frameTable", frame_columns, ARRAY_LENGTH(frame_columns), code->frame_count},
        {"funcTable", function_columns, ARRAY_LENGTH(function_columns), code->function_count},
        {"resourceTable", library_columns, ARRAY_LENGTH(library_columns), code->library_ids.count},
        {"nativeSymbols", symbol_columns, ARRAY_LENGTH(symbol_columns), 0},
        {"sources", file_columns, ARRAY_LENGTH(file_columns), code->file_ids.count},
    };
    json_line(&trace->json);
    json_begin(&trace->json, "shared", '{');
    for (size_t i = 0; i < ARRAY_LENGTH(tables); i++) {
        json_line(&trace->json);
        json_begin(&trace->json, tables[i].key, '{');
        trace_firefox_columns(trace, tables[i].columns, tables[i].count, code, tables[i].rows);
        json_end(&trace->json, '{');
    }
    put_texts(code, trace);
    json_end(&trace->json, '{');
}

void trace_firefox_libraries(const struct firefox_code *code, struct json *json)
{
    json_line(json);
    json_begin(json, "libs", '[');
    for (size_t i = 0; i < code->library_ids.count; i++) {
        const struct plain_mapping *mapping = &code->profile->code.mappings[code->libraries[i]];
        const char *name = plain_string(code->profile, mapping->module);
        const char *path = plain_string(code->profile, mapping->file);
        json_line(json);
        json_begin(json, NULL, '{');
        json_null(json, "arch");
        json_text(json, "name", name);
        json_text(json, "path", path);
        json_text(json, "debugName", name);
        json_text(json, "debugPath", path);
        json_text(json, "breakpadId", "");
        if (mapping->build_id)
            json_text(json, "codeId", plain_string(code->profile, mapping->build_id));
        else
            json_null(json, "codeId");
        json_end(json, '{');
    }
    json_end(json, '[');
}
