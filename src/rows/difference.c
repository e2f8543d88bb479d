// SPDX-License-Identifier: MIT
#include "rows/difference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

#define SAMPLES_LEAST 5 // of 5 even all on one side happen by chance once in 16 times
#define SHARE_LEAST 0.001
#define ERRORS 2        // of the rate, beyond which the amount changed too

const char *const difference_verdict_names[] = {
    [DIFFERENCE_GREW] = "grew",           [DIFFERENCE_SHRANK] = "shrank",
    [DIFFERENCE_NEW] = "new",             [DIFFERENCE_GONE] = "gone",
    [DIFFERENCE_SHARE] = "share only",    [DIFFERENCE_NOISE] = "within noise",
    [DIFFERENCE_UNTESTED] = "not tested",
};

enum which { OLD, NEW, SIDES };

struct counted_side {
    const struct difference_side *side;
    struct tallied *tallies;        // [file]
    double *durations;            // [file]: seconds, or 1 where they are not known of all
    struct estimate_file *shares, *rates; // [file]: of the row that is being made
};

struct comparing {
    struct difference *difference;
    const struct difference_query *query;
    struct counted_side sides[SIDES];
};

// --- sums of each side ---

static bool has_durations(const struct difference_side *side)
{
    for (size_t i = 0; i < side->count; i++)
        if (side->files[i].whole->duration <= 0)
            return false;
    return true;
}

static void count_side(struct comparing *comparing, struct counted_side *counted, bool timed)
{
    size_t count = counted->side->count;
    counted->tallies = xcalloc(count, sizeof *counted->tallies);
    counted->durations = xcalloc(count, sizeof *counted->durations);
    counted->shares = xcalloc(count, sizeof *counted->shares);
    counted->rates = xcalloc(count, sizeof *counted->rates);
    for (size_t i = 0; i < count; i++) {
        const struct tally_source *file = &counted->side->files[i];
        tally_init(&counted->tallies[i], &comparing->difference->keys, file);
        counted->durations[i] = timed ? (double)file->whole->duration / (double)NS_PER_S : 1;
    }
}

static void free_side(struct counted_side *counted)
{
    for (size_t i = 0; i < counted->side->count; i++)
        tally_fini(&counted->tallies[i]);
    free(counted->tallies);
    free(counted->durations);
    free(counted->shares);
    free(counted->rates);
}

static int64_t sum(int64_t a, int64_t b)
{
    int64_t both;
    if (__builtin_add_overflow(a, b, &both))
        return a < 0 ? INT64_MIN : INT64_MAX;
    return both;
}

static struct difference_total total_of(struct counted_side *counted, bool timed)
{
    struct difference_total total = {.files = counted->side->count};
    double squares = 0;
    for (size_t i = 0; i < total.files; i++) {
        const struct tally_sums *all = &counted->tallies[i].all;
        total.value = sum(total.value, all->value);
        total.samples = sum(total.samples, all->samples);
        total.seconds += timed ? counted->durations[i] : 0;
        squares += all->squares;
        counted->rates[i] = (struct estimate_file){
            .part = (double)all->value, .part_squares = all->squares,
            .whole = counted->durations[i]};
    }
    if (squares > 0)
        total.size = (double)total.value * (double)total.value / squares;
    total.amount = (double)total.value / (double)total.files;
    return total;
}

// --- one row ---

static struct tally_sums sums_of(const struct comparing *comparing, const struct tallied *tally,
                                 uint32_t key)
{
    if (key >= tally->count)
        return (struct tally_sums){0};
    return comparing->query->total ? tally->rows[key].total : tally->rows[key].self;
}

static struct difference_value take_side(struct comparing *comparing, enum which side,
                                         uint32_t key)
{
    struct counted_side *counted = &comparing->sides[side];
    struct difference_value value = {0};
    for (size_t i = 0; i < counted->side->count; i++) {
        const struct tallied *tally = &counted->tallies[i];
        struct tally_sums sums = sums_of(comparing, tally, key);
        value.value = sum(value.value, sums.value);
        value.samples = sum(value.samples, sums.samples);
        counted->shares[i] = (struct estimate_file){(double)sums.value, sums.squares,
                                                    (double)tally->all.value, tally->all.squares};
        counted->rates[i] = (struct estimate_file){
            .part = (double)sums.value, .part_squares = sums.squares,
            .whole = counted->durations[i]};
    }
    value.amount = (double)value.value / (double)counted->side->count;
    return value;
}

static void compare_sides(struct comparing *comparing, struct difference_row *row)
{
    struct estimate shares[SIDES], rates[SIDES];
    for (enum which side = OLD; side < SIDES; side++) {
        const struct counted_side *counted = &comparing->sides[side];
        shares[side] = estimate_share(counted->shares, counted->side->count);
        rates[side] = estimate_rate(counted->rates, counted->side->count);
    }
    row->old.share = shares[OLD].value;
    row->new.share = shares[NEW].value;
    bool sampled = comparing->difference->sampled && (row->old.samples || row->new.samples);
    row->shares = estimate_compare(&shares[OLD], &shares[NEW], sampled);
    row->rates = estimate_compare(&rates[OLD], &rates[NEW], sampled);
}

static void add_row(struct comparing *comparing, uint32_t key)
{
    struct difference *difference = comparing->difference;
    const struct tally_keys *keys = &difference->keys;
    struct difference_row row = {
        .name = strtab_get(&keys->texts, key),
        .module = key < keys->count ? strtab_get(&keys->texts, keys->modules[key]) : "",
        .old = take_side(comparing, OLD, key),
        .new = take_side(comparing, NEW, key),
    };
    if (!row.old.value && !row.new.value && !row.old.samples && !row.new.samples)
        return;
    compare_sides(comparing, &row);
    difference->rows[difference->count++] = row;
}

// --- verdicts ---

static bool is_testable(const struct difference *difference, const struct difference_row *row)
{
    return difference->old.value && difference->new.value && !isnan(row->shares.probability);
}

// The share of both sides together, each side counting as much as it tells. If nothing differs, it
// says nothing of the difference: what is small can be left out by it, and the tests stay true.
static double share_of_both(const struct difference *difference, const struct difference_row *row)
{
    bool sampled = difference->sampled;
    double old = sampled ? difference->old.size : (double)difference->old.files;
    double new = sampled ? difference->new.size : (double)difference->new.files;
    return (row->old.share * old + row->new.share * new) / (old + new);
}

// What both sides consist of entirely, as of main, could not differ.
static bool is_tested(const struct difference *difference, const struct difference_row *row)
{
    return is_testable(difference, row) && !(row->shares.samples < SAMPLES_LEAST) &&
           share_of_both(difference, row) >= SHARE_LEAST &&
           (row->shares.error > 0 || row->shares.probability < 1);
}

static int ascending(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

// Returns the largest probability that is beyond noise, below 0 if none is (Benjamini, Hochberg).
static double bound_of(struct difference *difference, double false_alarms)
{
    AUTO_FREE double *sorted = xcalloc(difference->count + 1, sizeof *sorted);
    size_t count = 0;
    for (size_t i = 0; i < difference->count; i++)
        if (is_tested(difference, &difference->rows[i]))
            sorted[count++] = difference->rows[i].shares.probability;
    qsort(sorted, count, sizeof *sorted, ascending);
    difference->tested = count;
    for (size_t i = count; i-- > 0;)
        if (sorted[i] <= false_alarms * (double)(i + 1) / (double)count)
            return sorted[i];
    return -1;
}

static enum difference_verdict verdict_of_change(const struct difference_row *row)
{
    bool grew = row->shares.change > 0;
    if (!row->old.value || !row->new.value)
        return row->old.value ? DIFFERENCE_GONE : DIFFERENCE_NEW;
    if ((grew ? row->rates.change : -row->rates.change) <= ERRORS * row->rates.error)
        return DIFFERENCE_SHARE;
    return grew ? DIFFERENCE_GREW : DIFFERENCE_SHRANK;
}

static void judge(struct difference *difference, double false_alarms)
{
    double bound = bound_of(difference, false_alarms);
    for (size_t i = 0; i < difference->count; i++) {
        struct difference_row *row = &difference->rows[i];
        row->verdict = !is_testable(difference, row) ? DIFFERENCE_UNTESTED
                       : !is_tested(difference, row) || row->shares.probability > bound
                           ? DIFFERENCE_NOISE
                           : verdict_of_change(row);
        difference->verdicts[row->verdict]++;
    }
}

// What changed by itself comes before what only has another share, and that before noise.
static int rank_of(const struct difference_row *row)
{
    return row->verdict < DIFFERENCE_SHARE ? 0 : row->verdict - DIFFERENCE_SHARE + 1;
}

static int compare_rows(const void *left, const void *right)
{
    const struct difference_row *a = left, *b = right;
    double by_share = fabs(b->shares.change) - fabs(a->shares.change);
    double by_rate = fabs(b->rates.change) - fabs(a->rates.change);
    const int orders[] = {
        rank_of(a) - rank_of(b),
        (by_share > 0) - (by_share < 0),
        (by_rate > 0) - (by_rate < 0),
        strcmp(a->name, b->name),
    };
    for (size_t i = 0; i < ARRAY_LENGTH(orders); i++)
        if (orders[i])
            return orders[i];
    return 0;
}

// --- all of it ---

bool difference_is_tested(const struct difference *difference)
{
    return (difference->sampled || difference->series) && difference->old.value &&
           difference->new.value;
}

static bool is_sampled(const struct difference_side *side)
{
    size_t samples;
    for (size_t i = 0; i < side->count; i++)
        if (!tally_samples(&side->files[i], &samples))
            return false;
    return true;
}

static void compare_totals(struct comparing *comparing, bool timed)
{
    struct difference *difference = comparing->difference;
    difference->old = total_of(&comparing->sides[OLD], timed);
    difference->new = total_of(&comparing->sides[NEW], timed);
    struct estimate old = estimate_rate(comparing->sides[OLD].rates, difference->old.files);
    struct estimate new = estimate_rate(comparing->sides[NEW].rates, difference->new.files);
    difference->all = estimate_compare(&old, &new, difference->sampled);
}

void difference_init(struct difference *difference, const struct difference_side *old,
                     const struct difference_side *new, const struct difference_query *query)
{
    struct comparing comparing = {difference, query, {{.side = old}, {.side = new}}};
    bool timed = has_durations(old) && has_durations(new);
    *difference = (struct difference){
        .sampled = is_sampled(old) && is_sampled(new),
        .series = old->count > 1 || new->count > 1,
    };
    tally_keys_init(&difference->keys, query->by, query->label);
    for (enum which side = OLD; side < SIDES; side++)
        count_side(&comparing, &comparing.sides[side], timed);
    compare_totals(&comparing, timed);
    size_t keys = difference->keys.texts.count;
    difference->rows = xcalloc(keys, sizeof *difference->rows);
    for (uint32_t key = 0; key < keys; key++)
        add_row(&comparing, key);
    judge(difference, query->false_alarms);
    qsort(difference->rows, difference->count, sizeof *difference->rows, compare_rows);
    for (enum which side = OLD; side < SIDES; side++)
        free_side(&comparing.sides[side]);
}

void difference_fini(struct difference *difference)
{
    free(difference->rows);
    tally_keys_fini(&difference->keys);
    *difference = (struct difference){0};
}

bool difference_grew_over(const struct difference_row *row, double limit)
{
    return (row->verdict == DIFFERENCE_GREW || row->verdict == DIFFERENCE_NEW) &&
           row->shares.change > limit;
}
