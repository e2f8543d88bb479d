// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <string.h>

#include "base/escape.h"
#include "base/figures.h"
#include "base/mem.h"
#include "commands/top_block.h"
#include "output/describe.h"
#include "symbol/short_name.h"

#define ROWS 40
#define MODULE_WIDTH 24
#define MODULE_LEAST 12 // in a block of less than 100 columns
#define WAIT_WIDTH 20
#define LEAST_WIDTH 20 // columns of a function name

static void put_target(struct buf *out, const struct snapshot *snapshot)
{
    char up[FIGURES_MOST], view[FIGURES_MOST];
    buf_printf(out, "# ptprof %d ", (int)snapshot->pid);
    escape_text(out, *snapshot->command_line ? snapshot->command_line : snapshot->comm);
    if (snapshot->process_count > 1)
        buf_printf(out, " and %zu more", snapshot->process_count - 1);
    buf_printf(out, "  up %s  view %s%s\n", figures_duration(snapshot->uptime, up),
               figures_duration(snapshot->elapsed, view),
               snapshot->end == TARGET_ENDED ? "  ended"
               : snapshot->denied            ? "  no longer permitted"
               : snapshot->stopped           ? "  stopped"
                                             : "");
}

static void put_load(struct buf *out, const struct snapshot *snapshot)
{
    char rss[FIGURES_MOST];
    buf_printf(out, "# cpu %.0f%%  threads %zu:", snapshot->cpu_percent, snapshot->threads);
    for (size_t i = 0; i < snapshot->state_count; i++)
        buf_printf(out, " %c %zu", snapshot->states[i].state, snapshot->states[i].count);
    buf_printf(out, "  rss %s\n", figures_bytes(snapshot->rss, 'K', rss));
}

static void put_quality(struct buf *out, const struct snapshot *snapshot)
{
    char p50[FIGURES_MOST], p99[FIGURES_MOST];
    buf_printf(out, "# %.1f/%g Hz  samples %" PRIu64 "  late %.1f%%  failed %.1f%%  cut %.1f%%"
                    "  held %s p50 %s p99  overhead %.2f%% %s\n",
               snapshot->achieved, snapshot->rate, snapshot->counts[COUNTER_SAMPLES],
               snapshot->late, snapshot->failed, snapshot->cut,
               figures_duration((int64_t)snapshot->counts[COUNTER_HELD_P50], p50),
               figures_duration((int64_t)snapshot->counts[COUNTER_HELD_P99], p99),
               snapshot->overhead, overhead_names[snapshot->verdict]);
    if (snapshot->note_count)
        buf_printf(out, "# %s\n", snapshot->note);
}

// Skips so many columns of the text. Each code point is one column.
static const char *behind(const char *text, int columns)
{
    while (*text && (columns > 0 || (*text & 0xc0) == 0x80))
        columns -= (*text++ & 0xc0) != 0x80;
    return text;
}

// Puts a name, cut in the middle if it is wider than `width`, else padded with blanks if `fill`.
static void put_name(struct buf *out, const char *name, int width, bool fill)
{
    AUTO_FREE char *shown = escape_text_dup(name);
    int columns = escape_columns(shown), head = (width - 2) / 2;
    if (columns > width)
        buf_printf(out, "%.*s..%s", (int)(behind(shown, head) - shown), shown,
                   behind(shown, columns - (width - 2 - head)));
    else
        buf_printf(out, "%s%*s", shown, fill ? width - columns : 0, "");
}

// Puts the name of a function. A name that is too wide loses template arguments, then return type
// and parameters.
static void put_function(struct buf *out, const struct function_row *row, int width)
{
    static void (*const shorten[])(const char *, struct buf *) = {short_name_fold,
                                                                  short_name_bare};
    const char *suffix = row->inlined ? " (inlined)" : "";
    AUTO_BUF struct buf name = {0};
    buf_printf(&name, "%s%s", row->function->name, suffix);
    for (size_t i = 0; i < ARRAY_LENGTH(shorten) && escape_columns(name.data) > width; i++) {
        buf_clear(&name);
        shorten[i](row->function->name, &name);
        buf_puts(&name, suffix);
    }
    put_name(out, name.data, width, true);
}

static void put_wait(struct buf *out, const struct function_row *row, bool mutex)
{
    AUTO_BUF struct buf text = {0};
    buf_printf(&text, "%s%s%s", mutex ? "" : row->wait, *row->lock && !mutex ? " " : "",
               row->lock);
    put_name(out, text.length ? text.data : "", WAIT_WIDTH, true);
    buf_puts(out, "  ");
}

static void put_time(struct buf *out, uint64_t ns)
{
    char text[FIGURES_MOST];
    buf_printf(out, " %8s", figures_three((int64_t)ns, text));
}

static void put_row(struct buf *out, const struct function_row *row,
                    const struct function_rows *rows, const struct rows_query *query,
                    int name_width, int module_width)
{
    enum rows_measure measure = rows_measure(query);
    buf_printf(out, "  %6.1f %6.1f", rows_percent(measure, row->self, rows->all),
               rows_percent(measure, row->total, rows->all));
    if (filter_is_wall(&query->filter))
        buf_printf(out, " %6.1f", figures_percent(row->total.cpu_ns, cost_ns(row->total)));
    bool delay = filter_is_delay(&query->filter);
    put_time(out, cost_ns(delay ? row->self : row->self_all));
    put_time(out, cost_ns(delay ? row->total : row->total_all));
    buf_printf(out, " %7" PRId64 "  ", row->self.samples);
    if (delay)
        put_wait(out, row, filter_kind(&query->filter) == PROFILE_MUTEX);
    put_function(out, row, name_width);
    buf_puts(out, "  ");
    put_name(out, row->function->module, module_width, false);
    while (out->length && out->data[out->length - 1] == ' ')
        out->data[--out->length] = '\0';
    buf_putc(out, '\n');
}

static void put_wall(struct buf *out, struct cost all)
{
    char text[FIGURES_MOST];
    buf_printf(out, "# wall time %s: ", figures_three((int64_t)cost_ns(all), text));
    describe_states(out, all);
    buf_putc(out, '\n');
}

static void put_delay(struct buf *out, const struct rows_query *query, struct cost all)
{
    char text[FIGURES_MOST];
    figures_three((int64_t)cost_ns(all), text);
    if (filter_kind(&query->filter) == PROFILE_MUTEX)
        buf_printf(out, "# mutex %s: of those who waited for locks, and again of who held them\n",
                   text);
    else
        buf_printf(out, "# block %s in %" PRId64 " waits, %s\n", text, all.samples,
                   query->filter.idle_waits ? "those for work too"
                                            : "without those for work");
}

static const char *const rows_heads[] = {
    [PROFILE_CPU] = "#  SELF% TOTAL%     SELF    TOTAL SAMPLES  ",
    [PROFILE_WALL] = "#  SELF% TOTAL%   RUN%     SELF    TOTAL SAMPLES  ",
    [PROFILE_BLOCK] = "#  SELF% TOTAL%    DELAY    TOTAL   WAITS  WAIT, LOCK            ",
    [PROFILE_MUTEX] = "#  SELF% TOTAL%    DELAY    TOTAL   WAITS  WAIT, LOCK            ",
};

static void put_rows(struct buf *out, const struct function_rows *rows,
                     const struct rows_query *query, unsigned width)
{
    enum profile_kind kind = filter_kind(&query->filter);
    const char *head = rows_heads[kind];
    int module_width = width < 100 ? MODULE_LEAST : MODULE_WIDTH;
    int name_width = (int)width - (int)strlen(head) - 2 - module_width;
    size_t shown = 0, more = 0;
    if (name_width < LEAST_WIDTH)
        name_width = LEAST_WIDTH;
    buf_printf(out, "%s%-*s  MODULE\n", head, name_width, "FUNCTION");
    for (size_t i = 0; i < rows->count; i++) {
        if (!rows->rows[i].total.samples)
            continue;
        if (shown == ROWS) {
            more++;
            continue;
        }
        put_row(out, &rows->rows[i], rows, query, name_width, module_width);
        shown++;
    }
    if (more)
        buf_printf(out, "# %zu more functions\n", more);
    if (!shown)
        buf_puts(out, kind == PROFILE_CPU    ? "# no thread was seen on a CPU\n"
                      : kind == PROFILE_WALL ? "# no wall time has been told yet\n"
                                             : "# no delay has been told yet\n");
}

enum rc top_block_text(struct buf *out, const struct snapshot *snapshot,
                       const struct rows_query *query, unsigned width, struct err *err)
{
    struct function_rows rows;
    enum rc rc = rows_functions(&snapshot->moment, query, &rows, err);
    if (rc != RC_OK)
        return rc;
    put_target(out, snapshot);
    put_load(out, snapshot);
    put_quality(out, snapshot);
    buf_printf(out, "# window %s  %s %" PRIu64 "  sorted by %s\n",
               rows_window_names[query->window],
               filter_is_delay(&query->filter) ? "waits" : "samples", rows.all.samples,
               rows_sort_names[query->sort]);
    if (filter_is_wall(&query->filter))
        put_wall(out, rows.all);
    if (filter_is_delay(&query->filter))
        put_delay(out, query, rows.all);
    put_rows(out, &rows, query, width);
    function_rows_fini(&rows);
    return RC_OK;
}
