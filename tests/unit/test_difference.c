// SPDX-License-Identifier: MIT
// Differences of two sides: of profiles made by hand, and of many drawn from a truth that is known.
#include "rows/difference.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/probability.h"
#include "base/random.h"
#include "fixture_plain.h"

#define FILES_MOST 10

static struct side {
    struct plain_profile *profiles[FILES_MOST];
    struct tally_source files[FILES_MOST];
    size_t count;
} old, new;
static struct difference difference;
static struct difference_query query;
static uint64_t state;

static void clear_side(struct side *side)
{
    for (size_t i = 0; i < side->count; i++)
        plain_free(side->profiles[i]);
    *side = (struct side){0};
}

static void clear(void)
{
    difference_fini(&difference);
    clear_side(&old);
    clear_side(&new);
}

static void set_up(void)
{
    query = (struct difference_query){.false_alarms = 0.05};
    state = 20261129;
    difference = (struct difference){0};
}

static struct plain_profile *add_file(struct side *side, struct plain_profile *profile)
{
    side->profiles[side->count++] = profile;
    return profile;
}

static struct difference_side taken(struct side *side)
{
    for (size_t i = 0; i < side->count; i++) {
        struct plain_profile *profile = side->profiles[i];
        side->files[i] = (struct tally_source){profile, profile, profile->type_count - 1};
    }
    return (struct difference_side){side->files, side->count};
}

static void compare(void)
{
    struct difference_side before = taken(&old), after = taken(&new);
    difference_fini(&difference);
    difference_init(&difference, &before, &after, &query);
}

static const struct difference_row *row_of(const char *name)
{
    for (size_t i = 0; i < difference.count; i++)
        if (strcmp(difference.rows[i].name, name) == 0)
            return &difference.rows[i];
    ck_abort_msg("no row of %s", name);
}

static enum difference_verdict verdict_of(const char *name)
{
    return row_of(name)->verdict;
}

// --- by hand ---

// main calls the function, which has so many samples of 10 ms, in a thread.
static void add_in(struct plain_profile *profile, const char *name, const char *thread,
                   int64_t samples)
{
    uint32_t root = fixture_location(profile, PLAIN_NONE, 1, "main");
    uint32_t leaf = fixture_location(profile, PLAIN_NONE, 2, name);
    fixture_sample(profile, plain_stack(profile, (const uint32_t[]){leaf, root}, 2),
                   plain_with_text(profile, 0, "thread", thread), samples,
                   samples * 10 * NS_PER_MS);
}

static void add(struct plain_profile *profile, const char *name, int64_t samples)
{
    add_in(profile, name, "a", samples);
}

START_TEST(amounts_and_shares)
{
    struct plain_profile *before = add_file(&old, fixture_plain());
    struct plain_profile *after = add_file(&new, fixture_plain());
    add(before, "f", 30), add(before, "g", 70);
    add(after, "f", 100), add(after, "h", 100);
    compare();
    ck_assert_uint_eq(difference.count, 3); // main has no self time
    ck_assert_int_eq(difference.old.value, 1000 * NS_PER_MS);
    ck_assert_int_eq(difference.new.value, 2000 * NS_PER_MS);
    const struct difference_row *f = row_of("f");
    ck_assert_int_eq(f->old.value, 300 * NS_PER_MS);
    ck_assert_int_eq(f->new.value, 1000 * NS_PER_MS);
    ck_assert_int_eq(f->new.samples, 100);
    ck_assert_double_eq_tol(f->shares.change, 0.2, 1e-12);
    ck_assert_double_eq_tol(f->shares.error, sqrt(0.3 * 0.7 / 100 + 0.5 * 0.5 / 200), 1e-12);
    ck_assert_int_eq(f->verdict, DIFFERENCE_GREW);
    ck_assert_int_eq(verdict_of("g"), DIFFERENCE_GONE);
    ck_assert_int_eq(verdict_of("h"), DIFFERENCE_NEW);
    ck_assert_str_eq(difference.rows[0].name, "g"); // -70 %
    ck_assert(difference_grew_over(f, 0.1) && !difference_grew_over(f, 0.3));
    ck_assert(!difference_grew_over(row_of("g"), 0));
    clear();
}
END_TEST

START_TEST(noise_does_not_fail_a_limit)
{
    struct plain_profile *before = add_file(&old, fixture_plain());
    struct plain_profile *after = add_file(&new, fixture_plain());
    add(before, "f", 5), add(before, "g", 95);
    add(after, "f", 10), add(after, "g", 90);
    compare();
    ck_assert_int_eq(verdict_of("f"), DIFFERENCE_NOISE);
    ck_assert(!difference_grew_over(row_of("f"), 0.01));
    clear();
}
END_TEST

START_TEST(what_is_small_is_not_tested)
{
    struct plain_profile *before = add_file(&old, fixture_plain());
    struct plain_profile *after = add_file(&new, fixture_plain());
    add(before, "f", 10000), add(before, "g", 10000);
    add(after, "f", 10000), add(after, "g", 10000), add(after, "small", 30), add(after, "h", 60);
    compare();
    ck_assert_int_eq(verdict_of("h"), DIFFERENCE_NEW);
    ck_assert_int_eq(verdict_of("small"), DIFFERENCE_NOISE);
    ck_assert_double_le(row_of("small")->shares.probability, 1e-6);
    ck_assert_uint_eq(difference.tested, 3);
    clear();
}
END_TEST

// Five samples against 15 of as many, however much they weigh beside others.
START_TEST(heavy_samples_are_few)
{
    struct estimate_file files[2] = {{5 * 100, 5 * 100 * 100, 1e5, 5 * 100 * 100 + 99500},
                                     {15 * 100, 15 * 100 * 100, 1e5, 15 * 100 * 100 + 98500}};
    struct estimate before = estimate_share(&files[0], 1), after = estimate_share(&files[1], 1);
    struct comparison found = estimate_compare(&before, &after, true);
    double truth = probability_count(15, 20, 0.5);
    ck_assert_double_eq_tol(found.samples / 20, 1, 0.1);
    ck_assert_double_ge(found.probability, truth / 2);
    ck_assert_double_le(found.probability, truth * 2);
}
END_TEST

START_TEST(totals_count_a_function_once_a_stack)
{
    struct plain_profile *before = add_file(&old, fixture_plain());
    add_file(&new, fixture_plain());
    query.total = true;
    uint32_t main = fixture_location(before, PLAIN_NONE, 1, "main");
    uint32_t f = fixture_location(before, PLAIN_NONE, 2, "f");
    fixture_sample(before, plain_stack(before, (const uint32_t[]){f, f, main}, 3), 0, 3, 30);
    compare();
    ck_assert_int_eq(row_of("f")->old.value, 30);
    ck_assert_int_eq(row_of("main")->old.samples, 3);
    ck_assert(!difference_is_tested(&difference)); // a side is empty
    ck_assert_int_eq(verdict_of("f"), DIFFERENCE_UNTESTED);
    clear();
}
END_TEST

START_TEST(threads_are_compared_too)
{
    struct plain_profile *before = add_file(&old, fixture_plain());
    struct plain_profile *after = add_file(&new, fixture_plain());
    query.by = TALLY_LABEL;
    query.label = "thread";
    add_in(before, "f", "a", 50), add_in(before, "g", "a", 50), add_in(before, "g", "b", 100);
    add_in(after, "f", "a", 100), add_in(after, "f", "b", 10);
    compare();
    ck_assert_uint_eq(difference.count, 2);
    ck_assert_int_eq(row_of("a")->old.samples, 100);
    ck_assert_int_eq(verdict_of("b"), DIFFERENCE_SHRANK);
    clear();
}
END_TEST

START_TEST(odd_values_do_no_harm)
{
    static const int64_t values[][2] = {{INT64_MAX, INT64_MAX}, {INT64_MIN, INT64_MIN}, {1, -7},
                                        {-3, 5}, {0, 9}, {4, 0}, {INT64_MAX, 1}, {1, INT64_MAX}};
    for (int side = 0; side < 2; side++) {
        struct plain_profile *profile = add_file(side ? &new : &old, fixture_plain());
        for (size_t i = 0; i < ARRAY_LENGTH(values); i++) {
            uint32_t at = fixture_location(profile, PLAIN_NONE, i, (char[]){(char)('a' + i), 0});
            const int64_t *value = values[side ? i : ARRAY_LENGTH(values) - 1 - i];
            fixture_sample(profile, plain_child(profile, 0, at), 0, value[0], value[1]);
        }
    }
    compare();
    ck_assert_uint_eq(difference.count, ARRAY_LENGTH(values));
    for (size_t i = 0; i < difference.count; i++) {
        const struct difference_row *row = &difference.rows[i];
        ck_assert(isnan(row->shares.probability) ||
                  (row->shares.probability >= 0 && row->shares.probability <= 1));
        ck_assert(row->old.value >= 0 || row->verdict >= DIFFERENCE_NOISE);
    }
    clear();
}
END_TEST

// Of what has no number of samples beside it, one file tells no error; several do.
START_TEST(a_census_has_no_error)
{
    for (int i = 0; i < 3; i++)
        for (int side = 0; side < 2; side++) {
            struct plain_profile *profile = add_file(side ? &new : &old, plain_new());
            plain_add_type(profile, "goroutine", "count");
            for (int function = 0; function < 2; function++) {
                uint32_t at = fixture_location(profile, PLAIN_NONE, 1, function ? "f" : "g");
                plain_add(profile, plain_sample(profile, plain_child(profile, 0, at), 0),
                          (const int64_t[]){100 + i + (side && function ? 50 : 0)});
            }
            if (i == 0 && side) {
                compare();
                ck_assert(!difference_is_tested(&difference));
                ck_assert(isnan(row_of("f")->shares.error));
                ck_assert_int_eq(verdict_of("f"), DIFFERENCE_UNTESTED);
            }
        }
    compare();
    ck_assert(difference_is_tested(&difference));
    ck_assert_int_eq(verdict_of("f"), DIFFERENCE_GREW);
    ck_assert_int_eq(verdict_of("g"), DIFFERENCE_SHARE); // there are as many of them as before
    clear();
}
END_TEST

// --- by chance ---

#define FUNCTIONS 60
#define THREADS 4

static double truth[FUNCTIONS]; // probability that a sample is in the function

// Zipf's law: few functions have much, many little.
static void reset_truth(void)
{
    double sum = 0;
    for (int i = 0; i < FUNCTIONS; i++)
        sum += truth[i] = 1.0 / (i + 1);
    for (int i = 0; i < FUNCTIONS; i++)
        truth[i] /= sum;
}

static int pick(void)
{
    double at = random_share(&state);
    int function = 0;
    while (function < FUNCTIONS - 1 && at > truth[function])
        at -= truth[function++];
    return function;
}

static double normal(void)
{
    return sqrt(-2 * log(random_share(&state))) * cos(2 * M_PI * random_share(&state));
}

// Samples of four threads, which weigh 1 to 8; those of each function are in any of them. They come
// without memory, so their number is Poisson's.
static void draw(struct side *side, double mean)
{
    struct plain_profile *profile = add_file(side, fixture_plain());
    uint32_t stacks[FUNCTIONS], sets[THREADS];
    for (int i = 0; i < FUNCTIONS; i++) {
        char name[8];
        snprintf(name, sizeof name, "f%d", i);
        stacks[i] = plain_child(profile, 0, fixture_location(profile, PLAIN_NONE, 1, name));
    }
    for (int i = 0; i < THREADS; i++)
        sets[i] = plain_with_number(profile, 0, "tid", i + 1);
    profile->duration = (int64_t)(mean * 10) * NS_PER_MS;
    for (double at = -log(random_share(&state)); at < mean; at -= log(random_share(&state))) {
        int thread = (int)(random_next(&state) % THREADS);
        fixture_sample(profile, stacks[pick()], sets[thread], 1, 10 * NS_PER_MS << thread);
    }
}

// Each run of the program is another one: each function has by some 20 % more or less.
static void draw_run(struct side *side, double mean)
{
    double before[FUNCTIONS], sum = 0;
    memcpy(before, truth, sizeof truth);
    for (int i = 0; i < FUNCTIONS; i++)
        sum += truth[i] *= exp(0.2 * normal());
    for (int i = 0; i < FUNCTIONS; i++)
        truth[i] /= sum;
    draw(side, mean);
    memcpy(truth, before, sizeof truth);
}

static size_t changed(void)
{
    return difference.count - difference.verdicts[DIFFERENCE_NOISE];
}

struct design {
    void (*draw)(struct side *side, double mean);
    size_t files[2];
    double samples[2]; // of a file
};

static void draw_sides(const struct design *design)
{
    for (size_t i = 0; i < design->files[0]; i++)
        design->draw(&old, design->samples[0]);
    for (size_t i = 0; i < design->files[1]; i++)
        design->draw(&new, design->samples[1]);
    compare();
}

// In how many of so many comparisons of two sides that are the same in truth anything is said to
// have changed.
static double false_alarms(const struct design *design, int times)
{
    int alarms = 0;
    reset_truth();
    for (int i = 0; i < times; i++) {
        draw_sides(design);
        alarms += changed() > 0;
        clear();
    }
    return (double)alarms / times;
}

#define TIMES 400
#define RATE_MOST (0.05 + 3 * sqrt(0.05 * 0.95 / TIMES)) // three standard errors of 400 looks

START_TEST(the_same_truth_gives_few_alarms)
{
    static const struct design designs[] = {
        {draw, {1, 1}, {1000, 1000}}, {draw, {1, 1}, {3000, 300}}, {draw, {1, 1}, {200, 2000}},
        {draw, {1, 1}, {30, 30}},     {draw, {3, 3}, {500, 500}},  {draw, {1, 4}, {500, 500}},
        {draw_run, {3, 3}, {1000, 1000}}, {draw_run, {5, 2}, {1000, 1000}},
        {draw_run, {1, 5}, {1000, 1000}},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(designs); i++) {
        double rate = false_alarms(&designs[i], TIMES);
        ck_assert_msg(rate <= RATE_MOST, "design %zu: %.3f of comparisons with an alarm", i, rate);
    }
}
END_TEST

// What the test above would not see if nothing were ever found.
START_TEST(what_differs_between_runs_is_noise_only_if_runs_are_shown)
{
    ck_assert_double_ge(false_alarms(&(struct design){draw_run, {1, 1}, {4000, 4000}}, 50), 0.5);
}
END_TEST

static void multiply_truth(int function, double factor)
{
    double sum = 1 + truth[function] * (factor - 1);
    truth[function] *= factor;
    for (int i = 0; i < FUNCTIONS; i++)
        truth[i] /= sum;
}

// One function takes twice the time that it took, all others the same. Returns in what share of
// comparisons that is found, and checks that nothing else is said to have grown in too many.
static double found(const struct design *design, const char *name, int times)
{
    int function = atoi(name + 1), hits = 0, alarms = 0;
    for (int i = 0; i < times; i++) {
        reset_truth();
        for (size_t k = 0; k < design->files[0]; k++)
            design->draw(&old, design->samples[0]);
        double more = 1 + truth[function];
        multiply_truth(function, 2);
        for (size_t k = 0; k < design->files[1]; k++)
            design->draw(&new, design->samples[1] * more);
        compare();
        bool hit = verdict_of(name) == DIFFERENCE_GREW;
        hits += hit;
        alarms += difference.verdicts[DIFFERENCE_GREW] + difference.verdicts[DIFFERENCE_NEW] > hit;
        clear();
    }
    ck_assert_int_le(alarms, (int)(RATE_MOST * times));
    return (double)hits / times;
}

START_TEST(a_change_of_known_size_is_found)
{
    static const struct {
        struct design design;
        const char *name;
        double least;
    } rows[] = {
        {{draw, {1, 1}, {1500, 1500}}, "f1", 0.9},
        {{draw, {1, 1}, {20000, 20000}}, "f30", 0.9},
        {{draw, {3, 3}, {4000, 4000}}, "f1", 0.6},
        {{draw, {1, 5}, {3000, 3000}}, "f1", 0.5},
        {{draw_run, {10, 10}, {3000, 3000}}, "f1", 0.9},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        double share = found(&rows[i].design, rows[i].name, 60);
        ck_assert_msg(share >= rows[i].least, "design %zu: found in %.2f", i, share);
    }
}
END_TEST

START_TEST(errors_are_as_large_as_told)
{
    enum { LOOKS = 400 };
    reset_truth();
    for (int function = 0; function < FUNCTIONS; function += 7) {
        double squares = 0, told = 0;
        char name[8];
        snprintf(name, sizeof name, "f%d", function);
        for (int i = 0; i < LOOKS; i++) {
            draw_sides(&(struct design){draw, {1, 1}, {1500, 700}});
            const struct difference_row *row = row_of(name);
            squares += row->shares.change * row->shares.change;
            told += row->shares.error * row->shares.error;
            clear();
        }
        ck_assert_double_eq_tol(sqrt(told / squares), 1, 0.11); // three errors of 400 looks
    }
}
END_TEST

Suite *suite_difference(void)
{
    Suite *suite = suite_create("difference");
    TCase *tests = tcase_create("difference");
    tcase_add_checked_fixture(tests, set_up, NULL);
    tcase_add_test(tests, amounts_and_shares);
    tcase_add_test(tests, noise_does_not_fail_a_limit);
    tcase_add_test(tests, what_is_small_is_not_tested);
    tcase_add_test(tests, heavy_samples_are_few);
    tcase_add_test(tests, totals_count_a_function_once_a_stack);
    tcase_add_test(tests, threads_are_compared_too);
    tcase_add_test(tests, odd_values_do_no_harm);
    tcase_add_test(tests, a_census_has_no_error);
    tcase_add_test(tests, the_same_truth_gives_few_alarms);
    tcase_add_test(tests, what_differs_between_runs_is_noise_only_if_runs_are_shown);
    tcase_add_test(tests, a_change_of_known_size_is_found);
    tcase_add_test(tests, errors_are_as_large_as_told);
    suite_add_tcase(suite, tests);
    return suite;
}
