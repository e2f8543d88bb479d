// SPDX-License-Identifier: MIT
// The pprof format is a message of proto/profile.proto, gzip-compressed. It is packed and
// compressed piece by piece, so that only one sample at a time is in memory twice: in protobuf a
// concatenation of messages is one message with all their fields, in any order. Strings are
// numbered on first use and come last; functions come before the first location that has them.
#include <stdlib.h>

#include "base/escape.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "output/formats.h"
#include "output/gzip.h"
#include "profile.pb-c.h"

#define WORTH_COMPRESSING 65536 // bytes

struct pprof {
    const struct plain_profile *profile;
    struct gzip *gzip;
    struct buf bytes; // packed, not yet compressed
    struct buf text;  // the string that is being added
    enum rc rc;       // the first failure; nothing is written after it
    struct err *err;
    struct strtab strings;
    uint32_t *string_ids; // [text of the profile]: index in the string table; 0: none yet
    size_t function_count; // functions written so far
    uint64_t *locations; // of the sample being written
    size_t location_capacity;
    Perftools__Profiles__Label *labels, **label_pointers; // of the sample being written
    size_t label_capacity, pointer_capacity;
};

// Initializes the first field of a struct that protobuf-c generated.
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

// protobuf strings have to be valid UTF-8. Texts that differ only in invalid bytes become the same
// string.
static int64_t intern(struct pprof *pprof, uint32_t text)
{
    uint32_t *id = &pprof->string_ids[text];
    if (text && !*id) {
        buf_clear(&pprof->text);
        escape_utf8(&pprof->text, plain_string(pprof->profile, text));
        *id = strtab_add(&pprof->strings, pprof->text.data);
    }
    return *id;
}

static Perftools__Profiles__ValueType value_type(struct pprof *pprof, struct plain_type type)
{
    return (Perftools__Profiles__ValueType){
        MESSAGE(value_type),
        .type = intern(pprof, type.type),
        .unit = intern(pprof, type.unit),
    };
}

static void put_head(struct pprof *pprof)
{
    const struct plain_profile *profile = pprof->profile;
    size_t count = profile->type_count;
    AUTO_FREE Perftools__Profiles__ValueType *types = xcalloc(count + 1, sizeof *types);
    AUTO_FREE Perftools__Profiles__ValueType **pointers = xcalloc(count + 1, sizeof *pointers);
    for (size_t i = 0; i < count; i++) {
        types[i] = value_type(pprof, profile->types[i]);
        pointers[i] = &types[i];
    }
    types[count] = value_type(pprof, profile->period_type);
    bool has_period = profile->period_type.type || profile->period_type.unit;
    put_part(pprof, &(Perftools__Profiles__Profile){
                        MESSAGE(profile),
                        .n_sample_type = count,
                        .sample_type = pointers,
                        .default_sample_type = intern(pprof, profile->default_type),
                        .period_type = has_period ? &types[count] : NULL,
                        .period = profile->period,
                        .time_nanos = profile->time,
                        .duration_nanos = profile->duration,
                        .drop_frames = intern(pprof, profile->drop_frames),
                        .keep_frames = intern(pprof, profile->keep_frames),
                        .doc_url = intern(pprof, profile->doc_url),
                    });
    for (size_t i = 0; i < profile->comment_count; i++) {
        int64_t comment = intern(pprof, profile->comments[i]);
        put_part(pprof, &(Perftools__Profiles__Profile){
                            MESSAGE(profile), .n_comment = 1, .comment = &comment});
    }
}

// --- samples ---

static size_t find_locations(struct pprof *pprof, uint32_t stack)
{
    const struct plain_node *nodes = pprof->profile->stacks.nodes;
    size_t count = 0;
    for (; stack; stack = nodes[stack].parent) {
        ARRAY_RESERVE(pprof->locations, count, pprof->location_capacity);
        pprof->locations[count++] = (uint64_t)nodes[stack].location + 1;
    }
    return count;
}

static Perftools__Profiles__Label label_of(struct pprof *pprof, const struct plain_label *label)
{
    return (Perftools__Profiles__Label){
        MESSAGE(label),
        .key = intern(pprof, label->key),
        .str = intern(pprof, label->text),
        .num = label->number,
        .num_unit = intern(pprof, label->unit),
    };
}

// Fills in the labels of a set in their order, which is the reverse of its links.
static size_t find_labels(struct pprof *pprof, uint32_t set)
{
    const struct plain_labels *labels = &pprof->profile->labels;
    size_t count = 0;
    for (uint32_t at = set; at; at = labels->sets[at].parent)
        count++;
    for (size_t i = 0; i < count; i++) {
        ARRAY_RESERVE(pprof->labels, i, pprof->label_capacity);
        ARRAY_RESERVE(pprof->label_pointers, i, pprof->pointer_capacity);
    }
    // Strings are numbered in the order in which labels are written.
    size_t left = count;
    for (uint32_t at = set; at; at = labels->sets[at].parent)
        pprof->labels[--left].key = labels->sets[at].label;
    for (size_t i = 0; i < count; i++) {
        pprof->labels[i] = label_of(pprof, &labels->list[pprof->labels[i].key]);
        pprof->label_pointers[i] = &pprof->labels[i];
    }
    return count;
}

static void put_sample(struct pprof *pprof, uint32_t number)
{
    const struct plain_profile *profile = pprof->profile;
    const struct plain_sample *from = &profile->samples.list[number];
    Perftools__Profiles__Sample sample = {
        MESSAGE(sample),
        .n_label = find_labels(pprof, from->labels),
        .n_location_id = find_locations(pprof, from->stack),
        .n_value = profile->type_count,
        .value = (int64_t *)plain_values(profile, number), // protobuf-c only reads it
    };
    sample.label = pprof->label_pointers;
    sample.location_id = pprof->locations;
    put_part(pprof, &(Perftools__Profiles__Profile){
                        MESSAGE(profile),
                        .n_sample = 1,
                        .sample = (Perftools__Profiles__Sample *[]){&sample},
                    });
}

static void put_samples(struct pprof *pprof)
{
    for (uint32_t i = 0; i < pprof->profile->samples.count; i++)
        if (!plain_is_empty(pprof->profile, i))
            put_sample(pprof, i);
}

// --- code ---

// Writes functions until `count` are written.
static void put_functions(struct pprof *pprof, size_t count)
{
    for (; pprof->function_count < count; pprof->function_count++) {
        const struct plain_function *from =
            &pprof->profile->code.functions[pprof->function_count];
        Perftools__Profiles__Function function = {
            MESSAGE(function),
            .id = pprof->function_count + 1,
            .name = intern(pprof, from->name),
            .system_name = intern(pprof, from->system_name),
            .filename = intern(pprof, from->file),
            .start_line = from->start_line,
        };
        put_part(pprof, &(Perftools__Profiles__Profile){
                            MESSAGE(profile),
                            .n_function = 1,
                            .function = (Perftools__Profiles__Function *[]){&function},
                        });
    }
}

static void put_location(struct pprof *pprof, uint32_t number)
{
    const struct plain_code *code = &pprof->profile->code;
    const struct plain_location *from = &code->locations[number];
    AUTO_FREE Perftools__Profiles__Line *lines = xcalloc(from->count, sizeof *lines);
    AUTO_FREE Perftools__Profiles__Line **pointers = xcalloc(from->count, sizeof *pointers);
    for (size_t i = 0; i < from->count; i++) {
        const struct plain_line *line = &code->lines[from->first + i];
        put_functions(pprof, (size_t)line->function + 1);
        pointers[i] = &lines[i];
        lines[i] = (Perftools__Profiles__Line){
            MESSAGE(line),
            .function_id = (uint64_t)line->function + 1,
            .line = line->line,
            .column = line->column,
        };
    }
    Perftools__Profiles__Location location = {
        MESSAGE(location),
        .id = (uint64_t)number + 1,
        .mapping_id = from->mapping == PLAIN_NONE ? 0 : (uint64_t)from->mapping + 1,
        .address = from->address,
        .n_line = from->count,
        .line = pointers,
        .is_folded = from->folded,
    };
    put_part(pprof, &(Perftools__Profiles__Profile){
                        MESSAGE(profile),
                        .n_location = 1,
                        .location = (Perftools__Profiles__Location *[]){&location},
                    });
}

static void put_mapping(struct pprof *pprof, uint32_t number)
{
    const struct plain_mapping *from = &pprof->profile->code.mappings[number];
    Perftools__Profiles__Mapping mapping = {
        MESSAGE(mapping),
        .id = (uint64_t)number + 1,
        .memory_start = from->start,
        .memory_limit = from->limit,
        .file_offset = from->offset,
        .filename = intern(pprof, from->file),
        .build_id = intern(pprof, from->build_id),
        .has_functions = from->has_functions,
        .has_filenames = from->has_files,
        .has_line_numbers = from->has_numbers,
        .has_inline_frames = from->has_inlined,
    };
    put_part(pprof, &(Perftools__Profiles__Profile){
                        MESSAGE(profile),
                        .n_mapping = 1,
                        .mapping = (Perftools__Profiles__Mapping *[]){&mapping},
                    });
}

static void put_code(struct pprof *pprof)
{
    const struct plain_code *code = &pprof->profile->code;
    for (uint32_t i = 0; i < code->location_count; i++)
        put_location(pprof, i);
    put_functions(pprof, code->function_count);
    for (uint32_t i = 0; i < code->mapping_count; i++)
        put_mapping(pprof, i);
}

static void put_all(struct pprof *pprof)
{
    put_head(pprof);
    put_samples(pprof);
    put_code(pprof);
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
    free(pprof->string_ids);
    free(pprof->locations);
    free(pprof->labels);
    free(pprof->label_pointers);
}

enum rc pprof_write(const struct writing *writing, FILE *out, struct err *err)
{
    struct gzip gzip;
    enum rc rc = gzip_init(&gzip, out, err);
    if (rc != RC_OK)
        return rc;
    struct pprof pprof = {.profile = writing->profile, .gzip = &gzip, .err = err};
    strtab_init(&pprof.strings);
    pprof.string_ids = xcalloc(pprof.profile->texts.count, sizeof *pprof.string_ids);
    put_all(&pprof);
    rc = pprof.rc;
    pprof_fini(&pprof);
    gzip_fini(&gzip);
    return rc;
}
