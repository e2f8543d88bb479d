// SPDX-License-Identifier: MIT
#include "rows/source_lines.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/path.h"
#include "profile/plain_frame.h"
#include "rows/call_parts.h"

#define NONE UINT32_MAX
#define MARGIN 5 // lines that are shown before the first one with cost, and behind the last one

// pprof tells lines apart by more than a listing shows: what differs in its mapping or in where its
// function begins counts again in the same stack.
enum { NAME, FILE_NAME, MAPPING, START, LINE, FIELDS };

struct counted_line {
    const char *function, *file;
    int64_t start, line;
    int64_t flat, cum;
    uint32_t seen; // number of the last sample that it was counted in, + 1
};

struct line_span { // of places, the innermost inlined function's first
    size_t first, count;
};

struct counting {
    const struct plain_profile *profile;
    const struct pattern *pattern;
    struct strtab *texts;
    struct map matched;     // text of a name -> 0 or 1
    struct map fields[FIELDS]; // what the fields before say << 32 | this one -> number
    struct map numbers;     // lines
    struct counted_line *places;
    size_t place_count, place_capacity;
    uint32_t *of_lines; // numbers of places; NONE: the function does not match
    size_t line_count, line_capacity;
    struct line_span *of_locations;
};

// --- which places there are ---

static bool matches(struct counting *counting, const struct plain_frame *frame)
{
    uint32_t known = map_get(&counting->matched, frame->name_text, NONE);
    if (known == NONE) {
        known = pattern_matches(counting->pattern, frame->name);
        map_put(&counting->matched, frame->name_text, known);
    }
    return known;
}

static uint32_t clean_file(struct counting *counting, const char *file)
{
    AUTO_BUF struct buf clean = {0};
    if (!*file)
        return 0;
    path_clean(&clean, file);
    return strtab_add(counting->texts, clean.data);
}

static int64_t start_of(const struct plain_profile *profile, const struct plain_location *at,
                        uint32_t number)
{
    const struct plain_code *code = &profile->code;
    return at->count ? code->functions[code->lines[at->first + number].function].start_line : 0;
}

static uint32_t place_of(struct counting *counting, const struct plain_location *at,
                         uint32_t number, const struct plain_frame *frame)
{
    const struct plain_code *code = &counting->profile->code;
    int64_t start = start_of(counting->profile, at, number);
    uint32_t file = clean_file(counting, frame->file);
    const uint32_t fields[FIELDS] = {
        [NAME] = frame->name_text,
        [FILE_NAME] = file,
        [MAPPING] = at->mapping == PLAIN_NONE ? 0 : code->mappings[at->mapping].file,
        [START] = map_number(&counting->numbers, (uint64_t)start),
        [LINE] = map_number(&counting->numbers, (uint64_t)frame->line),
    };
    uint32_t place = 0;
    for (size_t i = 0; i < FIELDS; i++)
        place = map_number(&counting->fields[i], (uint64_t)place << 32 | fields[i]);
    if (place < counting->place_count)
        return place;
    ARRAY_RESERVE(counting->places, place, counting->place_capacity);
    counting->places[counting->place_count++] = (struct counted_line){
        .function = frame->name,
        .file = strtab_get(counting->texts, file),
        .start = start,
        .line = frame->line,
    };
    return place;
}

static void look_at(struct counting *counting, uint32_t location)
{
    const struct plain_location *at = &counting->profile->code.locations[location];
    size_t count = plain_frame_count(counting->profile, location), first = counting->line_count;
    bool any = false;
    for (uint32_t i = 0; i < count; i++) {
        struct plain_frame frame = plain_frame(counting->profile, location, i);
        bool wanted = at->count && matches(counting, &frame); // else it has no name
        ARRAY_RESERVE(counting->of_lines, counting->line_count, counting->line_capacity);
        counting->of_lines[counting->line_count++] =
            wanted ? place_of(counting, at, i, &frame) : NONE;
        any |= wanted;
    }
    counting->of_locations[location] = (struct line_span){first, any ? count : 0};
}

// --- what they have ---

static void count_sample(struct counting *counting, uint32_t sample, int64_t value)
{
    const struct plain_node *nodes = counting->profile->stacks.nodes;
    uint32_t leaf = counting->profile->samples.list[sample].stack;
    for (uint32_t at = leaf; at; at = nodes[at].parent) {
        struct line_span span = counting->of_locations[nodes[at].location];
        for (size_t i = 0; i < span.count; i++) {
            uint32_t number = counting->of_lines[span.first + i];
            if (number == NONE)
                continue;
            struct counted_line *place = &counting->places[number];
            if (at == leaf && i == 0)
                place->flat = call_add(place->flat, value);
            if (place->seen != sample + 1)
                place->cum = call_add(place->cum, value);
            place->seen = sample + 1;
        }
    }
}

static void count_all(struct counting *counting, size_t value)
{
    const struct plain_profile *profile = counting->profile;
    for (uint32_t i = 0; i < profile->code.location_count; i++)
        look_at(counting, i);
    for (uint32_t i = 0; i < profile->samples.count; i++)
        if (plain_values(profile, i)[value])
            count_sample(counting, i, plain_values(profile, i)[value]);
}

// --- what is shown of them ---

static int compare_routines(const struct counted_line *a, const struct counted_line *b)
{
    int order = strcmp(a->function, b->function);
    return order ? order : strcmp(a->file, b->file);
}

static int compare_places(const void *left, const void *right)
{
    const struct counted_line *a = left, *b = right;
    int order = compare_routines(a, b);
    return order ? order : (a->line > b->line) - (a->line < b->line);
}

static struct source_routine *routine_of(struct source_lines *lines,
                                         const struct counted_line *place, bool another)
{
    if (another)
        lines->routines[lines->routine_count++] = (struct source_routine){
            .function = place->function,
            .file = place->file,
            .from = INT64_MAX,
            .first = lines->line_count,
        };
    return &lines->routines[lines->routine_count - 1];
}

static void widen(struct source_routine *routine, const struct counted_line *place)
{
    int64_t from = place->line > MARGIN ? place->line - MARGIN : 1;
    if (place->start > 0)
        from = place->start < place->line ? place->start : place->line;
    int64_t to = call_add(place->line, MARGIN);
    routine->from = from < routine->from ? from : routine->from;
    routine->to = to > routine->to ? to : routine->to;
}

static void add_place(struct source_lines *lines, struct source_routine *routine,
                      const struct counted_line *place)
{
    struct source_line *last = routine->count ? &lines->lines[lines->line_count - 1] : NULL;
    if (!last || last->line != place->line) {
        last = &lines->lines[lines->line_count++];
        *last = (struct source_line){.line = place->line};
        routine->count++;
    }
    last->flat = call_add(last->flat, place->flat);
    last->cum = call_add(last->cum, place->cum);
    routine->flat = call_add(routine->flat, place->flat);
    routine->cum = call_add(routine->cum, place->cum);
    widen(routine, place);
}

static void fill(struct source_lines *lines, struct counting *counting)
{
    const struct counted_line *before = NULL;
    lines->routines = xcalloc(counting->place_count + 1, sizeof *lines->routines);
    lines->lines = xcalloc(counting->place_count + 1, sizeof *lines->lines);
    if (counting->place_count)
        qsort(counting->places, counting->place_count, sizeof *counting->places, compare_places);
    for (size_t i = 0; i < counting->place_count; i++) {
        const struct counted_line *place = &counting->places[i];
        if (!place->flat && !place->cum)
            continue;
        bool another = !before || compare_routines(before, place) != 0;
        add_place(lines, routine_of(lines, place, another), place);
        before = place;
    }
}

void source_lines_init(struct source_lines *lines, const struct plain_profile *profile,
                       size_t value, const struct pattern *pattern)
{
    *lines = (struct source_lines){0};
    strtab_init(&lines->texts);
    struct counting counting = {
        .profile = profile,
        .pattern = pattern,
        .texts = &lines->texts,
        .of_locations = xcalloc(profile->code.location_count + 1, sizeof *counting.of_locations),
    };
    count_all(&counting, value);
    fill(lines, &counting);
    map_fini(&counting.matched);
    map_fini(&counting.numbers);
    for (size_t i = 0; i < FIELDS; i++)
        map_fini(&counting.fields[i]);
    free(counting.places);
    free(counting.of_lines);
    free(counting.of_locations);
}

void source_lines_fini(struct source_lines *lines)
{
    free(lines->routines);
    free(lines->lines);
    strtab_fini(&lines->texts);
    *lines = (struct source_lines){0};
}
