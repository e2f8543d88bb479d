// SPDX-License-Identifier: MIT
// Profiles read from files: what we wrote comes back as it was, what others wrote reaches every
// writer, and what is damaged is refused in words.
#include "output/parser.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/mem.h"
#include "fixture_profile.h"
#include "output/gunzip.h"
#include "output/gzip.h"
#include "process/space.h"
#include "profile.pb-c.h"
#include "profile/measure.h"
#include "profile/plain_merge.h"
#include "profile/types.h"

#define MANY 1000000
#define FILE_MAX (1u << 20)

static struct fixture fixture;

static void set_up(void)
{
    fixture_init(&fixture, MANY);
}

static void tear_down(void)
{
    fixture_fini(&fixture);
}

static void write_as(const struct writer *writer, const struct writing *writing, struct buf *out)
{
    struct err err = {0};
    AUTO_FREE char *bytes = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&bytes, &size);
    ck_assert_ptr_nonnull(stream);
    ck_assert_msg(writer->write(writing, stream, &err) == RC_OK, "%s", err.text);
    ck_assert_int_eq(fclose(stream), 0);
    buf_append(out, bytes, size);
}

static struct plain_profile *parse(const struct buf *bytes)
{
    struct err err = {0};
    struct plain_profile *profile;
    enum rc rc = parser_parse(bytes->data, bytes->length, &profile, &err);
    ck_assert_msg(rc == RC_OK, "%s", err.text);
    return profile;
}

// --- what we wrote ---

// As a file holds it: its texts in valid UTF-8, and no samples of nothing.
static struct plain_profile *as_in_a_file(struct plain_profile *profile)
{
    struct plain_profile *file;
    struct strtab texts;
    strtab_init(&texts);
    for (size_t i = 0; i < profile->texts.count; i++) {
        AUTO_BUF struct buf text = {0};
        escape_utf8(&text, profile->texts.texts[i]);
        uint32_t valid = strtab_add(&texts, text.length ? text.data : "");
        profile->texts.texts[i] = texts.texts[valid];
    }
    const struct plain_profile *one = profile;
    ck_assert_int_eq(plain_merge(&one, 1, &file, NULL), RC_OK);
    strtab_fini(&texts);
    return file;
}

static void compare(const struct plain_profile *before, const struct plain_profile *after,
                    const struct run *run)
{
    for (size_t i = 0; i < writer_count; i++) {
        AUTO_BUF struct buf one = {0}, other = {0};
        write_as(&writers[i], &(struct writing){before, run, true}, &one);
        write_as(&writers[i], &(struct writing){after, run, true}, &other);
        ck_assert_msg(one.length == other.length &&
                          (!one.length || memcmp(one.data, other.data, one.length) == 0),
                      "%s differs:\n%s\nread again:\n%s", writers[i].name,
                      writers[i].binary ? "" : one.data, writers[i].binary ? "" : other.data);
    }
}

// plainly: all names are UTF-8, and every thread has samples.
static void check_round_trip(bool plainly)
{
    AUTO_BUF struct buf bytes = {0}, again = {0};
    struct plain_profile *profile = report_profile(&fixture.report);
    write_as(writer_by_name("pprof"), &(struct writing){.profile = profile}, &bytes);
    struct plain_profile *read = parse(&bytes);
    read->folded = profile->folded; // of which a file tells in a comment only
    if (plainly)
        compare(profile, read, fixture.report.run);
    struct plain_profile *held = as_in_a_file(profile);
    write_as(writer_by_name("pprof"), &(struct writing){.profile = read}, &again);
    ck_assert_uint_eq(bytes.length, again.length);
    ck_assert_int_eq(memcmp(bytes.data, again.data, bytes.length), 0);
    compare(held, read, fixture.report.run);
    compare(held, read, NULL);
    plain_free(profile);
    plain_free(read);
    plain_free(held);
}

START_TEST(cpu_time_comes_back)
{
    fixture_fill(&fixture);
    check_round_trip(false);
}
END_TEST

START_TEST(wall_time_comes_back)
{
    fixture_fill_wall(&fixture);
    check_round_trip(false);
}
END_TEST

START_TEST(an_idle_target_comes_back)
{
    check_round_trip(true);
}
END_TEST

START_TEST(a_folded_stack_comes_back)
{
    fixture_fini(&fixture);
    fixture_init(&fixture, 2);
    uint32_t thread = profile_thread_add(fixture.profile, 1, 1, "t", "p");
    fixture_add(&fixture, thread, "main", 1, 1);
    fixture_add(&fixture, thread, "other|leaf", 2, 2);
    check_round_trip(true);
}
END_TEST

START_TEST(a_dump_comes_back)
{
    struct plain_profile *dump = plain_new();
    struct plain_profile *made[PROFILE_KINDS] = {[PROFILE_THREADS] = dump};
    profile_type_add(&profile_types[PROFILE_THREADS], dump);
    uint32_t function = plain_add_function(
        dump, (struct plain_function){.name = plain_text(dump, "work"), .system_name = 0});
    struct plain_line line = {.function = function};
    uint32_t place = plain_add_location(dump, PLAIN_NONE, 4096, &line, 1);
    uint32_t labels = plain_with_text(dump, 0, "wait", "lock");
    plain_add(dump, plain_sample(dump, plain_stack(dump, &place, 1), labels), &(int64_t){1});
    plain_add_comment(dump, "one thread");
    fixture.report.made = made;
    fixture.run.type = PROFILE_THREADS;
    fixture.run.rate = 0;
    check_round_trip(true);
    plain_free(dump);
}
END_TEST

static void add_stack(const struct location *places, size_t count)
{
    uint32_t locations[8];
    ck_assert_uint_le(count, ARRAY_LENGTH(locations));
    for (size_t i = 0; i < count; i++)
        locations[i] = profile_location(fixture.profile, places[i].mapping, places[i].offset);
    uint32_t thread = profile_thread_add(fixture.profile, 1, 1, "t", "p");
    uint32_t stack = profile_stack(fixture.profile, locations, count);
    profile_add(fixture.profile, profile_value_at(fixture.profile, stack, thread, STATE_CPU), 1, 1);
}

// Inlined functions, files and lines, and places of every other kind.
START_TEST(code_comes_back)
{
    struct space *space = space_new(fixture.modules, getpid(), getpid());
    struct location places[6] = {
        {modules_special(fixture.modules, MODULE_KERNEL, "[kernel]")->id, 1},
        {modules_special(fixture.modules, MODULE_ANON, "[anon]")->id, 0x7f0000001234},
        {modules_special(fixture.modules, MODULE_SPECIAL, "[other]")->id, 0},
    };
    const uint64_t addresses[] = {(uint64_t)&suite_create, (uint64_t)&write_as,
                                  (uint64_t)&parser_parse};
    for (size_t i = 0; i < ARRAY_LENGTH(addresses); i++) {
        const struct area *area = space_find(space, addresses[i]);
        ck_assert_ptr_nonnull(area);
        places[3 + i] = (struct location){
            area->mapping->id, addresses[i] - area->start + area->mapping->offset};
    }
    add_stack(places, ARRAY_LENGTH(places));
    check_round_trip(true);
    space_free(space);
}
END_TEST

// --- what others wrote ---

static struct plain_profile *parse_file(const char *name)
{
    AUTO_FREE char *path = xasprintf("tests/golden/%s", name);
    AUTO_BUF struct buf bytes = {0};
    AUTO_FILE FILE *file = fopen(path, "r");
    ck_assert_msg(file != NULL, "cannot open %s (run from the top of the repository)", path);
    bytes.length += fread(buf_reserve(&bytes, FILE_MAX), 1, FILE_MAX, file);
    ck_assert_uint_lt(bytes.length, FILE_MAX);
    return parse(&bytes);
}

static void check_written(const struct plain_profile *profile, const char *name)
{
    const struct writing writing = {.profile = profile};
    for (size_t i = 0; i < writer_count; i++) {
        AUTO_BUF struct buf text = {0};
        AUTO_FREE char *golden = xasprintf("%s%s", name, writers[i].extension);
        write_as(&writers[i], &writing, &text);
        if (!writers[i].binary)
            fixture_golden(golden, text.data);
        else
            plain_free(parse(&text));
    }
}

// Made by tests/golden/go_profiles.go.
START_TEST(profiles_of_go_reach_every_writer)
{
    static const char *const names[] = {"go-cpu", "go-heap", "go-threads", "go-block"};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        AUTO_FREE char *file = xasprintf("%s.pb.gz", names[i]);
        struct plain_profile *profile = parse_file(file);
        check_written(profile, names[i]);
        plain_free(profile);
    }
}
END_TEST

// Of each type that Go writes: the values in their order, the period, which value pprof shows.
START_TEST(types_of_go_are_those_of_the_table)
{
    static const enum profile_kind kinds[] = {
        PROFILE_CPU,   PROFILE_THREADS, PROFILE_THREADCREATE, PROFILE_BLOCK,
        PROFILE_MUTEX, PROFILE_HEAP,    PROFILE_ALLOCS};
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++) {
        const struct profile_type *type = &profile_types[kinds[i]];
        AUTO_FREE char *name = xasprintf("go-%s.pb.gz", type->name);
        struct plain_profile *file = parse_file(name), *made = plain_new();
        profile_type_add(type, made);
        ck_assert_msg(file->type_count == made->type_count, "%s", name);
        for (size_t k = 0; k < type->count; k++) {
            ck_assert_str_eq(plain_string(file, file->types[k].type), type->values[k].type);
            ck_assert_str_eq(plain_string(file, file->types[k].unit), type->values[k].unit);
        }
        ck_assert_str_eq(plain_string(file, file->period_type.type), type->period_type.type);
        ck_assert_str_eq(plain_string(file, file->period_type.unit), type->period_type.unit);
        ck_assert_int_eq(made->period, type->period);
        if (type->period == 1)
            ck_assert_int_eq(file->period, 1);
        ck_assert_uint_eq(measure_of(file).main, type->main);
        ck_assert_uint_eq(measure_of(made).main, type->main);
        // What a store fills has labels that Go's has not.
        for (uint32_t k = 0; k < file->samples.count && type->label && !type->states; k++)
            ck_assert(plain_is_empty(file, k) ||
                      plain_label(file, file->samples.list[k].labels, type->label));
        plain_free(file);
        plain_free(made);
    }
}
END_TEST

START_TEST(a_profile_of_go_is_what_go_says)
{
    struct plain_profile *profile = parse_file("go-cpu.pb.gz");
    ck_assert_uint_eq(profile->type_count, 2);
    ck_assert_str_eq(plain_string(profile, profile->types[0].type), "samples");
    ck_assert_str_eq(plain_string(profile, profile->types[1].unit), "nanoseconds");
    ck_assert_int_eq(profile->period, 10000000);
    ck_assert_int_gt(profile->time, 0);
    ck_assert_uint_ge(profile->samples.count, 1);
    const struct plain_label *label = NULL;
    for (uint32_t i = 0; i < profile->samples.count; i++) {
        const int64_t *values = plain_values(profile, i);
        ck_assert_int_eq(values[1], values[0] * profile->period);
        const struct plain_label *own =
            plain_label(profile, profile->samples.list[i].labels, "request");
        label = own ? own : label;
    }
    ck_assert_ptr_nonnull(label);
    ck_assert_str_eq(plain_string(profile, label->text), "42");
    plain_free(profile);
}
END_TEST

// --- what is damaged ---

static void take_any(const char *bytes, size_t length)
{
    struct err err = {0};
    struct plain_profile *profile;
    // A copy of exact size, so that a memory checker sees every read beyond it.
    AUTO_FREE char *copy = xmalloc(length + !length);
    memcpy(copy, bytes, length);
    enum rc rc = parser_parse(copy, length, &profile, &err);
    ck_assert_int_eq(rc == RC_OK, profile != NULL);
    ck_assert_int_eq(rc == RC_OK, err.text[0] == '\0');
    if (rc != RC_OK)
        return;
    const struct writing writing = {.profile = profile};
    for (size_t i = 0; i < writer_count; i++) {
        AUTO_BUF struct buf text = {0};
        write_as(&writers[i], &writing, &text);
    }
    plain_free(profile);
}

static void damage(struct buf *bytes)
{
    for (size_t i = 0; i <= bytes->length; i++)
        take_any(bytes->data, i);
    for (size_t i = 0; i < bytes->length; i++)
        for (unsigned bit = 0; bit < 8; bit++) {
            bytes->data[i] ^= (char)(1u << bit);
            take_any(bytes->data, bytes->length);
            bytes->data[i] ^= (char)(1u << bit);
        }
}

static void make_bytes(struct buf *packed, struct buf *raw)
{
    size_t length;
    fixture_fill(&fixture);
    AUTO_FREE char *bytes = fixture_write(&fixture, "pprof", &length);
    buf_append(packed, bytes, length);
    ck_assert_int_eq(gunzip(bytes, length, FILE_MAX, raw, NULL), RC_OK);
}

START_TEST(damage_to_a_packed_file_is_survived)
{
    AUTO_BUF struct buf packed = {0}, raw = {0};
    make_bytes(&packed, &raw);
    damage(&packed);
}
END_TEST

START_TEST(damage_to_a_plain_file_is_survived)
{
    AUTO_BUF struct buf packed = {0}, raw = {0};
    make_bytes(&packed, &raw);
    plain_free(parse(&raw));
    damage(&raw);
}
END_TEST

static void check_refused(const char *bytes, size_t length, enum rc wanted, const char *text)
{
    struct err err = {0};
    struct plain_profile *profile;
    ck_assert_int_eq(parser_parse(bytes, length, &profile, &err), wanted);
    ck_assert_ptr_null(profile);
    ck_assert_msg(strstr(err.text, text) != NULL, "\"%s\" has no \"%s\"", err.text, text);
}

START_TEST(what_is_wrong_with_the_file_is_said)
{
    AUTO_BUF struct buf packed = {0}, raw = {0};
    make_bytes(&packed, &raw);
    check_refused("", 0, RC_FORMAT, "it is empty");
    check_refused("hello, world", 12, RC_FORMAT, "no profile in pprof's format");
    check_refused(packed.data, packed.length - 20, RC_FORMAT, "it ends too early");
    check_refused(packed.data, 2, RC_FORMAT, "it ends too early");
    buf_append(&packed, "x", 1);
    check_refused(packed.data, packed.length, RC_FORMAT, "1 bytes follow the end");
    packed.data[packed.length / 2] ^= 0x55;
    check_refused(packed.data, packed.length, RC_FORMAT, "its compression is damaged");
}
END_TEST

typedef Perftools__Profiles__Profile Profile;
typedef Perftools__Profiles__Sample Sample;
typedef Perftools__Profiles__Mapping Mapping;
typedef Perftools__Profiles__Location Location;
typedef Perftools__Profiles__Function Function;
typedef Perftools__Profiles__Line Line;
typedef Perftools__Profiles__Label Label;
typedef Perftools__Profiles__ValueType ValueType;

static struct message { // a valid one, and what it consists of
    Profile profile;
    char *strings[6];
    ValueType type, *types[65];
    Mapping mapping, *mappings[2];
    Function function, *functions[2];
    Line line, *lines[1];
    Location location, *locations[2];
    Label label, *labels[1];
    uint64_t ids[1];
    int64_t values[2];
    Sample sample, *samples[1];
} m;

static void make_message(void)
{
    static char *const strings[] = {"", "cpu", "nanoseconds", "main", "key", "value"};
    memcpy(m.strings, strings, sizeof strings);
    perftools__profiles__profile__init(&m.profile);
    perftools__profiles__value_type__init(&m.type);
    perftools__profiles__mapping__init(&m.mapping);
    perftools__profiles__function__init(&m.function);
    perftools__profiles__line__init(&m.line);
    perftools__profiles__location__init(&m.location);
    perftools__profiles__label__init(&m.label);
    perftools__profiles__sample__init(&m.sample);
    for (size_t i = 0; i < ARRAY_LENGTH(m.types); i++)
        m.types[i] = &m.type;
    m.mappings[0] = m.mappings[1] = &m.mapping;
    m.functions[0] = m.functions[1] = &m.function;
    m.locations[0] = m.locations[1] = &m.location;
    m.lines[0] = &m.line;
    m.labels[0] = &m.label;
    m.samples[0] = &m.sample;
    m.type.type = 1;
    m.type.unit = 2;
    m.mapping.id = 7;
    m.function.id = 900;
    m.function.name = 3;
    m.line.function_id = 900;
    m.location.id = UINT64_MAX;
    m.location.mapping_id = 7;
    m.location.n_line = 1;
    m.location.line = m.lines;
    m.label.key = 4;
    m.label.str = 5;
    m.ids[0] = UINT64_MAX;
    m.values[0] = m.values[1] = 5;
    m.sample.n_location_id = m.sample.n_value = m.sample.n_label = 1;
    m.sample.location_id = m.ids;
    m.sample.value = m.values;
    m.sample.label = m.labels;
    m.profile.n_string_table = ARRAY_LENGTH(m.strings);
    m.profile.string_table = m.strings;
    m.profile.n_sample_type = m.profile.n_mapping = m.profile.n_function = 1;
    m.profile.n_location = m.profile.n_sample = 1;
    m.profile.sample_type = m.types;
    m.profile.mapping = m.mappings;
    m.profile.function = m.functions;
    m.profile.location = m.locations;
    m.profile.sample = m.samples;
}

static void pack(struct buf *out)
{
    size_t size = perftools__profiles__profile__get_packed_size(&m.profile);
    out->length += perftools__profiles__profile__pack(&m.profile,
                                                      (uint8_t *)buf_reserve(out, size));
}

START_TEST(ids_may_be_any)
{
    AUTO_BUF struct buf bytes = {0};
    make_message();
    m.location.is_folded = true;
    pack(&bytes);
    struct plain_profile *profile = parse(&bytes);
    ck_assert_uint_eq(profile->code.location_count, 1);
    ck_assert_uint_eq(profile->code.locations[0].mapping, 0);
    ck_assert(profile->code.locations[0].folded);
    ck_assert_int_eq(plain_values(profile, 0)[0], 5);
    plain_free(profile);
}
END_TEST

START_TEST(a_mapping_that_is_not_there_is_none)
{
    AUTO_BUF struct buf bytes = {0};
    make_message();
    m.location.mapping_id = 8;
    pack(&bytes);
    struct plain_profile *profile = parse(&bytes);
    ck_assert_uint_eq(profile->code.locations[0].mapping, PLAIN_NONE);
    plain_free(profile);
}
END_TEST

#define FAULTS(fault)                                                                              \
    fault(m.strings[0] = "x", "its table of strings does not begin")                               \
    fault(m.profile.n_string_table = 0, "its table of strings does not begin")                     \
    fault(m.profile.n_sample_type = 0, "it has 0 sample types")                                    \
    fault(m.profile.n_sample_type = 65, "it has 65 sample types")                                  \
    fault(m.type.type = 6, "the name of a sample type is string 6 of 6")                           \
    fault(m.type.unit = -1, "the unit of a sample type is string -1 of 6")                         \
    fault(m.profile.default_sample_type = INT64_MAX, "the default type is string")                 \
    fault(m.profile.doc_url = 99, "the address of its description is string 99")                   \
    fault(m.mapping.id = 0, "a mapping has no id")                                                 \
    fault(m.profile.n_mapping = 2, "two mappings have the id 7")                                   \
    fault(m.mapping.filename = 77, "the file of a mapping is string 77")                           \
    fault(m.function.id = 0, "a function has no id")                                               \
    fault(m.profile.n_function = 2, "two functions have the id 900")                               \
    fault(m.function.name = INT64_MIN, "the name of a function is string")                         \
    fault(m.line.function_id = 901, "is in function 901, which it has not")                        \
    fault(m.line.function_id = 0, "is in function 0, which it has not")                            \
    fault(m.location.id = 0, "a location has no id")                                               \
    fault(m.profile.n_location = 2, "two locations have the id 18446744073709551615")              \
    fault(m.ids[0] = 3, "a sample is at location 3, which it has not")                             \
    fault(m.sample.n_value = 0, "a sample has 0 values for 1 types")                               \
    fault(m.sample.n_value = 2, "a sample has 2 values for 1 types")                               \
    fault(m.label.key = 6, "the key of a label is string 6 of 6")                                  \
    fault(m.label.str = 6, "the text of a label is string 6 of 6")                                 \
    fault(m.label.num_unit = 6, "the unit of a label is string 6 of 6")

START_TEST(what_is_wrong_in_it_is_said)
{
#define CHECK(fault, text)                                                                         \
    {                                                                                              \
        AUTO_BUF struct buf bytes = {0};                                                           \
        make_message();                                                                            \
        fault;                                                                                     \
        pack(&bytes);                                                                              \
        check_refused(bytes.data, bytes.length, RC_FORMAT, text);                                  \
    }
    FAULTS(CHECK)
#undef CHECK
}
END_TEST

// A small file that becomes a large one.
START_TEST(what_unpacks_to_too_much_is_refused)
{
    struct err err = {0};
    size_t length = 0;
    AUTO_FREE char *bytes = NULL;
    AUTO_BUF struct buf unpacked = {0};
    AUTO_FREE char *zeros = xcalloc(1, FILE_MAX);
    FILE *stream = open_memstream(&bytes, &length), *packer = gzip_stream(stream);
    ck_assert_uint_eq(fwrite(zeros, 1, FILE_MAX, packer), FILE_MAX);
    ck_assert_int_eq(fclose(packer), 0);
    ck_assert_int_eq(fclose(stream), 0);
    ck_assert_uint_lt(length, 4096);
    ck_assert_int_eq(gunzip(bytes, length, FILE_MAX, &unpacked, &err), RC_OK);
    ck_assert_uint_eq(unpacked.length, FILE_MAX);
    buf_clear(&unpacked);
    ck_assert_int_eq(gunzip(bytes, length, FILE_MAX - 1, &unpacked, &err), RC_LIMIT);
}
END_TEST

Suite *suite_pprof_parse(void);

Suite *suite_pprof_parse(void)
{
    TCase *tests = tcase_create("pprof_parse");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, cpu_time_comes_back);
    tcase_add_test(tests, wall_time_comes_back);
    tcase_add_test(tests, an_idle_target_comes_back);
    tcase_add_test(tests, a_folded_stack_comes_back);
    tcase_add_test(tests, a_dump_comes_back);
    tcase_add_test(tests, code_comes_back);
    tcase_add_test(tests, profiles_of_go_reach_every_writer);
    tcase_add_test(tests, types_of_go_are_those_of_the_table);
    tcase_add_test(tests, a_profile_of_go_is_what_go_says);
    tcase_add_test(tests, damage_to_a_packed_file_is_survived);
    tcase_add_test(tests, damage_to_a_plain_file_is_survived);
    tcase_add_test(tests, what_is_wrong_with_the_file_is_said);
    tcase_add_test(tests, ids_may_be_any);
    tcase_add_test(tests, a_mapping_that_is_not_there_is_none);
    tcase_add_test(tests, what_is_wrong_in_it_is_said);
    tcase_add_test(tests, what_unpacks_to_too_much_is_refused);
    Suite *suite = suite_create("pprof_parse");
    suite_add_tcase(suite, tests);
    return suite;
}
