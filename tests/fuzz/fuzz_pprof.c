// SPDX-License-Identifier: MIT
// Profiles read from files, which are written again in every format, merged and subtracted, and
// drawn.
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "output/dot.h"
#include "output/flame.h"
#include "output/parser.h"
#include "output/writer.h"
#include "profile.pb-c.h"
#include "profile/plain_merge.h"
#include "rows/source_lines.h"

static void require(bool good)
{
    if (!good)
        abort();
}

static char *write_as(const struct writer *writer, const struct plain_profile *profile,
                      size_t *length)
{
    char *bytes = NULL;
    const struct writing writing = {.profile = profile, .jit_suffix = true};
    FILE *out = open_memstream(&bytes, length);
    require(out && writer->write(&writing, out, NULL) == RC_OK);
    require(fclose(out) == 0);
    return bytes;
}

static void write_all(const struct plain_profile *profile)
{
    for (size_t i = 0; i < writer_count; i++) {
        size_t length;
        AUTO_FREE char *bytes = write_as(&writers[i], profile, &length);
        struct plain_profile *again;
        if (!writers[i].binary)
            continue;
        require(parser_parse(bytes, length, &again, NULL) == RC_OK);
        plain_free(again);
    }
}

static void draw(const struct plain_profile *profile, size_t value)
{
    const struct call_trim trim = {CALL_FUNCTION_FRACTION, CALL_EDGE_FRACTION, 5, CALL_BY_SELF};
    struct call_graph *graph = call_graph_new(profile, value);
    struct call_picture picture;
    struct call_tags tags;
    AUTO_BUF struct buf text = {0};
    call_tags_init(&tags, graph, call_graph_fraction(graph, trim.function_fraction));
    call_picture_init(&picture, graph, &trim, &tags);
    const char *unit = plain_string(profile, profile->types[value].unit);
    dot_write(&(struct dot_drawing){graph, &picture, &tags, unit, ""}, &text);
    for (size_t i = 0; i < text.length; i++)
        require((unsigned char)text.data[i] >= ' ' || text.data[i] == '\n');
    call_picture_fini(&picture);
    call_tags_fini(&tags);
    call_graph_free(graph);
}

static void list_lines(const struct plain_profile *profile, size_t value)
{
    struct pattern pattern;
    struct source_lines lines;
    require(pattern_init(&pattern, ".", NULL) == RC_OK);
    source_lines_init(&lines, profile, value, &pattern);
    for (size_t i = 0; i < lines.routine_count; i++)
        require(lines.routines[i].count && lines.routines[i].from > 0);
    source_lines_fini(&lines);
    pattern_fini(&pattern);
}

static void draw_flames(const struct plain_profile *profile, const struct plain_profile *base)
{
    const struct flame_request request = {
        .profile = profile, .base = base, .profile_name = "a", .base_name = "b", .title = "t",
        .value = profile->type_count / 2};
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    enum rc page = flame_page_write(&request, out, NULL);
    enum rc picture = flame_svg_write(&request, out, NULL);
    require(page == picture && (page == RC_OK || !profile->type_count));
    require(fclose(out) == 0);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct err err = {0};
    struct plain_profile *profile;
    enum rc rc = parser_parse(bytes, length, &profile, &err);
    require((rc == RC_OK) == (profile != NULL) && (rc == RC_OK) == !err.text[0]);
    if (!profile)
        return 0;
    write_all(profile);
    const struct plain_profile *twice[] = {profile, profile};
    struct plain_profile *sum, *rest;
    require(plain_merge(twice, 2, &sum, NULL) == RC_OK);
    require(plain_subtract(profile, profile, &rest, NULL) == RC_OK);
    require(!rest->samples.count);
    write_all(sum);
    for (size_t i = 0; i < profile->type_count; i++) {
        draw(sum, i);
        list_lines(sum, i);
    }
    draw_flames(sum, profile);
    plain_free(sum);
    plain_free(rest);
    plain_free(profile);
    return 0;
}

// --- a profile with something of everything ---

#define PIECE(name, field) Perftools__Profiles__##name name = PERFTOOLS__PROFILES__##field##__INIT

static void put_profile(const char *type, const char *unit, struct buf *out)
{
    char *strings[] = {"", "samples", "count", (char *)type, (char *)unit, "/bin/a", "0123abcd",
                       "main", "_Zmain", "a.c", "thread", "worker 7", "tid", "state", "blocked",
                       "a comment"};
    PIECE(Profile, PROFILE);
    PIECE(Mapping, MAPPING);
    PIECE(Function, FUNCTION);
    PIECE(Line, LINE);
    PIECE(Location, LOCATION);
    PIECE(Sample, SAMPLE);
    Perftools__Profiles__ValueType types[2] = {PERFTOOLS__PROFILES__VALUE_TYPE__INIT,
                                               PERFTOOLS__PROFILES__VALUE_TYPE__INIT};
    Perftools__Profiles__Label labels[3] = {PERFTOOLS__PROFILES__LABEL__INIT,
                                            PERFTOOLS__PROFILES__LABEL__INIT,
                                            PERFTOOLS__PROFILES__LABEL__INIT};
    Perftools__Profiles__Location bare = PERFTOOLS__PROFILES__LOCATION__INIT;
    int64_t comments[] = {15}, values[] = {3, 30000000};
    uint64_t stack[] = {1, 1, 2};
    types[0].type = 1, types[0].unit = 2, types[1].type = 3, types[1].unit = 4;
    Mapping.id = 1, Mapping.memory_start = 0x400000, Mapping.memory_limit = 0x500000;
    Mapping.filename = 5, Mapping.build_id = 6, Mapping.has_functions = true;
    Function.id = 1, Function.name = 7, Function.system_name = 8, Function.filename = 9;
    Line.function_id = 1, Line.line = 12;
    Location.id = 1, Location.mapping_id = 1, Location.address = 0x401000;
    Location.n_line = 2, Location.line = (Perftools__Profiles__Line *[]){&Line, &Line};
    bare.id = 2, bare.mapping_id = 1, bare.address = 0x402000;
    labels[0].key = 10, labels[0].str = 11, labels[1].key = 12, labels[1].num = 4243;
    labels[2].key = 13, labels[2].str = 14;
    Sample.n_location_id = 3, Sample.location_id = stack, Sample.n_value = 2;
    Sample.value = values, Sample.n_label = 3;
    Sample.label = (Perftools__Profiles__Label *[]){&labels[0], &labels[1], &labels[2]};
    Profile.n_sample_type = 2;
    Profile.sample_type = (Perftools__Profiles__ValueType *[]){&types[0], &types[1]};
    Profile.period_type = &types[1], Profile.period = 10000000;
    Profile.n_sample = 1, Profile.sample = (Perftools__Profiles__Sample *[]){&Sample};
    Profile.n_mapping = 1, Profile.mapping = (Perftools__Profiles__Mapping *[]){&Mapping};
    Profile.n_function = 1, Profile.function = (Perftools__Profiles__Function *[]){&Function};
    Profile.n_location = 2;
    Profile.location = (Perftools__Profiles__Location *[]){&Location, &bare};
    Profile.n_comment = 1, Profile.comment = comments;
    Profile.time_nanos = 1769850843123456789, Profile.duration_nanos = 2000000000;
    Profile.n_string_table = ARRAY_LENGTH(strings), Profile.string_table = strings;
    size_t size = perftools__profiles__profile__get_packed_size(&Profile);
    out->length +=
        perftools__profiles__profile__pack(&Profile, (uint8_t *)buf_reserve(out, size));
}

// The last one is compressed.
bool fuzz_seed(size_t number, struct buf *out)
{
    static const char *const types[][2] = {
        {"cpu", "nanoseconds"}, {"wall", "nanoseconds"}, {"inuse_space", "bytes"}};
    if (number > ARRAY_LENGTH(types))
        return false;
    if (number < ARRAY_LENGTH(types)) {
        put_profile(types[number][0], types[number][1], out);
        return true;
    }
    AUTO_BUF struct buf raw = {0};
    struct plain_profile *profile;
    size_t length;
    put_profile("cpu", "nanoseconds", &raw);
    require(parser_parse(raw.data, raw.length, &profile, NULL) == RC_OK);
    AUTO_FREE char *bytes = write_as(writer_by_name("pprof"), profile, &length);
    buf_append(out, bytes, length);
    plain_free(profile);
    return true;
}
