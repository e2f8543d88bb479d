// SPDX-License-Identifier: MIT
// The text format is a table for people: first a description of the run (or the comments of the
// file that the profile came from), then the functions with most time.
#include <inttypes.h>
#include <string.h>

#include "base/escape.h"
#include "base/figures.h"
#include "base/mem.h"
#include "output/describe.h"
#include "output/formats.h"
#include "profile/totals.h"

#define ROWS 40
#define NAME_WIDTH 60 // columns; a longer name pushes its module to the right

static int name_width(char *const *names, size_t count)
{
    int width = escape_columns("FUNCTION");
    for (size_t i = 0; i < count; i++) {
        int own = escape_columns(names[i]);
        if (own > width && own <= NAME_WIDTH)
            width = own;
    }
    return width;
}

static void put_run(struct buf *text, const struct run *run, uint64_t folded, struct cost all)
{
    buf_puts(text, "ptprof of ");
    describe_targets(text, run);
    char length[FIGURES_MOST], date[FIGURES_MOST];
    buf_printf(text, ", %s from %s\n", figures_three(run->duration, length),
               figures_date(run->start_wall, date));
    describe_run(text, run, folded, all);
    buf_putc(text, '\n');
}

static void put_file(struct buf *text, const struct measure *measure)
{
    const struct plain_profile *profile = measure->profile;
    const char *file =
        profile->code.mapping_count ? plain_string(profile, profile->code.mappings[0].file) : "";
    buf_puts(text, "profile of ");
    escape_text(text, *file ? file : "a program without a name");
    char shown[FIGURES_MOST];
    if (profile->duration)
        buf_printf(text, ", %s", figures_three(profile->duration, shown));
    if (profile->time)
        buf_printf(text, " from %s", figures_date(profile->time, shown));
    buf_puts(text, ", of ");
    escape_text(text, measure->type);
    buf_putc(text, '/');
    escape_text(text, measure->unit);
    buf_putc(text, '\n');
    for (size_t i = 0; i < profile->comment_count; i++) {
        escape_text(text, plain_string(profile, profile->comments[i]));
        buf_putc(text, '\n');
    }
    buf_putc(text, '\n');
}

static void put_amount(struct buf *text, const struct measure *measure, struct cost cost)
{
    char amount[FIGURES_MOST];
    if (measure->time)
        buf_printf(text, " %8s", figures_three(cost_ns(cost), amount));
    else
        buf_printf(text, " %8" PRId64, cost_ns(cost));
}

static void put_row(struct buf *text, const struct measure *measure, const struct total_row *row,
                    int64_t all, const char *name, int width)
{
    buf_printf(text, "%6.1f %6.1f", figures_percent(cost_ns(row->self), all),
               figures_percent(cost_ns(row->total), all));
    if (measure->wall)
        buf_printf(text, " %6.1f", figures_percent(row->total.cpu_ns, cost_ns(row->total)));
    put_amount(text, measure, row->self);
    put_amount(text, measure, row->total);
    int missing = width - escape_columns(name);
    buf_printf(text, "  %s%*s", name, missing > 0 ? missing : 0, "");
    if (row->module[0])
        buf_puts(text, "  ");
    escape_text(text, row->module);
    buf_putc(text, '\n');
}

static char *shown_name(const struct total_row *row)
{
    AUTO_FREE char *name = escape_text_dup(row->function);
    return xasprintf("%s%s", name, row->inlined ? " (inlined)" : "");
}

static void put_table(struct buf *text, const struct measure *measure, const struct totals *totals)
{
    char *names[ROWS];
    for (size_t i = 0; i < totals->count; i++)
        names[i] = shown_name(&totals->rows[i]);
    int width = name_width(names, totals->count);
    buf_printf(text, " SELF%% TOTAL%%%s     SELF    TOTAL  %-*s  MODULE\n",
               measure->wall ? "   RUN%" : "", width, "FUNCTION");
    for (size_t i = 0; i < totals->count; i++) {
        put_row(text, measure, &totals->rows[i], cost_ns(totals->all), names[i], width);
        cleanup_free(&names[i]);
    }
    if (totals->count < totals->function_count)
        buf_printf(text, "%zu more functions\n", totals->function_count - totals->count);
}

static const char *nothing_text(const struct writing *writing, const struct measure *measure)
{
    if (!writing->run)
        return "It holds no samples.\n";
    return measure->wall ? "No wall time was told.\n" : "No thread was seen on a CPU.\n";
}

enum rc text_write(const struct writing *writing, FILE *out, struct err *err)
{
    AUTO_BUF struct buf text = {0};
    struct measure measure = measure_of(writing->profile);
    struct totals totals;
    totals_init(&totals, &measure, ROWS);
    if (writing->run)
        put_run(&text, writing->run, writing->profile->folded, totals.all);
    else
        put_file(&text, &measure);
    if (totals.count)
        put_table(&text, &measure, &totals);
    else
        buf_puts(&text, nothing_text(writing, &measure));
    totals_fini(&totals);
    return output_bytes(out, text.data, text.length, err);
}
