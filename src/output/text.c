// SPDX-License-Identifier: MIT
// A table for people: what was sampled and how well, then the functions where the time went.
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "output/describe.h"
#include "output/formats.h"

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

static void put_head(struct buf *text, const struct report *report)
{
    buf_puts(text, "ptprof of ");
    describe_targets(text, report->run);
    buf_puts(text, ", ");
    describe_duration(text, report->run->duration);
    buf_puts(text, " from ");
    describe_time(text, report->run->start_wall);
    buf_putc(text, '\n');
    describe_run(text, report);
    buf_putc(text, '\n');
}

static void put_time(struct buf *text, struct cost cost)
{
    AUTO_BUF struct buf duration = {0};
    describe_duration(&duration, (int64_t)cost_ns(cost));
    buf_printf(text, " %8s", duration.data);
}

static void put_row(struct buf *text, const struct flat_row *row, uint64_t all, bool wall,
                    const char *name, int width)
{
    buf_printf(text, "%6.1f %6.1f", query_percent(cost_ns(row->self), all),
               query_percent(cost_ns(row->total), all));
    if (wall)
        buf_printf(text, " %6.1f", query_percent(row->total.cpu_ns, cost_ns(row->total)));
    put_time(text, row->self);
    put_time(text, row->total);
    int missing = width - escape_columns(name);
    buf_printf(text, "  %s%*s", name, missing > 0 ? missing : 0, "");
    if (row->module[0])
        buf_puts(text, "  ");
    escape_text(text, row->module);
    buf_putc(text, '\n');
}

static char *shown_name(const struct flat_row *row)
{
    AUTO_FREE char *name = escape_text_dup(row->function);
    return xasprintf("%s%s", name, row->inlined ? " (inlined)" : "");
}

static void put_table(struct buf *text, const struct flat *flat, bool wall)
{
    char *names[ROWS];
    for (size_t i = 0; i < flat->row_count; i++)
        names[i] = shown_name(&flat->rows[i]);
    int width = name_width(names, flat->row_count);
    buf_printf(text, " SELF%% TOTAL%%%s     SELF    TOTAL  %-*s  MODULE\n", wall ? "   RUN%" : "",
               width, "FUNCTION");
    for (size_t i = 0; i < flat->row_count; i++) {
        put_row(text, &flat->rows[i], cost_ns(flat->all), wall, names[i], width);
        cleanup_free(&names[i]);
    }
    if (flat->row_count < flat->function_count)
        buf_printf(text, "%zu more functions\n", flat->function_count - flat->row_count);
}

enum rc text_write(const struct report *report, FILE *out, struct err *err)
{
    AUTO_BUF struct buf text = {0};
    struct query_source source = report_source(report);
    struct flat flat;
    query_flat(&source, ROWS, &flat);
    put_head(&text, report);
    if (flat.row_count)
        put_table(&text, &flat, source.idle);
    else
        buf_puts(&text, source.idle ? "No wall time was told.\n"
                                    : "No thread was seen on a CPU.\n");
    flat_fini(&flat);
    return output_bytes(out, text.data, text.length, err);
}
