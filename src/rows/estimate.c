// SPDX-License-Identifier: MIT
#include "rows/estimate.h"

#include <math.h>

#include "base/probability.h"

#define RARE 0.1        // a share below which counts are as good as Poisson's
#define FEW 30          // samples
#define MANY 1e6        // samples, of which the exact test would take long and say the same
#define NO_CHANGE 1e-12 // a difference of shares that only rounding makes

static double square(double value)
{
    return value * value;
}

static struct estimate_file sum_of(const struct estimate_file *files, size_t count)
{
    struct estimate_file sum = {0};
    for (size_t i = 0; i < count; i++) {
        sum.part += files[i].part;
        sum.part_squares += files[i].part_squares;
        sum.whole += files[i].whole;
        sum.whole_squares += files[i].whole_squares;
    }
    return sum;
}

static double between_files(const struct estimate_file *files, size_t count, double value,
                            double whole)
{
    double squares = 0;
    for (size_t i = 0; i < count; i++)
        squares += square(files[i].part - value * files[i].whole);
    return count > 1 ? squares * (double)count / (double)(count - 1) / square(whole) : 0;
}

static struct estimate estimate(const struct estimate_file *files, size_t count, bool inside)
{
    struct estimate_file sum = sum_of(files, count);
    struct estimate made = {.files = count};
    if (!(sum.whole > 0))
        return made;
    double p = sum.part / sum.whole, q = inside ? p : 0;
    made.value = p;
    made.sampling = (square(1 - q) * sum.part_squares +
                     square(q) * fmax(0, sum.whole_squares - sum.part_squares)) /
                    square(sum.whole);
    made.between = between_files(files, count, p, sum.whole);
    if (sum.whole_squares > 0) {
        made.size = square(sum.whole) / sum.whole_squares;
        made.squares = sum.part_squares / sum.whole_squares * made.size;
    }
    return made;
}

struct estimate estimate_share(const struct estimate_file *files, size_t count)
{
    return estimate(files, count, true);
}

struct estimate estimate_rate(const struct estimate_file *files, size_t count)
{
    return estimate(files, count, false);
}

// --- by sampling ---

// Rates are of wholes that no samples stand for.
static bool is_share(const struct estimate *old, const struct estimate *new)
{
    return old->size > 0 && new->size > 0;
}

// Returns what a sample of a part weighs in effect, of both sides together and measured by the
// weight of all samples in effect. One side alone has too few samples of most parts to tell.
static double weight_of(const struct estimate *old, const struct estimate *new)
{
    double all = old->size + new->size, squares = old->squares + new->squares;
    double part = old->value * old->size + new->value * new->size, share = part / all;
    double own = part > 0 ? squares / part : 1;
    double others = part < all ? (all - squares) / (all - part) : 1;
    return (1 - share) * own + share * others;
}

// One term of the likelihood ratio.
static double term(double seen, double expected)
{
    return seen > 0 ? seen * log(seen / expected) : 0;
}

// The ratio of a table {old, new} of samples of a part, out of `all`. The parts are taken half a
// sample nearer to what is expected, because counts come in steps of one.
static double by_likelihood(const double part[2], const double all[2])
{
    double share = (part[0] + part[1]) / (all[0] + all[1]), off = part[1] - share * all[1];
    double step = copysign(fmin(0.5, fabs(off)), off), ratio = 0;
    for (int i = 0; i < 2; i++) {
        double seen = part[i] + (i ? -step : step);
        ratio += term(seen, share * all[i]) + term(all[i] - seen, (1 - share) * all[i]);
    }
    return probability_student(sqrt(fmax(0, 2 * ratio)), INFINITY);
}

static double by_sampling(const struct estimate *old, const struct estimate *new, double *samples)
{
    double weight = weight_of(old, new);
    double all[2] = {old->size / weight, new->size / weight};
    double part[2] = {all[0] * old->value, all[1] * new->value};
    *samples = part[0] + part[1];
    if (old->value < 0 || new->value < 0) // these are differences already
        return NAN;
    if (*samples > (all[0] + all[1]) / 2) // the rest is the rarer part
        for (int i = 0; i < 2; i++)
            part[i] = all[i] - part[i];
    double count = part[0] + part[1], share = count / (all[0] + all[1]);
    if (count > FEW && (share > RARE || count > MANY))
        return by_likelihood(part, all);
    return probability_count(part[1], count, all[1] / (all[0] + all[1]));
}

// --- between files ---

struct spread {
    double variance, freedom; // of the difference
};

static struct spread spread_of(const struct estimate *old, const struct estimate *new)
{
    const struct estimate *more = old->files > new->files ? old : new;
    if (old->files == 1 || new->files == 1)
        return (struct spread){more->between * (double)(1 + more->files),
                               (double)(more->files - 1)};
    double variance = old->between + new->between;
    double parts = square(old->between) / (double)(old->files - 1) +
                   square(new->between) / (double)(new->files - 1);
    return (struct spread){variance, parts > 0 ? square(variance) / parts
                                               : (double)(old->files + new->files - 2)};
}

static double by_files(double change, struct spread spread)
{
    if (!(spread.variance > 0))
        return 0; // all files of a side are alike, and unlike those of the other
    return probability_student(change / sqrt(spread.variance), spread.freedom);
}

struct comparison estimate_compare(const struct estimate *old, const struct estimate *new,
                                   bool sampled)
{
    bool series = old->files > 1 || new->files > 1;
    struct comparison made = {new->value - old->value, NAN, NAN, NAN};
    struct spread spread = series ? spread_of(old, new) : (struct spread){0};
    if (!sampled && !series)
        return made;
    made.error = sqrt(fmax(spread.variance, sampled ? old->sampling + new->sampling : 0));
    if (fabs(made.change) < NO_CHANGE) {
        made.probability = 1;
        return made;
    }
    if (sampled)
        made.probability = is_share(old, new)
                               ? by_sampling(old, new, &made.samples)
                               : probability_student(made.change / made.error, INFINITY);
    if (series)
        made.probability = fmax(made.probability, by_files(made.change, spread));
    return made;
}
