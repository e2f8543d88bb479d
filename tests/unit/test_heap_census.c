// SPDX-License-Identifier: MIT
// A process may read itself: a census of our own heap, which nobody changes meanwhile.
#include "heap/heap_census.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "heap/census_profile.h"
#include "heap/heap_table.h"
#include "profile/block_profile.h"
#include "tests/unit/fixture_books.h"
#include "tests/unit/skip.h"

#define BLOCKS 20000
#define SIZE 984 // bytes; nothing else here has as many blocks of it

#ifdef __SANITIZE_ADDRESS__
#define SANITIZED true
#else
#define SANITIZED false
#endif

static struct heap_target *target;
static struct kinds *kinds;
static void *blocks[BLOCKS];

static void set_up(void)
{
    target = fixture_books_target();
    kinds = kinds_new(target);
}

static void tear_down(void)
{
    kinds_free(kinds);
    heap_target_close(target);
}

static void allocate(size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        blocks[i] = xcalloc(1, SIZE);
        memset(blocks[i], (int)i | 1, 1); // neither a text nor a pattern
    }
}

static struct heap_census *take(const struct heap_census_options *options)
{
    struct heap_census *census;
    struct err err = {0};
    ck_assert_msg(heap_census_take(target, kinds, options, &census, &err) == RC_OK, "%s",
                  err.text);
    return census;
}

// A block of glibc's is 16 bytes larger where the rest of a free one would have been too small.
static uint64_t count_of(const struct heap_census *census, uint64_t size)
{
    uint64_t count = 0;
    for (size_t i = 0; i < census->count; i++)
        if (census->rows[i].size == size || census->rows[i].size == size + 16)
            count += census->rows[i].count;
    return count;
}

START_TEST(our_own_blocks_are_counted)
{
    SKIP_IF(SANITIZED, "the sanitizer's allocator is none that is known");
    const struct heap_census_options none = {0};
    allocate(0, BLOCKS / 2);
    struct heap_census *before = take(&none);
    ck_assert_uint_ge(before->allocator_count, 1);
    allocate(BLOCKS / 2, BLOCKS);
    struct heap_census *after = take(&none);
    ck_assert(before->complete && after->complete);
    ck_assert_uint_ge(count_of(before, SIZE), BLOCKS / 2);
    ck_assert_uint_eq(count_of(after, SIZE) - count_of(before, SIZE), BLOCKS / 2);
    struct heap_moves moves = heap_moves_between(before, after);
    ck_assert_uint_ge(moves.moved_blocks, BLOCKS / 2);
    ck_assert_uint_le(moves.moved_blocks, BLOCKS / 2 + 2000); // the censuses' own
    heap_census_free(before);
    heap_census_free(after);
}
END_TEST

static bool at_once(void *context)
{
    ++*(int *)context;
    return true;
}

START_TEST(a_census_ends_early_with_what_was_counted)
{
    SKIP_IF(SANITIZED, "the sanitizer's allocator is none that is known");
    int asked = 0;
    const struct heap_census_options options = {.interrupted = at_once, .context = &asked};
    allocate(0, BLOCKS);
    struct heap_census *census = take(&options);
    uint64_t count = 0;
    for (size_t i = 0; i < census->count; i++)
        count += census->rows[i].count;
    ck_assert(!census->complete);
    ck_assert_int_eq(asked, 1);
    ck_assert(count > 0 && count < BLOCKS);
    struct plain_profile *profile = census_profile(census);
    ck_assert_str_eq(plain_string(profile, profile->comments[profile->comment_count - 1]),
                     BLOCK_PROFILE_INCOMPLETE);
    plain_free(profile);
    heap_census_free(census);
}
END_TEST

Suite *suite_heap_census(void);

Suite *suite_heap_census(void)
{
    TCase *tests = tcase_create("heap census");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, our_own_blocks_are_counted);
    tcase_add_test(tests, a_census_ends_early_with_what_was_counted);
    Suite *suite = suite_create("heap_census");
    suite_add_tcase(suite, tests);
    return suite;
}
