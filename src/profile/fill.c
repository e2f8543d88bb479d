// SPDX-License-Identifier: MIT
#include "profile/fill.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "profile/place.h"

struct used { // of one mapping
    size_t lines;                  // of all its locations
    size_t with_file, with_number; // of these
};

struct fill {
    const struct query_source *source;
    struct plain_profile *to;
    uint32_t *nodes;     // [node of the store]: its node, 0: it is not there yet
    uint32_t *locations; // [location of the store]: its number + 1
    uint32_t *mappings;  // [mapping of the module table]: its number + 1
    uint32_t *threads;   // [thread]: its label set
    struct used *used;   // [number of a mapping]
    struct map pairs, functions; // (name, system name, file) pair by pair -> function
    struct plain_line *lines;    // of the location at hand
    size_t line_capacity;
    uint32_t *way; // nodes of the store, of the stack at hand
    size_t way_capacity;
    uint32_t folded; // the node of stacks without frames, 0: it is not there yet
};

// --- the head ---

// The values of each sample by type; the last one is the default and the type of the period.
static const struct values {
    size_t count;
    struct {
        const char *type, *unit;
    } list[2];
} values_of[] = {
    [RUN_CPU] = {2, {{"samples", "count"}, {"cpu", "nanoseconds"}}},
    [RUN_WALL] = {2, {{"samples", "count"}, {"wall", "nanoseconds"}}},
    [RUN_THREADS] = {1, {{"threads", "count"}}},
};

static void fill_head(struct plain_profile *to, const struct run *run)
{
    const struct values *values = &values_of[run->type];
    for (size_t i = 0; i < values->count; i++)
        plain_add_type(to, values->list[i].type, values->list[i].unit);
    to->period_type = to->types[values->count - 1];
    to->default_type = to->period_type.type;
    to->period = run->rate > 0 ? llround(NS_PER_S / run->rate) : run->type == RUN_THREADS;
    to->time = run->start_wall;
    to->duration = run->duration;
}

// --- code ---

static uint32_t mapping_of(struct fill *fill, const struct mapping *mapping)
{
    uint32_t *known = &fill->mappings[mapping->id];
    if (*known)
        return *known - 1;
    const struct module *module = mapping->module;
    struct place place = place_of(fill->source->modules, mapping);
    char build_id[2 * BUILD_ID_MAX + 1] = "";
    if (module->image)
        image_build_id_hex(module->image, build_id);
    uint32_t number = plain_add_mapping(fill->to, (struct plain_mapping){
        .start = place.start,
        .limit = place.limit,
        .offset = place.offset,
        .file = plain_text(fill->to, module->path),
        .build_id = plain_text(fill->to, build_id),
        .made = module->kind == MODULE_ANON,
        .has_functions = true,
    });
    *known = number + 1;
    return number;
}

// pprof shows a name untouched when the system name differs. When both are the same it demangles
// what is mangled, which is welcome, and cuts parentheses and angle brackets from what looks like
// C++, which is not: names of modules and of interpreted code then go without a system name.
static const char *system_name(const struct symbol_line *line)
{
    bool same = strcmp(line->name, line->system_name) == 0;
    return same && strpbrk(line->name, "<[(:") ? "" : line->system_name;
}

static uint32_t function_of(struct fill *fill, const struct symbol_line *line)
{
    struct plain_function function = {
        .name = plain_text(fill->to, line->name),
        .system_name = plain_text(fill->to, system_name(line)),
        .file = plain_text(fill->to, line->file),
    };
    uint32_t names =
        map_number(&fill->pairs, (uint64_t)function.name << 32 | function.system_name);
    uint32_t number = map_number(&fill->functions, (uint64_t)names << 32 | function.file);
    if (number == fill->to->code.function_count)
        plain_add_function(fill->to, function);
    return number;
}

static void fill_lines(struct fill *fill, const struct symbol_line *lines, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        ARRAY_RESERVE(fill->lines, i, fill->line_capacity);
        fill->lines[i] = (struct plain_line){
            .function = function_of(fill, &lines[i]),
            .line = lines[i].line,
            .column = lines[i].column,
        };
    }
}

static void note_use(struct fill *fill, uint32_t mapping, const struct symbol *symbol)
{
    struct used *used = &fill->used[mapping];
    fill->to->code.mappings[mapping].has_inlined |= symbol->line_count > 1;
    used->lines += symbol->line_count;
    for (size_t i = 0; i < symbol->line_count; i++) {
        used->with_file += symbol->lines[i].file[0] != '\0';
        used->with_number += symbol->lines[i].line != 0;
    }
}

static uint32_t location_of(struct fill *fill, uint32_t location)
{
    uint32_t *known = &fill->locations[location];
    if (*known)
        return *known - 1;
    const struct query_source *source = fill->source;
    struct location at = profile_location_get(source->profile, location);
    const struct symbol *symbol = symbolizer_lookup(source->symbolizer, at.mapping, at.offset);
    uint32_t mapping = mapping_of(fill, modules_mapping(source->modules, at.mapping));
    note_use(fill, mapping, symbol);
    fill_lines(fill, symbol->lines, symbol->line_count);
    uint32_t number = plain_add_location(fill->to, mapping, place_address(source->modules, at),
                                         fill->lines, symbol->line_count);
    *known = number + 1;
    return number;
}

static void finish_mappings(struct fill *fill)
{
    for (size_t i = 0; i < fill->to->code.mapping_count; i++) {
        struct plain_mapping *mapping = &fill->to->code.mappings[i];
        const struct used *used = &fill->used[i];
        mapping->has_files = used->lines && used->with_file == used->lines;
        mapping->has_numbers = used->lines && used->with_number == used->lines;
    }
}

// --- stacks ---

static uint32_t folded_stack(struct fill *fill)
{
    if (!fill->folded) {
        fill_lines(fill, &query_folded, 1);
        uint32_t location =
            plain_add_location(fill->to, PLAIN_NONE, PLACE_FOLDED, fill->lines, 1);
        fill->folded = plain_new_child(fill->to, 0, location);
    }
    return fill->folded;
}

// From the leaf on, so that locations are numbered in that order; callers that are there have all
// of their own.
static uint32_t stack_of(struct fill *fill, uint32_t stack)
{
    const struct profile *profile = fill->source->profile;
    size_t count = 0;
    if (!stack)
        return folded_stack(fill);
    uint32_t at = stack;
    for (; at && !fill->nodes[at]; at = profile_node(profile, at).parent) {
        ARRAY_RESERVE(fill->way, count, fill->way_capacity);
        fill->way[count++] = at;
        location_of(fill, profile_node(profile, at).location);
    }
    uint32_t node = at ? fill->nodes[at] : 0;
    while (count-- > 0) {
        uint32_t next = fill->way[count];
        node = plain_new_child(fill->to, node,
                               location_of(fill, profile_node(profile, next).location));
        fill->nodes[next] = node;
    }
    return node;
}

// --- samples ---

static uint32_t with_text(struct plain_profile *to, uint32_t set, const char *key, const char *text)
{
    if (!*text) // it says nothing
        return set;
    return plain_with_label(to, set, (struct plain_label){
                                         .key = plain_text(to, key), .text = plain_text(to, text)});
}

static uint32_t with_number(struct plain_profile *to, uint32_t set, const char *key, int64_t number)
{
    struct plain_label label = {.key = plain_text(to, key), .number = number};
    if (!number) // the unit that readers take for one without: the key
        label.unit = label.key;
    return plain_with_label(to, set, label);
}

// pprof's own tags are numbers for ids; the stores that keep only text find the thread in
// thread_id.
static uint32_t labels_of(struct fill *fill, uint32_t number, const char *state)
{
    const struct profile *profile = fill->source->profile;
    const struct profile_thread *thread = profile_thread_get(profile, number);
    struct plain_profile *to = fill->to;
    char tid[16];
    snprintf(tid, sizeof tid, "%d", (int)thread->tid);
    uint32_t set = with_text(to, 0, "thread", profile_string(profile, thread->comm));
    set = with_text(to, set, "thread_id", tid);
    set = with_text(to, set, "comm", profile_string(profile, thread->process_comm));
    set = with_text(to, set, "state", state);
    set = with_number(to, set, "tid", thread->tid);
    return with_number(to, set, "pid", thread->pid);
}

static void fill_threads(struct fill *fill)
{
    for (uint32_t i = 0; i < profile_thread_count(fill->source->profile); i++) {
        fill->threads[i] = labels_of(fill, i, "");
        plain_sample(fill->to, 0, fill->threads[i]);
    }
}

static int64_t bounded(uint64_t value)
{
    return value < INT64_MAX ? (int64_t)value : INT64_MAX;
}

static void fill_samples(struct fill *fill)
{
    const struct query_source *source = fill->source;
    for (size_t i = 0; i < profile_value_count(source->profile); i++) {
        const struct profile_value *value = profile_value_get(source->profile, i);
        if (!query_takes(source, value))
            continue;
        uint32_t labels = source->idle ? labels_of(fill, value->thread,
                                                   profile_state_names[value->state])
                                       : fill->threads[value->thread];
        uint32_t sample = plain_sample(fill->to, stack_of(fill, value->stack), labels);
        const int64_t values[] = {bounded(value->samples), bounded(value->ns)};
        plain_add(fill->to, sample, values);
    }
}

static void fill_fini(struct fill *fill)
{
    free(fill->nodes);
    free(fill->locations);
    free(fill->mappings);
    free(fill->threads);
    free(fill->used);
    map_fini(&fill->pairs);
    map_fini(&fill->functions);
    free(fill->lines);
    free(fill->way);
}

struct plain_profile *fill_profile(const struct query_source *source, const struct run *run)
{
    size_t mappings = modules_mapping_count(source->modules) + 1;
    struct fill fill = {
        .source = source,
        .to = plain_new(),
        .nodes = xcalloc(profile_node_count(source->profile), sizeof(uint32_t)),
        .locations = xcalloc(profile_location_count(source->profile) + 1, sizeof(uint32_t)),
        .mappings = xcalloc(mappings, sizeof(uint32_t)),
        .threads = xcalloc(profile_thread_count(source->profile) + 1, sizeof(uint32_t)),
        .used = xcalloc(mappings, sizeof *fill.used),
    };
    const struct mapping *main_mapping = modules_main(source->modules);
    fill_head(fill.to, run);
    fill.to->folded = profile_folded(source->profile);
    if (main_mapping)
        mapping_of(&fill, main_mapping); // the first one, used or not
    fill_threads(&fill);
    fill_samples(&fill);
    finish_mappings(&fill);
    fill_fini(&fill);
    return fill.to;
}
