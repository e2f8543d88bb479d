// SPDX-License-Identifier: MIT
// `ptprof report --top`, `--tree` and `--peek`: the reports of functions, in the form of pprof's.
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "base/pattern.h"
#include "base/units.h"
#include "commands/report_view.h"

#define RULER "----------------------------------------------------------+-------------\n"

static const char *inlined_mark(const struct call_graph *graph, uint32_t function)
{
    struct call_edges callers = call_graph_callers(graph, function);
    size_t inlined = 0;
    for (size_t i = 0; i < callers.count; i++)
        inlined += graph->edges[callers.list[i]].inlined;
    if (!inlined)
        return "";
    return inlined < callers.count ? " (partial-inline)" : " (inline)";
}

enum rc report_print_top(const struct report_options *options, const struct reported *reading,
                         FILE *out, struct err *err)
{
    (void)err;
    AUTO_BUF struct buf text = {0};
    struct call_graph *graph = report_graph(options, reading, REPORT_TOP_COUNT);
    const char *unit = report_unit(reading, graph);
    int64_t sum = 0;
    report_put_head(options, reading, unit, &text);
    report_put_shown(reading, graph, unit, &text);
    buf_puts(&text, "      flat  flat%   sum%        cum   cum%\n");
    for (size_t i = 0; i < graph->shown; i++) {
        uint32_t function = graph->order[i];
        report_put_columns(reading, &graph->functions[function], unit, &sum, &text);
        buf_puts(&text, "  ");
        report_put_name(graph, function, &text);
        buf_printf(&text, "%s\n", inlined_mark(graph, function));
    }
    fwrite(text.data, 1, text.length, out);
    call_graph_free(graph);
    return RC_OK;
}

// --- callers and callees ---

struct printed_tree {
    const struct reported *reading;
    const struct call_graph *graph;
    const char *unit;
    struct buf *out;
};

static void put_edges(const struct printed_tree *tree, struct call_edges edges, int64_t total,
                      bool callers)
{
    char percent[UNITS_PERCENT];
    for (size_t i = 0; i < edges.count; i++) {
        const struct call_edge *edge = &tree->graph->edges[edges.list[i]];
        report_put_value(edge->weight, tree->reading, tree->unit, 50, tree->out);
        buf_printf(tree->out, " %s |   ", units_percent(edge->weight, total, percent));
        report_put_name(tree->graph, callers ? edge->caller : edge->callee, tree->out);
        buf_puts(tree->out, edge->inlined ? " (inline)\n" : "\n");
    }
}

static void put_function(const struct printed_tree *tree, uint32_t number, int64_t *sum)
{
    const struct call_function *function = &tree->graph->functions[number];
    buf_puts(tree->out, RULER);
    put_edges(tree, call_graph_callers(tree->graph, number), function->total, true);
    report_put_columns(tree->reading, function, tree->unit, sum, tree->out);
    buf_puts(tree->out, "                | ");
    report_put_name(tree->graph, number, tree->out);
    buf_putc(tree->out, '\n');
    put_edges(tree, call_graph_callees(tree->graph, number), function->total, false);
}

static bool is_peeked(const struct call_graph *graph, uint32_t function,
                      const struct pattern *pattern)
{
    AUTO_BUF struct buf name = {0};
    if (!pattern)
        return true;
    call_graph_name(graph, function, &name);
    return pattern_matches(pattern, name.data);
}

// Returns how many functions were printed. pattern: NULL for all.
static size_t print_tree(const struct report_options *options, const struct reported *reading,
                         const struct call_graph *graph, const struct pattern *pattern, FILE *out)
{
    AUTO_BUF struct buf text = {0};
    const struct printed_tree tree = {reading, graph, report_unit(reading, graph), &text};
    int64_t sum = 0;
    size_t count = 0;
    report_put_head(options, reading, tree.unit, &text);
    report_put_shown(reading, graph, tree.unit, &text);
    buf_puts(&text, RULER "      flat  flat%   sum%        cum   cum%   calls calls% + context\n");
    for (size_t i = 0; i < graph->shown; i++) {
        if (!is_peeked(graph, graph->order[i], pattern))
            continue;
        put_function(&tree, graph->order[i], &sum);
        count++;
    }
    buf_puts(&text, graph->shown ? RULER : "");
    if (count || !pattern)
        fwrite(text.data, 1, text.length, out);
    return count;
}

enum rc report_print_tree(const struct report_options *options, const struct reported *reading,
                          FILE *out, struct err *err)
{
    (void)err;
    struct call_graph *graph = report_graph(options, reading, CALL_TREE_COUNT);
    print_tree(options, reading, graph, NULL, out);
    call_graph_free(graph);
    return RC_OK;
}

// Nothing is trimmed: a function that is asked for by name is shown however little it costs.
enum rc report_print_peek(const struct report_options *options, const struct reported *reading,
                          FILE *out, struct err *err)
{
    struct pattern pattern;
    enum rc rc = pattern_init(&pattern, options->peek, err);
    if (rc != RC_OK)
        return rc;
    struct call_graph *graph = call_graph_new(reading->part, reading->value);
    call_graph_sort(graph, (enum call_order)options->sort);
    if (!print_tree(options, reading, graph, &pattern, out)) {
        AUTO_FREE char *shown = escape_text_dup(options->peek);
        rc = err_set(err, RC_FAIL, "no function matches /%s/", shown);
    }
    call_graph_free(graph);
    pattern_fini(&pattern);
    return rc;
}
