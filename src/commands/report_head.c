// SPDX-License-Identifier: MIT
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/escape.h"
#include "base/mem.h"
#include "base/units.h"
#include "commands/report_view.h"

static void add_field(struct buf *out, const char *title, const char *text)
{
    if (!*text)
        return;
    buf_puts(out, title);
    escape_text(out, text);
    buf_putc(out, '\n');
}

// The first mapping is the main program's.
static void add_program(const struct plain_profile *profile, struct buf *out)
{
    if (!profile->code.mapping_count)
        return;
    const struct plain_mapping *main = &profile->code.mappings[0];
    add_field(out, "File: ", plain_string(profile, main->module));
    add_field(out, "Build ID: ", plain_string(profile, main->build_id));
}

static void add_comments(const struct plain_profile *profile, struct buf *out)
{
    for (size_t i = 0; i < profile->comment_count; i++) {
        const char *text = plain_string(profile, profile->comments[i]);
        if (*text != '#')
            add_field(out, "", text);
    }
}

static void add_time(const struct plain_profile *profile, struct buf *out)
{
    char text[64];
    struct tm local;
    time_t seconds = (time_t)(profile->time / NS_PER_S);
    if (profile->time && localtime_r(&seconds, &local) &&
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S %Z", &local))
        buf_printf(out, "Time: %s\n", text);
}

static void add_duration(const struct reported *reading, const char *unit, struct buf *out)
{
    int64_t duration = reading->whole->duration;
    double ns;
    char percent[UNITS_PERCENT];
    if (!duration)
        return;
    buf_puts(out, "Duration: ");
    units_label(out, duration, "nanoseconds", UNITS_AUTO);
    buf_puts(out, ", Total samples = ");
    units_label(out, reading->all, reading->unit, unit);
    const char *scaled = units_scale(reading->all, reading->unit, "nanoseconds", &ns);
    if (strcmp(scaled, "ns") == 0 && reading->all) {
        const char *shown = units_percent((int64_t)ns, duration, percent);
        buf_printf(out, " (%s)", shown + strspn(shown, " "));
    }
    buf_putc(out, '\n');
}

static void add_filters(const struct plain_filter *filter, struct buf *out)
{
    const struct {
        const char *title, *text;
    } filters[] = {{"   focus=", filter->focus},        {"   ignore=", filter->ignore},
                   {"   hide=", filter->hide},          {"   show=", filter->show},
                   {"   tagfocus=", filter->tag_focus}, {"   tagignore=", filter->tag_ignore}};
    bool any = false;
    for (size_t i = 0; i < ARRAY_LENGTH(filters); i++) {
        if (!filters[i].text)
            continue;
        buf_puts(out, any ? "" : "Active filters:\n");
        add_field(out, filters[i].title, filters[i].text);
        any = true;
    }
}

void report_put_head(const struct report_options *options, const struct reported *reading,
                 const char *unit, struct buf *out)
{
    const struct plain_profile *whole = reading->whole;
    add_program(whole, out);
    add_comments(whole, out);
    add_field(out, "Type: ", reading->type);
    add_field(out, "Doc: ", plain_string(whole, whole->doc_url));
    add_time(whole, out);
    add_duration(reading, unit, out);
    add_filters(&options->reading.filter, out);
}

// --- what is shown ---

static void add_dropped(const struct reported *reading, size_t functions, const char *unit,
                        struct buf *out)
{
    double least = (double)reading->all * CALL_FUNCTION_FRACTION;
    buf_printf(out, "Dropped %zu node%s (cum <= ", functions, functions == 1 ? "" : "s");
    units_label(out, (int64_t)least, reading->unit, unit);
    buf_puts(out, ")\n");
}

void report_put_shown(const struct reported *reading, const struct call_graph *graph,
                      const char *unit, struct buf *out)
{
    int64_t sum = 0;
    char text[UNITS_PERCENT];
    for (size_t i = 0; i < graph->shown; i++)
        sum += graph->functions[graph->order[i]].self;
    const char *percent = units_percent(sum, reading->all, text);
    buf_puts(out, "Showing nodes accounting for ");
    units_label(out, sum, reading->unit, unit);
    buf_printf(out, ", %s of ", percent + strspn(percent, " "));
    units_label(out, reading->all, reading->unit, unit);
    buf_puts(out, " total\n");
    if (graph->dropped.functions && reading->all)
        add_dropped(reading, graph->dropped.functions, unit, out);
    if (graph->dropped.beyond_count)
        buf_printf(out, "Showing top %zu nodes out of %zu; --top 0 shows all\n", graph->shown,
                   graph->shown + graph->dropped.beyond_count);
}

// --- graphs ---

struct call_graph *report_graph(const struct report_options *options,
                                const struct reported *reading, size_t count)
{
    struct call_graph *graph = call_graph_functions(reading->part, reading->value);
    const struct call_trim trim = {
        .function_fraction = CALL_FUNCTION_FRACTION,
        .edge_fraction = CALL_EDGE_FRACTION,
        .count = options->top == REPORT_ANY_COUNT ? count : options->top,
        .order = (enum call_order)options->sort,
    };
    graph->all = reading->all;
    call_graph_trim(graph, &trim);
    return graph;
}

const char *report_unit(const struct reported *reading, const struct call_graph *graph)
{
    int64_t least = 0;
    for (size_t i = 0; i < graph->shown; i++) {
        const struct call_function *function = &graph->functions[graph->order[i]];
        int64_t cost = function->self ? function->self : function->total;
        cost = cost < 0 ? -cost : cost;
        if (cost > 0 && (!least || cost < least))
            least = cost;
    }
    if (!graph->shown)
        return UNITS_AUTO;
    return units_common(least ? least : reading->all, reading->all, reading->unit);
}

void report_put_value(int64_t value, const struct reported *reading, const char *unit, int columns,
                  struct buf *out)
{
    AUTO_BUF struct buf text = {0};
    units_label(&text, value, reading->unit, unit);
    buf_printf(out, "%*s", columns, text.data);
}

void report_put_columns(const struct reported *reading, const struct call_function *function,
                    const char *unit, int64_t *sum, struct buf *out)
{
    char self[UNITS_PERCENT], so_far[UNITS_PERCENT], total[UNITS_PERCENT];
    *sum += function->self;
    report_put_value(function->self, reading, unit, 10, out);
    buf_printf(out, " %s %s ", units_percent(function->self, reading->all, self),
               units_percent(*sum, reading->all, so_far));
    report_put_value(function->total, reading, unit, 10, out);
    buf_printf(out, " %s", units_percent(function->total, reading->all, total));
}

void report_put_name(const struct call_graph *graph, uint32_t function, struct buf *out)
{
    AUTO_BUF struct buf name = {0};
    call_graph_name(graph, function, &name);
    escape_text(out, name.data);
}
