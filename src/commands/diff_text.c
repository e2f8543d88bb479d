// SPDX-License-Identifier: MIT
#include "commands/diff_text.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/escape.h"
#include "base/figures.h"
#include "base/mem.h"
#include "base/units.h"

#define NAME_WIDTH 60 // columns; a longer name pushes its module to the right
#define FILES_SHOWN 4 // of each side

enum diff_role { ROLE_NONE, ROLE_WORSE, ROLE_BETTER, ROLE_DIM, ROLE_HEAD };

static const char *const colors[] = {
    [ROLE_NONE] = "", [ROLE_WORSE] = "\033[1;31m", [ROLE_BETTER] = "\033[32m",
    [ROLE_DIM] = "\033[2m", [ROLE_HEAD] = "\033[1m",
};

static const enum diff_role roles[] = {
    [DIFFERENCE_GREW] = ROLE_WORSE,  [DIFFERENCE_NEW] = ROLE_WORSE,
    [DIFFERENCE_SHRANK] = ROLE_BETTER, [DIFFERENCE_GONE] = ROLE_BETTER,
    [DIFFERENCE_SHARE] = ROLE_NONE,  [DIFFERENCE_NOISE] = ROLE_DIM,
    [DIFFERENCE_UNTESTED] = ROLE_NONE,
};

static void begin(struct buf *out, const struct diff_printing *printing, enum diff_role role)
{
    if (printing->color)
        buf_puts(out, colors[role]);
}

static void end(struct buf *out, const struct diff_printing *printing, enum diff_role role)
{
    if (printing->color && role != ROLE_NONE)
        buf_puts(out, "\033[0m");
}

// --- figures ---

void diff_amount(struct buf *out, const char *unit, double amount)
{
    units_label(out, llround(fmin(fabs(amount), 9e18)), unit, UNITS_AUTO);
}

static void put_amount(struct buf *out, const char *unit, double amount, const char *plus)
{
    AUTO_BUF struct buf shown = {0};
    buf_puts(&shown, amount < 0 ? "-" : amount > 0 ? plus : "");
    diff_amount(&shown, unit, amount);
    buf_printf(out, " %9s", shown.data);
}

// --- the head ---

static void put_files(struct buf *out, char *const *files, size_t count)
{
    for (size_t i = 0; i < count && i < FILES_SHOWN; i++) {
        buf_puts(out, i ? " " : "  ");
        escape_text(out, files[i]);
    }
    if (count > FILES_SHOWN)
        buf_printf(out, " and %zu more", count - FILES_SHOWN);
}

static void put_side(struct buf *out, const struct diff_printing *printing, const char *name,
                     const struct difference_total *total, char *const *files)
{
    char text[FIGURES_MOST];
    buf_printf(out, "%s  ", name);
    diff_amount(out, printing->unit, total->amount);
    if (total->seconds > 0)
        buf_printf(out, " in %s", figures_three((int64_t)(total->seconds /
                                                (double)total->files * NS_PER_S), text));
    if (total->files > 1)
        buf_printf(out, " on average of %zu files", total->files);
    if (printing->difference->sampled)
        buf_printf(out, ", %" PRId64 " samples", total->samples);
    put_files(out, files, total->files);
    buf_putc(out, '\n');
}

static const char *error_text(const struct difference *difference)
{
    if (difference->sampled && difference->series)
        return "by samples, or between files if that is more";
    return difference->sampled ? "by samples" : "between files";
}

static void put_head(struct buf *out, const struct diff_printing *printing)
{
    const struct difference *difference = printing->difference;
    buf_puts(out, "difference of ");
    escape_text(out, printing->type);
    buf_putc(out, '/');
    escape_text(out, printing->unit);
    buf_printf(out, ", %s, by ", printing->query->total ? "total" : "self");
    escape_text(out, printing->by);
    buf_putc(out, '\n');
    put_side(out, printing, "old", &difference->old, printing->old);
    put_side(out, printing, "new", &difference->new, printing->new);
    if (difference_is_tested(difference))
        buf_printf(out, "%% of each side's total; one standard error, %s\n"
                        "tested %zu of %zu; at most %g%% of what is said to have changed is "
                        "expected to be chance\n",
                   error_text(difference), difference->tested, difference->count,
                   printing->query->false_alarms * 100);
    buf_putc(out, '\n');
}

// --- the table ---

static void put_figures(struct buf *out, const struct diff_printing *printing, double old,
                        double new)
{
    put_amount(out, printing->unit, old, "");
    put_amount(out, printing->unit, new, "");
    put_amount(out, printing->unit, new - old, "+");
}

static void put_shares(struct buf *out, double old, double new)
{
    double change = (new - old) * 100;
    buf_printf(out, " %6.2f %6.2f %+7.2f", old * 100, new * 100,
               fabs(change) < 0.005 ? 0 : change); // no "-0.00"
}

static void put_error(struct buf *out, const struct diff_printing *printing, double error)
{
    if (isnan(error))
        buf_printf(out, " %9s", "");
    else
        buf_printf(out, " %s %6.2f", printing->utf8 ? "\u00b1" : "+-", error * 100);
}

static void put_row(struct buf *out, const struct diff_printing *printing,
                    const struct difference_row *row, int width)
{
    enum diff_role role = roles[row->verdict];
    AUTO_FREE char *name = escape_text_dup(row->name);
    begin(out, printing, role);
    put_figures(out, printing, row->old.amount, row->new.amount);
    put_shares(out, row->old.share, row->new.share);
    put_error(out, printing, row->shares.error);
    buf_printf(out, "  %-12s", difference_verdict_names[row->verdict]);
    end(out, printing, role);
    int missing = width - escape_columns(name);
    buf_printf(out, "  %s", name);
    if (*row->module) {
        buf_printf(out, "%*s  ", missing > 0 ? missing : 0, "");
        escape_text(out, row->module);
    }
    buf_putc(out, '\n');
}

static int name_width(const struct diff_printing *printing, size_t count)
{
    int width = escape_columns(printing->by);
    for (size_t i = 0; i < count; i++) {
        AUTO_FREE char *name = escape_text_dup(printing->difference->rows[i].name);
        int own = escape_columns(name);
        if (own > width && own <= NAME_WIDTH)
            width = own;
    }
    return width;
}

static void put_table_head(struct buf *out, const struct diff_printing *printing, int width)
{
    begin(out, printing, ROLE_HEAD);
    buf_printf(out, "       OLD       NEW      DIFF   OLD%%   NEW%%   DIFF%%  %s ERROR  %-12s  ",
               printing->utf8 ? "\u00b1" : "+-", "VERDICT");
    if (printing->query->by == TALLY_FUNCTION)
        buf_printf(out, "%-*s  MODULE", width, "FUNCTION");
    else
        escape_text(out, printing->by);
    end(out, printing, ROLE_HEAD);
    buf_putc(out, '\n');
}

// Self costs add up; totals hold each other.
static void put_noise(struct buf *out, const struct diff_printing *printing)
{
    const struct difference *difference = printing->difference;
    struct difference_value old = {0}, new = {0};
    for (size_t i = 0; i < difference->count; i++)
        if (difference->rows[i].verdict == DIFFERENCE_NOISE) {
            old.amount += difference->rows[i].old.amount;
            old.share += difference->rows[i].old.share;
            new.amount += difference->rows[i].new.amount;
            new.share += difference->rows[i].new.share;
        }
    begin(out, printing, ROLE_DIM);
    put_figures(out, printing, old.amount, new.amount);
    put_shares(out, old.share, new.share);
    buf_printf(out, "%12swithin noise  all %zu of them together", "",
               difference->verdicts[DIFFERENCE_NOISE]);
    end(out, printing, ROLE_DIM);
    buf_putc(out, '\n');
}

static void put_table(struct buf *out, const struct diff_printing *printing)
{
    const struct difference *difference = printing->difference;
    size_t count = difference->count < printing->top ? difference->count : printing->top;
    int width = name_width(printing, count);
    put_table_head(out, printing, width);
    for (size_t i = 0; i < count; i++)
        put_row(out, printing, &difference->rows[i], width);
    if (difference->verdicts[DIFFERENCE_NOISE] > 1 && !printing->query->total)
        put_noise(out, printing);
    if (count < difference->count)
        buf_printf(out, "%zu more; --top shows more\n", difference->count - count);
    buf_putc(out, '\n');
}

void diff_text(struct buf *out, const struct diff_printing *printing)
{
    put_head(out, printing);
    if (printing->difference->count)
        put_table(out, printing);
    diff_conclusion(out, printing);
}
