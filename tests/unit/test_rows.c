// SPDX-License-Identifier: MIT
// Rows of the snapshots in tests/golden/top.snapshots, whose numbers are counted by hand there.
#include "profile/live.h"
#include "rows/rows.h"

#include <check.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "monitor/snapshot_text.h"

static struct replay *replay;
static struct snapshot *first, *last; // after two seconds, and after three
static struct rows_query query;
static struct err err;

static void set_up(void)
{
    ck_assert_msg(replay_open("tests/golden/top.snapshots", &replay, &err) == RC_OK, "%s",
                  err.text);
    first = replay_next(replay);
    last = replay_next(replay);
    query = (struct rows_query){.window = WINDOW_ALL};
}

static void tear_down(void)
{
    snapshot_free(first);
    snapshot_free(last);
    replay_free(replay);
}

// --- functions ---

static const struct function_row *row_of(const struct function_rows *rows, const char *name)
{
    for (size_t i = 0; i < rows->count; i++)
        if (strcmp(rows->rows[i].function->name, name) == 0)
            return &rows->rows[i];
    return NULL;
}

static struct function_rows functions_of(const struct snapshot *snapshot)
{
    struct function_rows rows;
    ck_assert_msg(rows_functions(&snapshot->moment, &query, &rows, &err) == RC_OK, "%s", err.text);
    return rows;
}

START_TEST(functions_have_self_and_total)
{
    struct function_rows rows = functions_of(first);
    const struct function_row *hash = row_of(&rows, "hash"), *start = row_of(&rows, "start");
    ck_assert_uint_eq(rows.all.samples, 25);
    ck_assert_uint_eq(rows.all.cpu_ns, 2500000000);
    ck_assert_ptr_eq(hash, &rows.rows[0]);
    ck_assert_uint_eq(hash->self.samples, 12);
    ck_assert_uint_eq(hash->total_all.cpu_ns, 1200000000);
    ck_assert_str_eq(hash->function->module, "libhash.so");
    ck_assert_uint_eq(start->self.samples, 0);
    ck_assert_uint_eq(start->total.samples, 13);
    ck_assert_uint_eq(start->threads, 2);
    ck_assert_uint_eq(hash->threads, 1);
    ck_assert_double_eq(rows_percent(MEASURE_TIME, hash->self, rows.all), 48);
    function_rows_fini(&rows);
}
END_TEST

START_TEST(a_recursive_function_counts_once)
{
    struct function_rows rows = functions_of(first);
    ck_assert_uint_eq(row_of(&rows, "walk")->total.samples, 5);
    ck_assert_uint_eq(row_of(&rows, "walk")->self.samples, 0);
    function_rows_fini(&rows);
}
END_TEST

START_TEST(inlined_functions_and_lines_are_told)
{
    struct function_rows rows = functions_of(first);
    const struct function_row *deflate = row_of(&rows, "deflate");
    const struct function_row *compress = row_of(&rows, "compress");
    ck_assert(deflate->inlined && !compress->inlined);
    ck_assert_uint_eq(deflate->self.samples, 8);
    ck_assert_uint_eq(compress->self.samples, 0);
    ck_assert_uint_eq(compress->total.samples, 8);
    ck_assert_str_eq(deflate->file, "zip.c");
    ck_assert_uint_eq(deflate->line, 77);
    ck_assert_uint_eq(row_of(&rows, "hash")->line, 7);
    function_rows_fini(&rows);
}
END_TEST

START_TEST(windows_hold_the_last_seconds)
{
    query.window = WINDOW_1S;
    struct function_rows rows = functions_of(last);
    ck_assert_uint_eq(rows.all.samples, 10);
    ck_assert_uint_eq(row_of(&rows, "hash")->self.samples, 2);
    ck_assert_uint_eq(row_of(&rows, "hash")->self_all.samples, 14);
    ck_assert_uint_eq(row_of(&rows, "serve")->self.samples, 1);
    ck_assert_uint_eq(row_of(&rows, "serve")->total.samples, 3);
    ck_assert_ptr_nonnull(row_of(&rows, "leaf")); // not in the window, but since reset
    ck_assert_uint_eq(row_of(&rows, "leaf")->self.samples, 0);
    ck_assert_uint_eq(rows.trend_count, 3);
    const float *trend = row_of(&rows, "hash")->trend;
    ck_assert_float_eq_tol(trend[7], 20, 1e-3f);
    ck_assert_float_eq_tol(trend[6], 40, 1e-3f);
    ck_assert_float_eq_tol(trend[5], 60, 1e-3f);
    ck_assert_float_eq_tol(trend[4], 0, 1e-3f);
    function_rows_fini(&rows);
}
END_TEST

static void check_order(enum rows_sort sort, bool reversed, const char *expected)
{
    AUTO_BUF struct buf names = {0};
    query.sort = sort;
    query.reversed = reversed;
    struct function_rows rows = functions_of(first);
    for (size_t i = 0; i < rows.count; i++)
        buf_printf(&names, "%s%s", i ? " " : "", rows.rows[i].function->name);
    ck_assert_str_eq(names.data, expected);
    function_rows_fini(&rows);
}

START_TEST(orders_are_determinate)
{
    check_order(SORT_SELF, false,
                "hash deflate leaf start work handle main serve compress walk");
    check_order(SORT_TOTAL, false,
                "start work hash handle main serve deflate compress leaf walk");
    check_order(SORT_FUNCTION, false,
                "compress deflate handle hash leaf main serve start walk work");
    check_order(SORT_FUNCTION, true,
                "work walk start serve main leaf hash handle deflate compress");
    check_order(SORT_MODULE, false,
                "start hash deflate leaf work handle main serve compress walk");
    check_order(SORT_THREADS, false,
                "start work hash deflate leaf handle main serve compress walk");
    check_order(SORT_SELF, true,
                "start work handle main serve compress walk leaf deflate hash");
    check_order(SORT_CPU, false, // of threads only: as self
                "hash deflate leaf start work handle main serve compress walk");
}
END_TEST

// --- filters ---

static uint64_t samples_with(const char *terms)
{
    query.filter.terms = terms;
    struct function_rows rows = functions_of(first);
    uint64_t samples = rows.all.samples;
    function_rows_fini(&rows);
    return samples;
}

START_TEST(terms_choose_stacks)
{
    ck_assert_uint_eq(samples_with(""), 25);
    ck_assert_uint_eq(samples_with("hash"), 12);
    ck_assert_uint_eq(samples_with("HASH"), 0); // capitals count when there are any
    ck_assert_uint_eq(samples_with("work,walk"), 5);
    ck_assert_uint_eq(samples_with("work,!walk"), 8);
    ck_assert_uint_eq(samples_with("!work"), 12);
    ck_assert_uint_eq(samples_with("libc.so"), 13); // a module
    ck_assert_uint_eq(samples_with("/^(walk|hash)$/"), 17);
    ck_assert_uint_eq(samples_with("!/^w/"), 12);
    ck_assert_uint_eq(samples_with("/^[a-z]{4,5}$/,deflate"), 8);
    ck_assert_uint_eq(samples_with("/wa{1,2}lk/"), 5);
    ck_assert_uint_eq(samples_with(",,work,,"), 13);
    ck_assert_uint_eq(samples_with("nothing"), 0);
    ck_assert_uint_eq(samples_with("/"), 0); // half of an expression is a text
    ck_assert_uint_eq(samples_with("!"), 25);
}
END_TEST

START_TEST(wrong_terms_are_told)
{
    struct function_rows rows;
    query.filter.terms = "work,/(/";
    ck_assert_int_eq(filter_check(&query.filter, &err), RC_USAGE);
    ck_assert_ptr_nonnull(strstr(err.text, "/(/ is not a regular expression"));
    ck_assert_int_eq(rows_functions(&first->moment, &query, &rows, &err), RC_USAGE);
    ck_assert_uint_eq(rows.count, 0);
    AUTO_BUF struct buf many = {0};
    for (int i = 0; i <= FILTER_TERMS_MAX; i++)
        buf_puts(&many, "a,");
    query.filter.terms = many.data;
    ck_assert_int_eq(filter_check(&query.filter, &err), RC_USAGE);
}
END_TEST

START_TEST(threads_and_modules_choose_stacks)
{
    query.filter.tid = 13;
    ck_assert_uint_eq(samples_with(NULL), 5);
    query.filter.tid = 99;
    ck_assert_uint_eq(samples_with(NULL), 0);
    query.filter = (struct filter){.thread = "worker-1"};
    ck_assert_uint_eq(samples_with(NULL), 8);
    query.filter = (struct filter){.module = "libhash.so"};
    ck_assert_uint_eq(samples_with(NULL), 12);
    query.filter = (struct filter){.module = "server", .thread = "worker-2"};
    ck_assert_uint_eq(samples_with("leaf"), 5);
    query.filter = (struct filter){.module = "libc.so.6"}; // never a leaf
    ck_assert_uint_eq(samples_with(NULL), 0);
}
END_TEST

// --- tree ---

static void draw(struct buf *out, const struct tree *tree)
{
    for (size_t i = 0; i < tree->count; i++) {
        const struct tree_node *node = &tree->nodes[i];
        buf_printf(out, "%*s%s", (int)node->depth, "",
                   node->function ? node->function->name : node->label);
        if (node->repeat > 1)
            buf_printf(out, " x%u", (unsigned)node->repeat);
        buf_printf(out, " %u/%u%s\n", (unsigned)node->total.samples, (unsigned)node->self.samples,
                   node->inlined ? " inlined" : "");
    }
}

static void check_tree(const char *expected)
{
    AUTO_BUF struct buf drawn = {0};
    struct tree tree;
    ck_assert_int_eq(rows_tree(&first->moment, &query, &tree, &err), RC_OK);
    draw(&drawn, &tree);
    ck_assert_str_eq(drawn.data ? drawn.data : "", expected);
    for (uint32_t i = 0; i < tree.count; i++) {
        const struct tree_node *node = &tree.nodes[i];
        ck_assert_uint_eq(tree_find(&tree, node->id), i);
        ck_assert_uint_gt(node->next, i);
        ck_assert(node->next <= tree.count);
        if (node->children)
            ck_assert_uint_eq(tree.nodes[i + 1].parent, i);
    }
    tree_fini(&tree);
}

START_TEST(a_tree_goes_from_the_roots)
{
    check_tree("start 13/0\n"
               " work 13/0\n"
               "  compress 8/0\n"
               "   deflate 8/8 inlined\n"
               "  walk x3 5/0\n"
               "   leaf 5/5\n"
               "main 12/0\n"
               " serve 12/0\n"
               "  handle 12/0\n"
               "   hash 12/12\n");
}
END_TEST

START_TEST(an_inverted_tree_goes_from_the_leaves)
{
    query.inverted = true;
    query.filter.terms = "work";
    check_tree("deflate 8/0 inlined\n"
               " compress 8/0\n"
               "  work 8/0\n"
               "   start 8/8\n"
               "leaf 5/0\n"
               " walk x3 5/0\n"
               "  work 5/0\n"
               "   start 5/5\n");
}
END_TEST

START_TEST(a_tree_may_begin_with_threads)
{
    query.group = GROUP_NAME;
    query.filter.terms = "work";
    check_tree("worker-1 8/0\n"
               " start 8/0\n"
               "  work 8/0\n"
               "   compress 8/0\n"
               "    deflate 8/8 inlined\n"
               "worker-2 5/0\n"
               " start 5/0\n"
               "  work 5/0\n"
               "   walk x3 5/0\n"
               "    leaf 5/5\n");
}
END_TEST

START_TEST(nodes_keep_their_identity)
{
    struct tree before, after;
    ck_assert_int_eq(rows_tree(&first->moment, &query, &before, &err), RC_OK);
    query.window = WINDOW_1S;
    ck_assert_int_eq(rows_tree(&last->moment, &query, &after, &err), RC_OK);
    uint32_t hash = tree_find(&after, before.nodes[before.count - 1].id);
    ck_assert_uint_ne(hash, UINT32_MAX);
    ck_assert_str_eq(after.nodes[hash].function->name, "hash");
    ck_assert_uint_eq(after.nodes[hash].total.samples, 2);
    ck_assert_uint_eq(after.nodes[hash].line, 8);
    tree_fini(&before);
    tree_fini(&after);
}
END_TEST

// --- flame ---

static const struct flame_cell *cell_of(const struct flame *flame, const struct tree *tree,
                                        const char *name)
{
    for (size_t i = 0; i < flame->count; i++)
        if (strcmp(tree->nodes[flame->cells[i].node].function->name, name) == 0)
            return &flame->cells[i];
    return NULL;
}

static void check_cell(const struct flame *flame, const struct tree *tree, const char *name,
                       double start, double width)
{
    const struct flame_cell *cell = cell_of(flame, tree, name);
    ck_assert_ptr_nonnull(cell);
    ck_assert_double_eq_tol(cell->start, start, 1e-9);
    ck_assert_double_eq_tol(cell->width, width, 1e-9);
}

START_TEST(flame_cells_are_as_wide_as_their_share)
{
    struct tree tree;
    struct flame flame;
    ck_assert_int_eq(rows_tree(&first->moment, &query, &tree, &err), RC_OK);
    rows_flame(&tree, UINT32_MAX, &flame);
    ck_assert_uint_eq(flame.count, tree.count);
    ck_assert_uint_eq(flame.depths, 4);
    check_cell(&flame, &tree, "main", 0, 12 / 25.0); // siblings by name
    check_cell(&flame, &tree, "start", 12 / 25.0, 13 / 25.0);
    check_cell(&flame, &tree, "compress", 12 / 25.0, 8 / 25.0);
    check_cell(&flame, &tree, "walk", 20 / 25.0, 5 / 25.0);
    check_cell(&flame, &tree, "leaf", 20 / 25.0, 5 / 25.0);
    for (size_t i = 1; i < flame.count; i++)
        ck_assert(flame.cells[i].depth > flame.cells[i - 1].depth ||
                  flame.cells[i].start >= flame.cells[i - 1].start);
    flame_fini(&flame);
    tree_fini(&tree);
}
END_TEST

START_TEST(a_zoomed_cell_has_all_the_room)
{
    struct tree tree;
    struct flame flame;
    ck_assert_int_eq(rows_tree(&first->moment, &query, &tree, &err), RC_OK);
    uint32_t work = 1;
    ck_assert_str_eq(tree.nodes[work].function->name, "work");
    rows_flame(&tree, work, &flame);
    ck_assert_ptr_null(cell_of(&flame, &tree, "main"));
    check_cell(&flame, &tree, "start", 0, 1);
    check_cell(&flame, &tree, "work", 0, 1);
    check_cell(&flame, &tree, "compress", 0, 8 / 13.0);
    check_cell(&flame, &tree, "leaf", 8 / 13.0, 5 / 13.0);
    flame_fini(&flame);
    tree_fini(&tree);
}
END_TEST

// --- callers and callees ---

static uint64_t id_of(const char *name)
{
    struct function_rows rows = functions_of(first);
    uint64_t id = row_of(&rows, name)->id;
    function_rows_fini(&rows);
    return id;
}

START_TEST(callers_and_callees)
{
    struct call_rows rows;
    ck_assert_int_eq(rows_calls(&first->moment, &query, id_of("work"), &rows, &err), RC_OK);
    ck_assert_uint_eq(rows.function.total.samples, 13);
    ck_assert_uint_eq(rows.caller_count, 1);
    ck_assert_str_eq(rows.callers[0].function->name, "start");
    ck_assert_uint_eq(rows.callers[0].cost.samples, 13);
    ck_assert_uint_eq(rows.callee_count, 2);
    ck_assert_str_eq(rows.callees[0].function->name, "compress");
    ck_assert_uint_eq(rows.callees[0].cost.samples, 8);
    ck_assert_str_eq(rows.callees[1].function->name, "walk");
    ck_assert_uint_eq(rows.all.samples, 25);
    call_rows_fini(&rows);
}
END_TEST

START_TEST(recursion_roots_and_leaves_have_no_calls)
{
    struct call_rows rows;
    ck_assert_int_eq(rows_calls(&first->moment, &query, id_of("walk"), &rows, &err), RC_OK);
    ck_assert_uint_eq(rows.caller_count, 1);
    ck_assert_str_eq(rows.callers[0].function->name, "work");
    ck_assert_uint_eq(rows.callee_count, 1);
    ck_assert_str_eq(rows.callees[0].function->name, "leaf");
    ck_assert_uint_eq(rows.callees[0].cost.samples, 5);
    call_rows_fini(&rows);
    ck_assert_int_eq(rows_calls(&first->moment, &query, id_of("hash"), &rows, &err), RC_OK);
    ck_assert_ptr_null(rows.callees[0].function);
    ck_assert_uint_eq(rows.callees[0].cost.samples, 12);
    call_rows_fini(&rows);
    ck_assert_int_eq(rows_calls(&first->moment, &query, id_of("main"), &rows, &err), RC_OK);
    ck_assert_ptr_null(rows.callers[0].function);
    call_rows_fini(&rows);
    ck_assert_int_eq(rows_calls(&first->moment, &query, 12345, &rows, &err), RC_GONE);
}
END_TEST

// --- threads ---

static void check_thread(const struct thread_row *row, pid_t tid, const char *name, char state,
                         uint64_t samples, double cpu_percent, int64_t held_ns, const char *where)
{
    ck_assert_int_eq(row->tid, tid);
    ck_assert_str_eq(row->name, name);
    ck_assert_int_eq(row->state, state);
    ck_assert_uint_eq(row->cost.samples, samples);
    ck_assert_double_eq_tol(row->cpu_percent, cpu_percent, 1e-6);
    ck_assert_int_eq(row->held_ns, held_ns);
    ck_assert_str_eq(row->where ? row->where->name : "", where);
}

START_TEST(threads_are_those_that_live)
{
    struct thread_rows rows;
    query.window = WINDOW_5S;
    ck_assert_int_eq(rows_threads(&first->moment, &query, &rows, &err), RC_OK);
    ck_assert_uint_eq(rows.count, 4);
    check_thread(&rows.rows[0], 11, "server", 'R', 12, 60, 3000000, "hash");
    check_thread(&rows.rows[1], 12, "worker-1", 'R', 8, 40, 2000000, "deflate");
    check_thread(&rows.rows[2], 13, "worker-2", 'S', 5, 25, 1000000, "leaf");
    check_thread(&rows.rows[3], 14, "logger", 'S', 0, 0, 0, "");
    ck_assert_str_eq(rows.rows[2].wait, "in futex");
    ck_assert_int_eq(rows.rows[2].owner, 12);
    thread_rows_fini(&rows);
}
END_TEST

START_TEST(ended_threads_stay_while_the_window_has_them)
{
    struct thread_rows rows;
    query.window = WINDOW_30S;
    query.sort = SORT_TID;
    ck_assert_int_eq(rows_threads(&last->moment, &query, &rows, &err), RC_OK);
    ck_assert_uint_eq(rows.count, 4);
    ck_assert_int_eq(rows.rows[2].tid, 13);
    ck_assert(rows.rows[2].ended && rows.rows[2].state == '?');
    ck_assert(!rows.rows[0].ended);
    ck_assert_str_eq(rows.rows[0].wait, "in accept4");
    thread_rows_fini(&rows);
    query.window = WINDOW_1S;
    ck_assert_int_eq(rows_threads(&last->moment, &query, &rows, &err), RC_OK);
    ck_assert_uint_eq(rows.count, 3);
    thread_rows_fini(&rows);
}
END_TEST

// In three seconds the thread ran for 200, 400 and 600 ms. A run may be shorter than the window,
// and a range may end before the newest second.
START_TEST(cpu_time_is_that_of_the_seconds_shown)
{
    const struct {
        struct rows_span span;
        uint64_t samples;
        double percent;
    } looks[] = {{{5, 0}, 120, 40}, {{1, 0}, 60, 60}, {{1, 1}, 40, 40}, {{5, 1}, 60, 30}};
    struct plain_profile *profile = plain_new();
    struct slices *slices = slices_new(100);
    struct thread_rows rows;
    live_add_types(profile);
    uint32_t function =
        plain_add_function(profile, (struct plain_function){.name = plain_text(profile, "f")});
    uint32_t location = plain_add_location(profile, PLAIN_NONE, 16,
                                           &(struct plain_line){.function = function}, 1);
    uint32_t set = plain_with_number(profile, plain_with_text(profile, 0, "thread", "spin"), "tid",
                                     21);
    uint32_t sample = plain_sample(profile, plain_stack(profile, &location, 1), set);
    live_add(profile, sample, STATE_CPU, false, 120, 1200 * NS_PER_MS);
    slices_advance(slices, 0);
    for (uint64_t second = 1; second <= 3; second++) {
        ck_assert(slices_add(slices, sample, 20 * second, 200 * second * NS_PER_MS));
        slices_advance(slices, (int64_t)(second * NS_PER_S));
    }
    struct moment moment = moment_of(profile, slices);
    for (size_t i = 0; i < ARRAY_LENGTH(looks); i++) {
        query.span = looks[i].span;
        ck_assert_int_eq(rows_threads(&moment, &query, &rows, &err), RC_OK);
        ck_assert_uint_eq(rows.count, 1);
        check_thread(&rows.rows[0], 21, "spin", '?', looks[i].samples, looks[i].percent, 0, "f");
        thread_rows_fini(&rows);
    }
    moment_fini(&moment);
}
END_TEST

START_TEST(threads_are_filtered_and_sorted)
{
    struct thread_rows rows;
    query.window = WINDOW_5S;
    query.filter.tid = 12;
    ck_assert_int_eq(rows_threads(&first->moment, &query, &rows, &err), RC_OK);
    ck_assert_uint_eq(rows.count, 1);
    ck_assert_int_eq(rows.rows[0].tid, 12);
    thread_rows_fini(&rows);
    query.filter = (struct filter){0};
    query.sort = SORT_FUNCTION;
    ck_assert_int_eq(rows_threads(&first->moment, &query, &rows, &err), RC_OK);
    ck_assert_int_eq(rows.rows[0].tid, 14);
    thread_rows_fini(&rows);
}
END_TEST

START_TEST(a_stack_of_a_thread)
{
    struct stack_rows rows;
    rows_stack(&first->moment, &(struct rows_query){.window = WINDOW_5S}, 12, &rows);
    ck_assert_uint_eq(rows.count, 4);
    ck_assert_str_eq(rows.rows[0].function->name, "deflate");
    ck_assert(rows.rows[0].inlined);
    ck_assert_str_eq(rows.rows[3].function->name, "start");
    stack_rows_fini(&rows);
    rows_stack(&first->moment, &(struct rows_query){0}, 14, &rows);
    ck_assert_uint_eq(rows.count, 0);
    stack_rows_fini(&rows);
}
END_TEST

START_TEST(rows_become_a_profile)
{
    struct plain_profile *profile;
    query.filter.terms = "work";
    query.window = WINDOW_1S;
    ck_assert_int_eq(rows_extract(&first->moment, &query, &profile, &err), RC_OK);
    ck_assert_uint_eq(profile->samples.count, 2);
    ck_assert_uint_eq(profile->type_count, 2);
    ck_assert_str_eq(plain_string(profile, profile->types[1].type), "cpu");
    int64_t samples = 0;
    for (uint32_t i = 0; i < 2; i++)
        samples += plain_values(profile, i)[0];
    ck_assert_int_eq(samples, 4 + 5);
    struct moment moment = moment_of(profile, NULL);
    struct thread_rows rows;
    ck_assert_int_eq(rows_threads(&moment, &(struct rows_query){.window = WINDOW_ALL}, &rows, &err),
                     RC_OK);
    ck_assert_uint_eq(rows.count, 2);
    thread_rows_fini(&rows);
    moment_fini(&moment);
}
END_TEST

Suite *suite_rows(void);

Suite *suite_rows(void)
{
    TCase *tests = tcase_create("rows");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, functions_have_self_and_total);
    tcase_add_test(tests, a_recursive_function_counts_once);
    tcase_add_test(tests, inlined_functions_and_lines_are_told);
    tcase_add_test(tests, windows_hold_the_last_seconds);
    tcase_add_test(tests, orders_are_determinate);
    tcase_add_test(tests, terms_choose_stacks);
    tcase_add_test(tests, wrong_terms_are_told);
    tcase_add_test(tests, threads_and_modules_choose_stacks);
    tcase_add_test(tests, a_tree_goes_from_the_roots);
    tcase_add_test(tests, an_inverted_tree_goes_from_the_leaves);
    tcase_add_test(tests, a_tree_may_begin_with_threads);
    tcase_add_test(tests, nodes_keep_their_identity);
    tcase_add_test(tests, flame_cells_are_as_wide_as_their_share);
    tcase_add_test(tests, a_zoomed_cell_has_all_the_room);
    tcase_add_test(tests, callers_and_callees);
    tcase_add_test(tests, recursion_roots_and_leaves_have_no_calls);
    tcase_add_test(tests, threads_are_those_that_live);
    tcase_add_test(tests, ended_threads_stay_while_the_window_has_them);
    tcase_add_test(tests, cpu_time_is_that_of_the_seconds_shown);
    tcase_add_test(tests, threads_are_filtered_and_sorted);
    tcase_add_test(tests, a_stack_of_a_thread);
    tcase_add_test(tests, rows_become_a_profile);
    Suite *suite = suite_create("rows");
    suite_add_tcase(suite, tests);
    return suite;
}
