// SPDX-License-Identifier: MIT
// What a person can make of a difference, in a few sentences.
#include <math.h>
#include <string.h>

#include "base/escape.h"
#include "commands/diff_text.h"

#define SERIES "ptprof diff OLD... --with NEW..."
#define FAR 3.5     // errors: how far off a change among many functions has to be to be found
#define SHARE 0.1   // of the function that is the example
#define FILES 5     // of each side, from which on their variance is known well enough
#define LARGE 0.005 // a change of all together below which there is nothing to tell of it

static const struct difference_row *grown_most(const struct difference *difference)
{
    const struct difference_row *most = NULL;
    double growth = 0;
    for (size_t i = 0; i < difference->count; i++) {
        const struct difference_row *row = &difference->rows[i];
        if (row->new.amount - row->old.amount > growth) {
            growth = row->new.amount - row->old.amount;
            most = row;
        }
    }
    return most;
}

static void put_untested(struct buf *out, const struct diff_printing *printing)
{
    const struct difference *difference = printing->difference;
    if (!difference->old.value || !difference->new.value) {
        buf_printf(out, "The %s side holds nothing of it: there is nothing to compare.\n",
                   difference->old.value ? "new" : "old");
        return;
    }
    const struct difference_row *row = grown_most(difference);
    if (row) {
        buf_puts(out, "The largest growth is that of ");
        escape_text(out, row->name);
        buf_puts(out, ": ");
        diff_amount(out, printing->unit, row->new.amount - row->old.amount);
        buf_puts(out, ".\n");
    }
    buf_puts(out, "Nothing says how many samples these values stand for, so they carry no error: "
                  "what is\nnoise cannot be told. Several files a side can tell: " SERIES "\n");
}

static void put_nothing(struct buf *out, const struct diff_printing *printing)
{
    const struct difference *difference = printing->difference;
    buf_puts(out, "No ");
    escape_text(out, printing->by);
    buf_puts(out, " has a share that changed beyond noise.");
    if (difference->sampled && !difference->series) {
        double error = sqrt(SHARE * (1 - SHARE) *
                            (1 / difference->old.size + 1 / difference->new.size));
        buf_printf(out, "\nWhat has %.0f%% of the total is found when it changes by %.1f%% of the "
                        "total or more;\nwith four times as many samples, half of that.",
                   SHARE * 100, fmin(FAR * error, 1) * 100);
    } else if (difference->old.files < FILES || difference->new.files < FILES) {
        buf_printf(out, "\nFew files tell apart only what differs much: %d a side or more find "
                        "smaller changes.", FILES);
    }
    buf_putc(out, '\n');
}

// What grew most, or if nothing did, what shrank most: rows are in this order.
static const struct difference_row *foremost(const struct difference *difference)
{
    const struct difference_row *first = NULL;
    for (size_t i = 0; i < difference->count; i++) {
        const struct difference_row *row = &difference->rows[i];
        if (row->verdict >= DIFFERENCE_SHARE)
            break;
        if (!first || (first->shares.change < 0 && row->shares.change > 0))
            first = row;
    }
    return first;
}

static void put_counts(struct buf *out, const struct difference *difference)
{
    static const enum difference_verdict shown[] = {DIFFERENCE_GREW, DIFFERENCE_NEW,
                                                    DIFFERENCE_SHRANK, DIFFERENCE_GONE};
    const char *comma = "";
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
        if (difference->verdicts[shown[i]]) {
            buf_printf(out, "%s%zu %s", comma, difference->verdicts[shown[i]],
                       difference_verdict_names[shown[i]]);
            comma = ", ";
        }
    buf_puts(out, " beyond noise.\n");
}

static void put_foremost(struct buf *out, const struct difference_row *row)
{
    bool grew = row->shares.change > 0;
    buf_printf(out, "%s: ", grew ? "Look first at what grew most" : "Nothing grew. Most shrank");
    escape_text(out, row->name);
    buf_printf(out, ", from %.2f%% to %.2f%% of the total (%+.2f, error %.2f).\n",
               row->old.share * 100, row->new.share * 100, row->shares.change * 100,
               row->shares.error * 100);
}

static void put_share_only(struct buf *out, const struct difference *difference)
{
    size_t count = difference->verdicts[DIFFERENCE_SHARE];
    if (count)
        buf_printf(out, "%zu %s another share only: the total changed, and not the amount.\n",
                   count, count == 1 ? "has" : "have");
}

// All together, which shares do not show.
static void put_all(struct buf *out, const struct diff_printing *printing)
{
    const struct difference *difference = printing->difference;
    bool timed = difference->old.seconds > 0;
    double old = timed ? (double)difference->old.value / difference->old.seconds
                       : difference->old.amount;
    double new = old + difference->all.change;
    if (!(old > 0) || fabs(difference->all.change) <= old * LARGE ||
        fabs(difference->all.change) <= 2 * difference->all.error)
        return;
    const char *each = timed ? " a second" : "";
    buf_puts(out, "All together is another amount: ");
    diff_amount(out, printing->unit, new);
    buf_printf(out, "%s, before ", each);
    diff_amount(out, printing->unit, old);
    buf_printf(out, "%s (%+.1f%%).\n", each, (new / old - 1) * 100);
}

void diff_conclusion(struct buf *out, const struct diff_printing *printing)
{
    const struct difference *difference = printing->difference;
    const struct difference_row *row = foremost(difference);
    if (!difference_is_tested(difference))
        put_untested(out, printing);
    else if (!row)
        put_nothing(out, printing);
    else {
        put_counts(out, difference);
        put_foremost(out, row);
    }
    put_share_only(out, difference);
    put_all(out, printing);
    if (difference->sampled && !difference->series && row)
        buf_puts(out, "One file a side does not show how runs differ by themselves; several do: "
                      SERIES "\n");
}
