// SPDX-License-Identifier: MIT
// The profile of proto/profile.proto, gzip-compressed. It is packed and compressed piece by piece:
// the concatenation of messages is the message that holds all their parts, so that only one sample
// at a time is in memory. What is numbered on first use (locations, functions, mappings, strings)
// is written after what uses it; the order within a file is free.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/escape.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "output/describe.h"
#include "output/formats.h"
#include "output/gzip.h"
#include "output/place.h"
#include "profile.pb-c.h"

#define FOLDED UINT32_MAX // as a location

#define WORTH_COMPRESSING 65536 // bytes

struct used_mapping {
    const struct mapping *mapping;
    size_t lines;                  // of all its locations
    size_t with_file, with_number; // of these
    bool inlined;                  // a location has several
};

struct pprof {
    const struct report *report;
    struct gzip *gzip;
    struct buf bytes; // packed, not yet compressed
    struct buf text;  // of the string being added
    enum rc rc;       // the first failure: nothing is written after it
    struct err *err;
    struct strtab strings;
    struct map location_ids; // location of the store -> id
    uint32_t *locations;     // [id - 1]: location of the store, or FOLDED
    size_t location_count, location_capacity;
    struct map mapping_ids; // mapping of the module table -> id
    struct used_mapping *mappings; // [id - 1]
    size_t mapping_count, mapping_capacity;
    struct map name_ids;     // name << 32 | system name -> number of that pair
    struct map function_ids; // that number << 32 | file name -> id
    uint64_t *sample_locations; // of the sample being written
    size_t sample_location_count, sample_location_capacity;
};

// How the first field of every generated struct starts.
#define MESSAGE(name) .base = PROTOBUF_C_MESSAGE_INIT(&perftools__profiles__##name##__descriptor)

static void compress_bytes(struct pprof *pprof, bool last)
{
    if (pprof->rc == RC_OK)
        pprof->rc = gzip_write(pprof->gzip, pprof->bytes.data, pprof->bytes.length, last,
                               pprof->err);
    buf_clear(&pprof->bytes);
}

static void put_part(struct pprof *pprof, const Perftools__Profiles__Profile *part)
{
    size_t size = perftools__profiles__profile__get_packed_size(part);
    perftools__profiles__profile__pack(part, (uint8_t *)buf_reserve(&pprof->bytes, size));
    pprof->bytes.length += size;
    if (pprof->bytes.length >= WORTH_COMPRESSING)
        compress_bytes(pprof, false);
}

static int64_t intern(struct pprof *pprof, const char *text)
{
    buf_clear(&pprof->text);
    escape_utf8(&pprof->text, text);
    return strtab_add(&pprof->strings, pprof->text.data);
}

// The id of a key: 1 and up, in the order of first use. *added: it is new.
static uint32_t number(struct map *ids, uint64_t key, bool *added)
{
    uint32_t id = map_get(ids, key, 0);
    *added = !id;
    if (!id) {
        id = (uint32_t)ids->count + 1;
        map_put(ids, key, id);
    }
    return id;
}

static void put_comments(struct pprof *pprof)
{
    AUTO_BUF struct buf text = {0};
    buf_puts(&text, "ptprof of ");
    describe_targets(&text, pprof->report->run);
    buf_putc(&text, '\n');
    describe_run(&text, pprof->report);
    char *rest = text.data;
    for (char *line; (line = strsep(&rest, "\n")) && *line;) {
        int64_t comment = intern(pprof, line);
        put_part(pprof, &(Perftools__Profiles__Profile){
                            MESSAGE(profile), .n_comment = 1, .comment = &comment});
    }
}

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

static void put_head(struct pprof *pprof)
{
    const struct run *run = pprof->report->run;
    const struct values *values = &values_of[run->type];
    Perftools__Profiles__ValueType types[ARRAY_LENGTH(values->list)], *pointers[2];
    for (size_t i = 0; i < values->count; i++) {
        types[i] = (Perftools__Profiles__ValueType){
            MESSAGE(value_type),
            .type = intern(pprof, values->list[i].type),
            .unit = intern(pprof, values->list[i].unit),
        };
        pointers[i] = &types[i];
    }
    Perftools__Profiles__ValueType *last = &types[values->count - 1];
    put_part(pprof, &(Perftools__Profiles__Profile){
                        MESSAGE(profile),
                        .n_sample_type = values->count,
                        .sample_type = pointers,
                        .default_sample_type = last->type,
                        .period_type = last,
                        .period = run->rate > 0 ? llround(NS_PER_S / run->rate)
                                                : run->type == RUN_THREADS,
                        .time_nanos = run->start_wall,
                        .duration_nanos = run->duration,
                    });
    if (run->type != RUN_THREADS)
        put_comments(pprof);
}

static uint32_t mapping_id(struct pprof *pprof, const struct mapping *mapping)
{
    bool added;
    uint32_t id = number(&pprof->mapping_ids, mapping->id, &added);
    if (added) {
        ARRAY_RESERVE(pprof->mappings, pprof->mapping_count, pprof->mapping_capacity);
        pprof->mappings[pprof->mapping_count++] = (struct used_mapping){.mapping = mapping};
    }
    return id;
}

static uint32_t location_id(struct pprof *pprof, uint32_t location)
{
    bool added;
    uint32_t id = number(&pprof->location_ids, location, &added);
    if (added) {
        ARRAY_RESERVE(pprof->locations, pprof->location_count, pprof->location_capacity);
        pprof->locations[pprof->location_count++] = location;
    }
    return id;
}

static void sample_location(struct pprof *pprof, uint32_t location)
{
    ARRAY_RESERVE(pprof->sample_locations, pprof->sample_location_count,
                  pprof->sample_location_capacity);
    pprof->sample_locations[pprof->sample_location_count++] = location_id(pprof, location);
}

static void find_locations(struct pprof *pprof, uint32_t stack)
{
    pprof->sample_location_count = 0;
    if (!stack)
        sample_location(pprof, FOLDED);
    while (stack) {
        struct stack_node node = profile_node(pprof->report->profile, stack);
        sample_location(pprof, node.location);
        stack = node.parent;
    }
}

static Perftools__Profiles__Label text_label(struct pprof *pprof, const char *key, const char *text)
{
    return (Perftools__Profiles__Label){
        MESSAGE(label), .key = intern(pprof, key), .str = intern(pprof, text)};
}

static Perftools__Profiles__Label number_label(struct pprof *pprof, const char *key, int64_t value)
{
    Perftools__Profiles__Label label = {MESSAGE(label), .key = intern(pprof, key), .num = value};
    if (!value) // the unit that readers take for one without: the key
        label.num_unit = label.key;
    return label;
}

// pprof's own tags are numbers for ids; the stores that keep only text find the thread in
// thread_id.
static void put_sample(struct pprof *pprof, const struct profile_value *value)
{
    const struct profile *profile = pprof->report->profile;
    const struct profile_thread *thread = profile_thread_get(profile, value->thread);
    bool wall = pprof->report->run->type == RUN_WALL;
    const char *state = wall ? profile_state_names[value->state] : "";
    char tid[16];
    snprintf(tid, sizeof tid, "%d", (int)thread->tid);
    Perftools__Profiles__Label all[] = {
        text_label(pprof, "thread", profile_string(profile, thread->comm)),
        text_label(pprof, "thread_id", tid),
        text_label(pprof, "comm", profile_string(profile, thread->process_comm)),
        text_label(pprof, "state", state),
        number_label(pprof, "tid", thread->tid),
        number_label(pprof, "pid", thread->pid),
    };
    Perftools__Profiles__Label *labels[ARRAY_LENGTH(all)];
    size_t label_count = 0;
    for (size_t i = 0; i < ARRAY_LENGTH(all); i++)
        if (all[i].str || all[i].num || all[i].num_unit) // an empty text says nothing
            labels[label_count++] = &all[i];

    find_locations(pprof, value->stack);
    Perftools__Profiles__Sample sample = {
        MESSAGE(sample),
        .n_location_id = pprof->sample_location_count,
        .location_id = pprof->sample_locations,
        .n_value = values_of[pprof->report->run->type].count,
        .value = (int64_t[]){(int64_t)value->samples, (int64_t)value->ns},
        .n_label = label_count,
        .label = labels,
    };
    put_part(pprof, &(Perftools__Profiles__Profile){
                        MESSAGE(profile),
                        .n_sample = 1,
                        .sample = (Perftools__Profiles__Sample *[]){&sample},
                    });
}

static void put_samples(struct pprof *pprof)
{
    struct query_source source = report_source(pprof->report);
    for (size_t i = 0; i < profile_value_count(source.profile); i++) {
        const struct profile_value *value = profile_value_get(source.profile, i);
        if (query_takes(&source, value))
            put_sample(pprof, value);
    }
}

// pprof shows a name untouched when the system name differs. When both are the same it demangles
// what is mangled, which is welcome, and cuts parentheses and angle brackets from what looks like
// C++, which is not: names of modules and of interpreted code then go without a system name.
static const char *system_name(const struct symbol_line *line)
{
    bool same = strcmp(line->name, line->system_name) == 0;
    return same && strpbrk(line->name, "<[(:") ? "" : line->system_name;
}

static uint64_t function_id(struct pprof *pprof, const struct symbol_line *line)
{
    Perftools__Profiles__Function function = {
        MESSAGE(function),
        .name = intern(pprof, line->name),
        .system_name = intern(pprof, system_name(line)),
        .filename = intern(pprof, line->file),
    };
    bool added;
    uint64_t names = number(&pprof->name_ids,
                            (uint64_t)function.name << 32 | (uint64_t)function.system_name, &added);
    function.id = number(&pprof->function_ids, names << 32 | (uint64_t)function.filename, &added);
    if (added)
        put_part(pprof, &(Perftools__Profiles__Profile){
                            MESSAGE(profile),
                            .n_function = 1,
                            .function = (Perftools__Profiles__Function *[]){&function},
                        });
    return function.id;
}

static void put_lines(struct pprof *pprof, Perftools__Profiles__Location *location,
                      const struct symbol_line *lines, size_t count)
{
    AUTO_FREE Perftools__Profiles__Line *all = xcalloc(count, sizeof *all);
    AUTO_FREE Perftools__Profiles__Line **pointers = xcalloc(count, sizeof *pointers);
    for (size_t i = 0; i < count; i++) {
        pointers[i] = &all[i];
        all[i] = (Perftools__Profiles__Line){
            MESSAGE(line),
            .function_id = function_id(pprof, &lines[i]),
            .line = lines[i].line,
            .column = lines[i].column,
        };
    }
    location->n_line = count;
    location->line = pointers;
    put_part(pprof, &(Perftools__Profiles__Profile){
                        MESSAGE(profile),
                        .n_location = 1,
                        .location = (Perftools__Profiles__Location *[]){location},
                    });
}

static void put_location(struct pprof *pprof, uint64_t id, struct location place)
{
    const struct report *report = pprof->report;
    const struct symbol *symbol =
        symbolizer_lookup(report->symbolizer, place.mapping, place.offset);
    Perftools__Profiles__Location location = {
        MESSAGE(location),
        .id = id,
        .mapping_id = mapping_id(pprof, modules_mapping(report->modules, place.mapping)),
        .address = place_address(report->modules, place),
    };
    struct used_mapping *used = &pprof->mappings[location.mapping_id - 1];
    used->inlined |= symbol->line_count > 1;
    used->lines += symbol->line_count;
    for (size_t i = 0; i < symbol->line_count; i++) {
        used->with_file += symbol->lines[i].file[0] != '\0';
        used->with_number += symbol->lines[i].line != 0;
    }
    put_lines(pprof, &location, symbol->lines, symbol->line_count);
}

static void put_locations(struct pprof *pprof)
{
    for (size_t i = 0; i < pprof->location_count; i++) {
        uint32_t number_in_store = pprof->locations[i];
        if (number_in_store != FOLDED) {
            put_location(pprof, i + 1,
                         profile_location_get(pprof->report->profile, number_in_store));
            continue;
        }
        Perftools__Profiles__Location location = {
            MESSAGE(location), .id = i + 1, .address = PLACE_FOLDED};
        put_lines(pprof, &location, &query_folded, 1);
    }
}

static void put_mapping(struct pprof *pprof, uint64_t id, const struct used_mapping *used)
{
    const struct module *module = used->mapping->module;
    struct place place = place_of(pprof->report->modules, used->mapping);
    char build_id[2 * BUILD_ID_MAX + 1] = "";
    if (module->image)
        image_build_id_hex(module->image, build_id);
    Perftools__Profiles__Mapping mapping = {
        MESSAGE(mapping),
        .id = id,
        .memory_start = place.start,
        .memory_limit = place.limit,
        .file_offset = place.offset,
        .filename = intern(pprof, module->path),
        .build_id = intern(pprof, build_id),
        .has_functions = true,
        .has_filenames = used->lines && used->with_file == used->lines,
        .has_line_numbers = used->lines && used->with_number == used->lines,
        .has_inline_frames = used->inlined,
    };
    put_part(pprof, &(Perftools__Profiles__Profile){
                        MESSAGE(profile),
                        .n_mapping = 1,
                        .mapping = (Perftools__Profiles__Mapping *[]){&mapping},
                    });
}

static void put_all(struct pprof *pprof)
{
    const struct mapping *main_mapping = modules_main(pprof->report->modules);
    if (main_mapping)
        mapping_id(pprof, main_mapping); // number 1, used or not
    put_head(pprof);
    put_samples(pprof);
    put_locations(pprof);
    for (size_t i = 0; i < pprof->mapping_count; i++)
        put_mapping(pprof, i + 1, &pprof->mappings[i]);
    put_part(pprof, &(Perftools__Profiles__Profile){
                        MESSAGE(profile),
                        .n_string_table = pprof->strings.count,
                        .string_table = pprof->strings.texts,
                    });
    compress_bytes(pprof, true);
}

static void pprof_fini(struct pprof *pprof)
{
    buf_fini(&pprof->bytes);
    buf_fini(&pprof->text);
    strtab_fini(&pprof->strings);
    map_fini(&pprof->location_ids);
    map_fini(&pprof->mapping_ids);
    map_fini(&pprof->name_ids);
    map_fini(&pprof->function_ids);
    free(pprof->locations);
    free(pprof->mappings);
    free(pprof->sample_locations);
}

enum rc pprof_write(const struct report *report, FILE *out, struct err *err)
{
    struct gzip gzip;
    enum rc rc = gzip_init(&gzip, out, err);
    if (rc != RC_OK)
        return rc;
    struct pprof pprof = {.report = report, .gzip = &gzip, .err = err};
    strtab_init(&pprof.strings);
    put_all(&pprof);
    rc = pprof.rc;
    pprof_fini(&pprof);
    gzip_fini(&gzip);
    return rc;
}
