// SPDX-License-Identifier: MIT
// Files of pprof byte by byte: whatever the order and form of their fields they say the same, and
// those that would take too much memory, or are several in one, are refused in words.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "output/gunzip.h"
#include "output/gzip.h"
#include "output/parser.h"
#include "output/protobuf.h"

#define MIB (1u << 20)

static void put_varint(struct buf *out, uint64_t value)
{
    for (; value > 0x7f; value >>= 7)
        buf_putc(out, (char)(value | 0x80));
    buf_putc(out, (char)value);
}

static void put_number(struct buf *out, unsigned field, uint64_t value)
{
    put_varint(out, field << 3 | PB_VARINT);
    put_varint(out, value);
}

static void put_bytes(struct buf *out, unsigned field, const void *bytes, size_t length)
{
    put_varint(out, field << 3 | PB_BYTES);
    put_varint(out, length);
    buf_append(out, bytes, length);
}

// A message of numbers: fields 1, 2, 3 ...
#define PUT_NUMBERS(out, field, ...)                                                               \
    put_numbers((out), (field), (const uint64_t[]){__VA_ARGS__},                                   \
                ARRAY_LENGTH(((const uint64_t[]){__VA_ARGS__})))

static void put_numbers(struct buf *out, unsigned field, const uint64_t *numbers, size_t count)
{
    AUTO_BUF struct buf message = {0};
    for (unsigned i = 0; i < count; i++)
        put_number(&message, i + 1, numbers[i]);
    put_bytes(out, field, message.data, message.length);
}

static void put_strings(struct buf *out)
{
    static const char *const strings[] = {"", "cpu", "nanoseconds", "main", "key", "value"};
    for (size_t i = 0; i < ARRAY_LENGTH(strings); i++)
        put_bytes(out, 6, strings[i], strlen(strings[i]));
}

// One type, locations 1 and 2 in function 1.
static void put_head(struct buf *out)
{
    put_strings(out);
    PUT_NUMBERS(out, 1, 1, 2);
    PUT_NUMBERS(out, 5, 1, 3);
    PUT_NUMBERS(out, 4, 1, 0, 0x1000);
    PUT_NUMBERS(out, 4, 2, 0, 0x2000);
}

static void put_sample(struct buf *out, const void *locations, size_t count)
{
    AUTO_BUF struct buf sample = {0};
    put_bytes(&sample, 1, locations, count);
    put_number(&sample, 2, 7);
    put_bytes(out, 2, sample.data, sample.length);
}

static struct plain_profile *parse(const struct buf *bytes)
{
    struct err err = {0};
    struct plain_profile *profile;
    enum rc rc = parser_parse(bytes->data, bytes->length, &profile, &err);
    ck_assert_msg(rc == RC_OK, "%s", err.text);
    return profile;
}

static void check_refused(const struct buf *bytes, enum rc wanted, const char *text)
{
    struct err err = {0};
    struct plain_profile *profile;
    ck_assert_int_eq(parser_parse(bytes->data, bytes->length, &profile, &err), wanted);
    ck_assert_ptr_null(profile);
    ck_assert_msg(strstr(err.text, text) != NULL, "\"%s\" has no \"%s\"", err.text, text);
}

// --- fields ---

START_TEST(numbers_have_at_most_ten_bytes)
{
    static const char most[] = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";
    struct pb_cursor cursor = pb_cursor(most, 10);
    ck_assert(pb_varint(&cursor) == UINT64_MAX && !cursor.damaged && cursor.at == cursor.end);
    cursor = pb_cursor(most, 9);
    ck_assert(pb_varint(&cursor) == 0 && cursor.damaged);
    cursor = pb_cursor("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11);
    ck_assert(pb_varint(&cursor) == 0 && cursor.damaged);
    cursor = pb_cursor("\x80\x01\x7f", 3);
    ck_assert_uint_eq(pb_varint(&cursor), 128);
    ck_assert_uint_eq(pb_varint(&cursor), 127);
    ck_assert(pb_varint(&cursor) == 0 && cursor.damaged);
}
END_TEST

START_TEST(what_is_no_field_is_damage)
{
    static const struct {
        const char *bytes;
        size_t length;
    } damaged[] = {
        {"\x02\x00", 2},         // field 0
        {"\x0b", 1},             // a group
        {"\x0f", 1},             // a form that there is not
        {"\x0a\x02x", 3},        // bytes beyond the end
        {"\x09\1\2\3\4\5\6\7", 8}, // half a number of 64 bits
        {"\x0d\1\2\3", 4},
        {"\x08\x80", 2},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(damaged); i++) {
        struct pb_cursor cursor = pb_cursor(damaged[i].bytes, damaged[i].length);
        struct pb_field field;
        ck_assert_msg(!pb_next(&cursor, &field) && cursor.damaged, "%zu", i);
    }
}
END_TEST

START_TEST(fields_that_are_not_known_are_stepped_over)
{
    AUTO_BUF struct buf bytes = {0};
    put_head(&bytes);
    put_number(&bytes, 99, 5);
    buf_append(&bytes, "\xa1\x06" "12345678", 10); // field 100: a number of 64 bits
    buf_append(&bytes, "\xa5\x06" "1234", 6);      // and of 32
    put_bytes(&bytes, 101, "bytes", 5);
    put_sample(&bytes, "\2\1", 2);
    struct plain_profile *profile = parse(&bytes);
    ck_assert_uint_eq(profile->samples.count, 1);
    ck_assert_uint_eq(profile->stacks.count, 3);
    plain_free(profile);
}
END_TEST

START_TEST(a_known_field_in_a_wrong_form_is_damage)
{
    for (unsigned field = 1; field <= 15; field++) {
        AUTO_BUF struct buf bytes = {0};
        put_head(&bytes);
        put_varint(&bytes, field << 3 | PB_FIXED32);
        buf_append(&bytes, "1234", 4);
        check_refused(&bytes, RC_FORMAT, "it is damaged");
    }
}
END_TEST

// Last strings, as Go writes them, or first: the same.
START_TEST(parts_come_in_any_order)
{
    AUTO_BUF struct buf bytes = {0}, turned = {0};
    put_head(&bytes);
    put_sample(&bytes, "\2\1", 2);
    put_sample(&bytes, "\1", 1);
    for (unsigned number = 1; number <= 6; number++) {
        struct pb_cursor cursor = pb_cursor(bytes.data, bytes.length);
        struct pb_field field;
        while (pb_next(&cursor, &field))
            if (field.number == number)
                put_bytes(&turned, number, field.bytes, field.value);
    }
    struct plain_profile *one = parse(&bytes), *other = parse(&turned);
    ck_assert_uint_eq(one->samples.count, 2);
    ck_assert_uint_eq(other->samples.count, 2);
    ck_assert_uint_eq(other->stacks.count, one->stacks.count);
    ck_assert_str_eq(plain_string(other, other->types[0].type), "cpu");
    ck_assert_str_eq(plain_string(other, other->code.functions[0].name), "main");
    plain_free(one);
    plain_free(other);
}
END_TEST

START_TEST(repeated_numbers_come_packed_or_one_by_one)
{
    AUTO_BUF struct buf bytes = {0}, sample = {0};
    put_head(&bytes);
    put_number(&sample, 1, 2);
    put_bytes(&sample, 2, "\7", 1);
    put_bytes(&sample, 1, "\1\2", 2);
    put_bytes(&sample, 1, "", 0);
    put_bytes(&bytes, 2, sample.data, sample.length);
    put_bytes(&bytes, 13, "\3\4", 2);
    put_number(&bytes, 13, 5);
    struct plain_profile *profile = parse(&bytes);
    ck_assert_uint_eq(profile->stacks.count, 4);
    ck_assert_int_eq(plain_values(profile, 0)[0], 7);
    ck_assert_uint_eq(profile->comment_count, 3);
    ck_assert_str_eq(plain_string(profile, profile->comments[2]), "value");
    plain_free(profile);
}
END_TEST

// Labels that were seen are known by their bytes: short ones, and not the same after another one.
START_TEST(labels_are_what_they_say_each_time)
{
    AUTO_BUF struct buf bytes = {0};
    put_head(&bytes);
    for (uint64_t i = 0; i < 6; i++) {
        AUTO_BUF struct buf sample = {0};
        put_bytes(&sample, 1, "\1", 1);
        put_number(&sample, 2, 1);
        if (i % 2)
            PUT_NUMBERS(&sample, 3, 4, 5);
        PUT_NUMBERS(&sample, 3, 4, 0, i < 3 ? 9 : UINT64_MAX, 2);
        put_bytes(&bytes, 2, sample.data, sample.length);
    }
    struct plain_profile *profile = parse(&bytes);
    ck_assert_uint_eq(profile->labels.count, 3);
    ck_assert_uint_eq(profile->samples.count, 4);
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t set = profile->samples.list[i].labels;
        const struct plain_label *label = plain_label(profile, set, "key");
        ck_assert_int_eq(label->number, i < 2 ? 9 : -1);
        ck_assert_int_eq(profile->labels.sets[set].parent != 0, i == 1 || i == 2);
    }
    plain_free(profile);
}
END_TEST

// --- several in one ---

static void pack(const struct buf *bytes, struct buf *out)
{
    char *packed = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&packed, &length), *packer = gzip_stream(stream);
    ck_assert_uint_eq(fwrite(bytes->data, 1, bytes->length, packer), bytes->length);
    ck_assert_int_eq(fclose(packer), 0);
    ck_assert_int_eq(fclose(stream), 0);
    buf_append(out, packed, length);
    free(packed);
}

START_TEST(several_profiles_in_one_file_are_told)
{
    AUTO_BUF struct buf bytes = {0}, packed = {0};
    put_head(&bytes);
    put_number(&bytes, 9, 1769850843);
    pack(&bytes, &packed);
    plain_free(parse(&packed));
    pack(&bytes, &packed);
    check_refused(&packed, RC_FORMAT, "it is several compressed files, one behind the other");
    put_number(&bytes, 9, 0);
    check_refused(&bytes, RC_FORMAT, "it is several profiles, one behind the other");
}
END_TEST

// --- too much ---

START_TEST(a_bomb_is_refused_for_what_it_unpacks_to)
{
    AUTO_BUF struct buf zeros = {0}, packed = {0}, unpacked = {0};
    struct err err = {0};
    memset(buf_reserve(&zeros, 33 * MIB), 0, 33 * MIB);
    zeros.length = 33 * MIB;
    pack(&zeros, &packed);
    ck_assert_uint_lt(packed.length, MIB);
    check_refused(&packed, RC_LIMIT, "it is longer than 32 MiB without its compression");
    ck_assert_int_eq(gunzip(packed.data, packed.length, 256 * MIB, &unpacked, &err), RC_LIMIT);
    ck_assert_uint_eq(unpacked.length, 0);
    // One that lies about its length is not believed.
    memset(packed.data + packed.length - 4, 1, 1);
    check_refused(&packed, RC_LIMIT, "it is longer than 32 MiB without its compression");
}
END_TEST

#define BOMBS(bomb)                                                                                \
    bomb(put_sample(&bytes, ones, 8 * MIB))                                                        \
    bomb(put_bytes(&bytes, 13, ones, 12 * MIB))                                                    \
    bomb(put_bytes(&bytes, 6, ones, 17 * MIB))                                                    \
    bomb(for (unsigned i = 0; i < 12 * MIB; i++) put_bytes(&bytes, 6, "", 0))                      \
    bomb(put_lines(&bytes, MIB))

static void put_lines(struct buf *out, unsigned count)
{
    AUTO_BUF struct buf location = {0};
    put_number(&location, 1, 3);
    for (unsigned i = 0; i < count; i++)
        PUT_NUMBERS(&location, 4, 1);
    put_bytes(out, 4, location.data, location.length);
}

// What unpacks to little may still be made of millions of parts. Its owner may unpack it.
START_TEST(a_bomb_is_refused_for_what_it_would_take)
{
    AUTO_FREE char *ones = xmalloc(17 * MIB);
    memset(ones, 1, 17 * MIB);
#define CHECK(make)                                                                                \
    {                                                                                              \
        AUTO_BUF struct buf bytes = {0}, packed = {0};                                             \
        put_head(&bytes);                                                                          \
        make;                                                                                      \
        pack(&bytes, &packed);                                                                     \
        ck_assert_uint_lt(packed.length, MIB);                                                     \
        check_refused(&packed, RC_LIMIT, "all that a compressed profile of its size may take");    \
        plain_free(parse(&bytes));                                                                 \
    }
    BOMBS(CHECK)
#undef CHECK
}
END_TEST

Suite *suite_pprof_bytes(void);

Suite *suite_pprof_bytes(void)
{
    TCase *tests = tcase_create("pprof_bytes");
    tcase_add_test(tests, numbers_have_at_most_ten_bytes);
    tcase_add_test(tests, what_is_no_field_is_damage);
    tcase_add_test(tests, fields_that_are_not_known_are_stepped_over);
    tcase_add_test(tests, a_known_field_in_a_wrong_form_is_damage);
    tcase_add_test(tests, parts_come_in_any_order);
    tcase_add_test(tests, repeated_numbers_come_packed_or_one_by_one);
    tcase_add_test(tests, labels_are_what_they_say_each_time);
    tcase_add_test(tests, several_profiles_in_one_file_are_told);
    tcase_add_test(tests, a_bomb_is_refused_for_what_it_unpacks_to);
    tcase_add_test(tests, a_bomb_is_refused_for_what_it_would_take);
    Suite *suite = suite_create("pprof_bytes");
    suite_add_tcase(suite, tests);
    return suite;
}
