// SPDX-License-Identifier: MIT
// Decodes what the writer made with the generated code, and holds it against the rules that all
// readers of the format together demand.
#include <check.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/escape.h"
#include "base/mem.h"
#include "process/space.h"
#include "fixture_profile.h"
#include "profile.pb-c.h"

#define MANY 1000000
#define UNPACKED_LIMIT 4194304 // bytes

typedef Perftools__Profiles__Profile Profile;
typedef Perftools__Profiles__Sample Sample;
typedef Perftools__Profiles__Location Location;
typedef Perftools__Profiles__Mapping Mapping;
typedef Perftools__Profiles__Function Function;
typedef Perftools__Profiles__Label Label;

static struct fixture fixture;
static Profile *decoded;

static void set_up(void)
{
    fixture_init(&fixture, MANY);
    decoded = NULL;
}

static void tear_down(void)
{
    if (decoded)
        perftools__profiles__profile__free_unpacked(decoded, NULL);
    fixture_fini(&fixture);
}

// Exactly one gzip member, nothing behind it.
static size_t unpack(const char *bytes, size_t length, uint8_t *to, size_t room)
{
    z_stream stream = {.next_in = (z_const Bytef *)bytes, .avail_in = (unsigned)length,
                       .next_out = to, .avail_out = (unsigned)room};
    ck_assert_uint_gt(length, 2);
    ck_assert_int_eq((unsigned char)bytes[0], 0x1f);
    ck_assert_int_eq((unsigned char)bytes[1], 0x8b);
    ck_assert_int_eq(inflateInit2(&stream, MAX_WBITS + 16), Z_OK);
    ck_assert_int_eq(inflate(&stream, Z_FINISH), Z_STREAM_END);
    ck_assert_uint_eq(stream.avail_in, 0);
    size_t unpacked = stream.total_out;
    inflateEnd(&stream);
    return unpacked;
}

static void decode(void)
{
    size_t length;
    AUTO_FREE char *bytes = fixture_write(&fixture, "pprof", &length);
    AUTO_FREE uint8_t *raw = xmalloc(UNPACKED_LIMIT);
    size_t unpacked = unpack(bytes, length, raw, UNPACKED_LIMIT);
    decoded = perftools__profiles__profile__unpack(NULL, unpacked, raw);
    ck_assert_ptr_nonnull(decoded);
}

static const char *text(int64_t index)
{
    ck_assert_int_ge(index, 0);
    ck_assert_uint_lt((size_t)index, decoded->n_string_table);
    return decoded->string_table[index];
}

static const Location *location(uint64_t id)
{
    ck_assert(id >= 1 && id <= decoded->n_location);
    return decoded->location[id - 1];
}

static const char *name_of(const Location *at)
{
    ck_assert_uint_ge(at->n_line, 1);
    uint64_t id = at->line[0]->function_id;
    ck_assert(id >= 1 && id <= decoded->n_function);
    return text(decoded->function[id - 1]->name);
}

static const Label *label(const Sample *sample, const char *key)
{
    for (size_t i = 0; i < sample->n_label; i++)
        if (strcmp(text(sample->label[i]->key), key) == 0)
            return sample->label[i];
    return NULL;
}

static void check_strings(void)
{
    ck_assert_uint_ge(decoded->n_string_table, 1);
    ck_assert_str_eq(decoded->string_table[0], "");
    for (size_t i = 0; i < decoded->n_string_table; i++) {
        AUTO_BUF struct buf safe = {0};
        escape_utf8(&safe, decoded->string_table[i]);
        ck_assert_str_eq(safe.data, decoded->string_table[i]); // valid, and no control bytes
        for (size_t k = 0; k < i; k++)
            ck_assert_str_ne(decoded->string_table[k], decoded->string_table[i]);
    }
}

static void check_samples(void)
{
    for (size_t i = 0; i < decoded->n_sample; i++) {
        const Sample *sample = decoded->sample[i];
        ck_assert_uint_eq(sample->n_value, decoded->n_sample_type);
        ck_assert(sample->value[0] > 0 || sample->value[1] > 0);
        ck_assert_uint_ge(sample->n_location_id, 1);
        for (size_t k = 0; k < sample->n_location_id; k++)
            location(sample->location_id[k]);
        for (size_t k = 0; k < sample->n_label; k++) {
            const Label *one = sample->label[k];
            ck_assert_str_ne(text(one->key), "");
            ck_assert(!one->str || (!one->num && !one->num_unit));
            ck_assert(one->str || one->num || one->num_unit);
            ck_assert_ptr_eq(label(sample, text(one->key)), one); // one value a key
        }
    }
}

static void check_locations(void)
{
    for (size_t i = 0; i < decoded->n_location; i++) {
        const Location *at = decoded->location[i];
        ck_assert_uint_eq(at->id, i + 1);
        ck_assert_str_ne(name_of(at), "");
        for (size_t k = 0; k < i; k++)
            ck_assert_uint_ne(decoded->location[k]->address, at->address);
        if (!at->mapping_id) {
            ck_assert_str_eq(name_of(at), "[folded]");
            continue;
        }
        ck_assert_uint_le(at->mapping_id, decoded->n_mapping);
        const Mapping *mapping = decoded->mapping[at->mapping_id - 1];
        ck_assert_uint_ge(at->address, mapping->memory_start);
        ck_assert_uint_lt(at->address, mapping->memory_limit);
    }
}

static void check_mappings_and_functions(void)
{
    for (size_t i = 0; i < decoded->n_mapping; i++) {
        const Mapping *mapping = decoded->mapping[i];
        ck_assert_uint_eq(mapping->id, i + 1);
        ck_assert(mapping->has_functions);
        ck_assert(!mapping->has_filenames && !mapping->has_line_numbers);
        ck_assert_str_ne(text(mapping->filename), "");
        ck_assert_uint_eq(strspn(text(mapping->build_id), "0123456789abcdef"),
                          strlen(text(mapping->build_id)));
    }
    for (size_t i = 0; i < decoded->n_function; i++) {
        const Function *one = decoded->function[i];
        ck_assert_uint_eq(one->id, i + 1);
        for (size_t k = 0; k < i; k++) {
            const Function *other = decoded->function[k];
            ck_assert(one->name != other->name || one->system_name != other->system_name ||
                      one->filename != other->filename);
        }
    }
}

static void check_rules(void)
{
    ck_assert_uint_eq(decoded->n_sample_type, 2);
    ck_assert_str_eq(text(decoded->sample_type[0]->type), "samples");
    ck_assert_str_eq(text(decoded->sample_type[0]->unit), "count");
    const char *time = fixture.run.type == PROFILE_WALL ? "wall" : "cpu";
    ck_assert_str_eq(text(decoded->sample_type[1]->type), time);
    ck_assert_str_eq(text(decoded->sample_type[1]->unit), "nanoseconds");
    ck_assert_str_eq(text(decoded->default_sample_type), time);
    ck_assert_str_eq(text(decoded->period_type->type), time);
    ck_assert_str_eq(text(decoded->period_type->unit), "nanoseconds");
    check_strings();
    check_samples();
    check_locations();
    check_mappings_and_functions();
    for (size_t i = 0; i < decoded->n_comment; i++) {
        const char *comment = text(decoded->comment[i]);
        ck_assert(comment[0] && comment[0] != '#');
        ck_assert_int_ne(strncmp(comment, "executableInfo=", 15), 0);
    }
}

START_TEST(every_rule_holds)
{
    fixture_fill(&fixture);
    decode();
    check_rules();
    ck_assert_int_eq(decoded->time_nanos, fixture.run.start_wall);
    ck_assert_int_eq(decoded->duration_nanos, fixture.run.duration);
    ck_assert_int_eq(decoded->period, 10101010);
}
END_TEST

START_TEST(values_are_those_of_the_store)
{
    fixture_fill(&fixture);
    decode();
    size_t next = 0;
    for (size_t i = 0; i < profile_value_count(fixture.profile); i++) {
        const struct profile_value *value = profile_value_get(fixture.profile, i);
        if (!value->samples && !value->ns)
            continue;
        const Sample *sample = decoded->sample[next++];
        ck_assert_uint_eq((uint64_t)sample->value[0], value->samples);
        ck_assert_uint_eq((uint64_t)sample->value[1], value->ns);
    }
    ck_assert_uint_eq(decoded->n_sample, next);
    ck_assert_uint_eq(next, 10);
}
END_TEST

START_TEST(stacks_begin_at_the_leaf)
{
    fixture_fill(&fixture);
    decode();
    const Sample *sample = decoded->sample[2];
    static const char *const expected[] = {"work_hot", "recurse", "recurse", "recurse", "main"};
    ck_assert_uint_eq(sample->n_location_id, ARRAY_LENGTH(expected));
    for (size_t i = 0; i < ARRAY_LENGTH(expected); i++)
        ck_assert_str_eq(name_of(location(sample->location_id[i])), expected[i]);
}
END_TEST

START_TEST(labels_name_thread_and_process)
{
    fixture_fill(&fixture);
    decode();
    const Sample *sample = decoded->sample[3];
    ck_assert_str_eq(text(label(sample, "thread")->str), "worker 7");
    ck_assert_str_eq(text(label(sample, "thread_id")->str), "4243");
    ck_assert_str_eq(text(label(sample, "comm")->str), "split");
    ck_assert_int_eq(label(sample, "tid")->num, 4243);
    ck_assert_int_eq(label(sample, "pid")->num, 4242);
    ck_assert_int_eq(label(sample, "tid")->num_unit, 0);

    sample = decoded->sample[decoded->n_sample - 1];
    ck_assert_str_eq(name_of(location(sample->location_id[0])), "[unattributed]");
    ck_assert_ptr_null(label(sample, "thread"));
    ck_assert_int_eq(label(sample, "tid")->num, 0);
    ck_assert_str_eq(text(label(sample, "tid")->num_unit), "tid");
}
END_TEST

START_TEST(wall_time_has_its_own_type_and_states)
{
    static const struct {
        const char *state;
        int64_t samples, ns;
    } expected[] = {{"running", 33, 330000000},  {"running", 12, 120000000},
                    {"runnable", 0, 75000000},     {"blocked", 147, 1475000000},
                    {"blocked", 197, 2000000000}};
    fixture_fill_wall(&fixture);
    decode();
    check_rules();
    ck_assert_uint_eq(decoded->n_sample, ARRAY_LENGTH(expected));
    for (size_t i = 0; i < ARRAY_LENGTH(expected); i++) {
        const Sample *sample = decoded->sample[i];
        ck_assert_str_eq(text(label(sample, "state")->str), expected[i].state);
        ck_assert_int_eq(sample->value[0], expected[i].samples);
        ck_assert_int_eq(sample->value[1], expected[i].ns);
    }
}
END_TEST

START_TEST(names_that_are_no_symbols_are_left_alone)
{
    fixture_fill(&fixture);
    decode();
    for (size_t i = 0; i < decoded->n_function; i++) {
        const Function *one = decoded->function[i];
        bool plain = !strpbrk(text(one->name), "<[(:");
        ck_assert_str_eq(text(one->system_name), plain ? text(one->name) : "");
    }
}
END_TEST

START_TEST(comments_say_how_good_it_is)
{
    AUTO_BUF struct buf all = {0};
    decode();
    for (size_t i = 0; i < decoded->n_comment; i++)
        buf_printf(&all, "%s\n", text(decoded->comment[i]));
    fixture_golden("comments.txt", all.data);
}
END_TEST

START_TEST(an_idle_target_gives_a_valid_file)
{
    decode();
    check_rules();
    ck_assert_uint_eq(decoded->n_sample, 0);
    ck_assert_uint_eq(decoded->n_location, 0);
}
END_TEST

START_TEST(a_stack_without_frames_is_still_there)
{
    fixture_fini(&fixture);
    fixture_init(&fixture, 2);
    uint32_t thread = profile_thread_add(fixture.profile, 1, 1, "t", "p");
    fixture_add(&fixture, thread, "main", 1, 1);
    fixture_add(&fixture, thread, "other|leaf", 2, 2);
    decode();
    check_rules();
    ck_assert_uint_eq(decoded->n_sample, 2);
    ck_assert_str_eq(name_of(location(decoded->sample[1]->location_id[0])), "[folded]");
}
END_TEST

// More than what is compressed at once, and hard to compress.
START_TEST(a_large_profile_is_whole)
{
    enum { COUNT = 5000 };
    uint32_t thread = profile_thread_add(fixture.profile, 1, 1, "t", "p");
    for (uint64_t i = 0; i < COUNT; i++) {
        AUTO_FREE char *stack = xasprintf("main|%016llx%016llx", i * 0x9e3779b97f4a7c15ull,
                                          i * 0xbf58476d1ce4e5b9ull);
        fixture_add(&fixture, thread, stack, i + 1, i);
    }
    decode();
    ck_assert_uint_eq(decoded->n_sample, COUNT);
    ck_assert_uint_eq(decoded->n_location, COUNT + 1);
    for (size_t i = 0; i < COUNT; i++) {
        const Sample *sample = decoded->sample[i];
        ck_assert_int_eq(sample->value[0], (int64_t)i + 1);
        ck_assert_str_eq(name_of(location(sample->location_id[1])), "main");
    }
}
END_TEST

// Addresses of every kind of mapping, ours included.
START_TEST(code_without_a_file_has_addresses)
{
    const struct mapping *kernel = modules_special(fixture.modules, MODULE_KERNEL, "[kernel]");
    const struct mapping *jit = modules_special(fixture.modules, MODULE_ANON, "[anon]");
    const struct mapping *own = modules_special(fixture.modules, MODULE_SPECIAL, "[other]");
    const struct location all[] = {
        {kernel->id, 0}, {kernel->id, 1}, {jit->id, 0x7f0000001234}, {jit->id, 0x10}, {own->id, 0}};
    uint32_t locations[ARRAY_LENGTH(all)];
    for (size_t i = 0; i < ARRAY_LENGTH(all); i++)
        locations[i] = profile_location(fixture.profile, all[i].mapping, all[i].offset);
    uint32_t thread = profile_thread_add(fixture.profile, 1, 1, "t", "p");
    uint32_t stack = profile_stack(fixture.profile, locations, ARRAY_LENGTH(locations));
    profile_add(fixture.profile, profile_value_at(fixture.profile, stack, thread, STATE_CPU), 1, 1);
    decode();
    check_rules();
    ck_assert_uint_eq(decoded->n_mapping, 3);
    ck_assert_str_eq(text(decoded->mapping[0]->filename), "[kernel]");
    ck_assert_uint_eq(decoded->location[1]->address, decoded->location[0]->address + 1);
    ck_assert_uint_eq(decoded->location[2]->address, 0x7f0000001234);
    ck_assert_str_eq(name_of(decoded->location[2]), "[anon]");
}
END_TEST

START_TEST(code_of_files_is_where_it_lies)
{
    struct space *space = space_new(fixture.modules, getpid(), getpid());
    uint64_t ours = (uint64_t)&suite_create, here = (uint64_t)&decode;
    const struct area *library = space_find(space, ours), *program = space_find(space, here);
    ck_assert_ptr_nonnull(library);
    ck_assert_ptr_nonnull(program);
    const struct area *areas[] = {library, program};
    const uint64_t addresses[] = {ours, here};
    uint32_t locations[2];
    for (size_t i = 0; i < ARRAY_LENGTH(areas); i++)
        locations[i] =
            profile_location(fixture.profile, areas[i]->mapping->id,
                             addresses[i] - areas[i]->start + areas[i]->mapping->offset);
    uint32_t thread = profile_thread_add(fixture.profile, 1, 1, "t", "p");
    uint32_t stack = profile_stack(fixture.profile, locations, ARRAY_LENGTH(locations));
    profile_add(fixture.profile, profile_value_at(fixture.profile, stack, thread, STATE_CPU), 1, 1);
    decode();
    check_rules();
    ck_assert_uint_eq(decoded->location[0]->address, ours);
    ck_assert_uint_eq(decoded->location[1]->address, here);
    ck_assert_str_eq(name_of(decoded->location[1]), "decode");
    // The program comes first although the library was used first.
    ck_assert_uint_eq(decoded->location[1]->mapping_id, 1);
    ck_assert_uint_eq(decoded->mapping[0]->memory_start, program->start);
    ck_assert_uint_eq(decoded->mapping[0]->memory_limit, program->end);
    ck_assert_uint_eq(decoded->mapping[0]->file_offset, program->mapping->offset);
    ck_assert_uint_eq(strlen(text(decoded->mapping[0]->build_id)),
                      2 * program->mapping->module->image->headers.build_id_length);
    space_free(space);
}
END_TEST

Suite *suite_writer_pprof(void);

Suite *suite_writer_pprof(void)
{
    TCase *tests = tcase_create("writer_pprof");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, every_rule_holds);
    tcase_add_test(tests, values_are_those_of_the_store);
    tcase_add_test(tests, stacks_begin_at_the_leaf);
    tcase_add_test(tests, labels_name_thread_and_process);
    tcase_add_test(tests, wall_time_has_its_own_type_and_states);
    tcase_add_test(tests, names_that_are_no_symbols_are_left_alone);
    tcase_add_test(tests, comments_say_how_good_it_is);
    tcase_add_test(tests, an_idle_target_gives_a_valid_file);
    tcase_add_test(tests, a_stack_without_frames_is_still_there);
    tcase_add_test(tests, a_large_profile_is_whole);
    tcase_add_test(tests, code_without_a_file_has_addresses);
    tcase_add_test(tests, code_of_files_is_where_it_lies);
    Suite *suite = suite_create("writer_pprof");
    suite_add_tcase(suite, tests);
    return suite;
}
