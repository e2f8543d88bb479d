// SPDX-License-Identifier: MIT
#include <check.h>

#include "fixture_glibc.h"

struct met {
    unsigned blocks, wrong, mapped;
};

static bool meet(void *context, const struct block *block)
{
    struct met *met = context;
    uint64_t word = 0;
    met->blocks++;
    if (block->have >= 32)
        memcpy(&word, block->bytes + 24, sizeof word);
    met->mapped += block->taken == MADE_MAPPED;
    met->wrong += block->taken % 4096 && word != MADE_USED;
    return true;
}

static struct met walk(struct made_glibc *made, struct walk_quality *quality,
                       struct heap_figures *figures)
{
    struct met met = {0};
    AUTO_BUF struct buf why = {0};
    void *books = allocator_glibc.find(&made->target, &why);
    *quality = (struct walk_quality){0};
    *figures = (struct heap_figures){0};
    if (!books)
        return met;
    allocator_glibc.walk(books, &(struct block_visitor){&met, meet}, quality);
    allocator_glibc.count(books, figures);
    allocator_glibc.free(books);
    return met;
}

static void check_release(enum made_release release)
{
    struct made_glibc made;
    struct walk_quality quality;
    struct heap_figures figures;
    made_glibc_open(&made, release);
    struct met met = walk(&made, &quality, &figures);
    ck_assert_uint_eq(met.blocks, made.blocks);
    ck_assert_uint_eq(met.wrong, 0);
    ck_assert_uint_eq(met.mapped, 1);
    ck_assert_uint_eq(quality.skipped, 0);
    ck_assert_uint_eq(figures.value[FIGURE_ARENAS], 2);
    ck_assert_uint_eq(figures.value[FIGURE_CACHED], 2 * (2 * 48 + 2 * 32));
    ck_assert_uint_eq(figures.value[FIGURE_MAPPED], MADE_MAPPED);
    heap_view_close(&made.target.view);
}

START_TEST(caches_are_lists_before_2_29)
{
    check_release(MADE_2_28);
}
END_TEST

START_TEST(cached_blocks_name_their_cache_before_2_34)
{
    check_release(MADE_2_31);
}
END_TEST

START_TEST(cached_blocks_have_a_key)
{
    check_release(MADE_2_36);
}
END_TEST

// A size that makes no sense costs its own chunk and nothing else.
START_TEST(a_damaged_size_is_passed_over)
{
    struct made_glibc made;
    struct walk_quality quality;
    struct heap_figures figures;
    made_glibc_open(&made, MADE_2_36);
    unsigned char *chunk = made.heap + 0x290 + 96 + 64; // the second block
    made_put(chunk + 8, 0x4141414141414141);
    struct met met = walk(&made, &quality, &figures);
    ck_assert_uint_eq(quality.resyncs, 1);
    ck_assert_uint_eq(quality.skipped, 80);
    // Where the damaged chunk says nothing of the one before, that one is not counted either.
    ck_assert_uint_ge(met.blocks, made.blocks - 2);
    ck_assert_uint_eq(met.wrong, 0);
    heap_view_close(&made.target.view);
}
END_TEST

// Two blocks with mappings that the kernel has joined with another one, up to its end: each is met
// once, however many mp_ says there are.
START_TEST(joined_mappings)
{
    struct made_glibc made;
    struct walk_quality quality;
    struct heap_figures figures;
    made_glibc_open(&made, MADE_2_36);
    const uint32_t many = 9;
    memset(made.mapped, 0, 16);
    made_put(made.mapped + 0x1008, 0x3000 | 2);
    made_put(made.mapped + 0x4008, (MADE_PIECE - 0x4000) | 2);
    memcpy(made.data + 0x100 + 60, &many, sizeof many);
    memcpy(made.data + 0x100 + 68, &many, sizeof many);
    struct met met = walk(&made, &quality, &figures);
    ck_assert_uint_eq(met.blocks, made.blocks - 1 + 2);
    ck_assert_uint_eq(figures.value[FIGURE_MAPPED_BLOCKS], many);
    heap_view_close(&made.target.view);
}
END_TEST

// Pages that are not there end no walk, and are not made.
START_TEST(missing_pages_are_passed_over)
{
    struct made_glibc made;
    struct walk_quality quality;
    struct heap_figures figures;
    unsigned char there;
    made_glibc_open(&made, MADE_2_36);
    madvise(made.heap + 4096, 4096, MADV_DONTNEED);
    struct met met = walk(&made, &quality, &figures);
    ck_assert_uint_ge(quality.skipped, 4096);
    ck_assert_uint_le(quality.skipped, 4096 + 512);
    ck_assert_uint_ge(met.blocks, made.blocks - 4096 / 64 - 3);
    ck_assert_uint_eq(made.target.view.counts.failed, 0);
    ck_assert_int_eq(mincore(made.heap + 4096, 4096, &there), 0);
    ck_assert_uint_eq(heap_view_present(&made.target.view, made_at(made.heap),
                                        made_at(made.heap) + MADE_PIECE),
                      MADE_PIECE - 4096);
    heap_view_close(&made.target.view);
}
END_TEST

START_TEST(an_unused_arena_is_silent)
{
    struct made_glibc made;
    AUTO_BUF struct buf why = {0};
    made_glibc_open(&made, MADE_2_36);
    unsigned char *main = made.data + 0x400;
    memset(made.data, 0, MADE_PIECE);
    made_put(main + 0x870, made_at(main));
    made_put(main + 0x880, 1);
    ck_assert_ptr_null(allocator_glibc.find(&made.target, &why));
    ck_assert_uint_eq(why.length, 0);
    made_put(main + 0x870, 0); // nothing there looks like an arena now
    ck_assert_ptr_null(allocator_glibc.find(&made.target, &why));
    ck_assert_ptr_nonnull(strstr(why.data, "no arena"));
    heap_view_close(&made.target.view);
}
END_TEST

Suite *suite_heap_glibc(void)
{
    Suite *suite = suite_create("heap_glibc");
    TCase *tcase = tcase_create("heap_glibc");
    tcase_add_test(tcase, caches_are_lists_before_2_29);
    tcase_add_test(tcase, cached_blocks_name_their_cache_before_2_34);
    tcase_add_test(tcase, cached_blocks_have_a_key);
    tcase_add_test(tcase, a_damaged_size_is_passed_over);
    tcase_add_test(tcase, joined_mappings);
    tcase_add_test(tcase, missing_pages_are_passed_over);
    tcase_add_test(tcase, an_unused_arena_is_silent);
    suite_add_tcase(suite, tcase);
    return suite;
}
