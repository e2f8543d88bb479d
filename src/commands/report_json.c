// SPDX-License-Identifier: MIT
// `ptprof report --json`: one document with what the chosen view shows, in numbers.
#include "base/json.h"
#include "base/mem.h"
#include "base/pattern.h"
#include "commands/report_view.h"
#include "profile/plain_tags.h"

#define SCHEMA 1

static void put_head(struct json *json, const struct reported *reading)
{
    const struct plain_profile *whole = reading->whole;
    const struct plain_mapping *main =
        whole->code.mapping_count ? &whole->code.mappings[0] : NULL;
    json_number(json, "schema", SCHEMA);
    json_text(json, "file", main ? plain_string(whole, main->module) : "");
    json_text(json, "build_id", main ? plain_string(whole, main->build_id) : "");
    json_text(json, "type", reading->type);
    json_text(json, "unit", reading->unit);
    json_number(json, "time_ns", whole->time);
    json_number(json, "duration_ns", whole->duration);
    json_number(json, "total", reading->all);
}

static void put_name(struct json *json, const struct call_graph *graph, uint32_t function)
{
    AUTO_BUF struct buf name = {0};
    call_graph_name(graph, function, &name);
    json_text(json, "name", name.data);
}

static void put_edges(struct json *json, const struct call_graph *graph, const char *key,
                      struct call_edges edges, bool callers)
{
    json_begin(json, key, '[');
    for (size_t i = 0; i < edges.count; i++) {
        const struct call_edge *edge = &graph->edges[edges.list[i]];
        json_begin(json, NULL, '{');
        put_name(json, graph, callers ? edge->caller : edge->callee);
        json_number(json, "value", edge->weight);
        json_bool(json, "inlined", edge->inlined);
        json_bool(json, "residual", edge->residual);
        json_end(json, '{');
    }
    json_end(json, '[');
}

static void put_function(struct json *json, const struct call_graph *graph, uint32_t number,
                         bool edges)
{
    const struct call_function *function = &graph->functions[number];
    json_line(json);
    json_begin(json, NULL, '{');
    put_name(json, graph, number);
    json_number(json, "self", function->self);
    json_number(json, "total", function->total);
    if (edges) {
        put_edges(json, graph, "callers", call_graph_callers(graph, number), true);
        put_edges(json, graph, "callees", call_graph_callees(graph, number), false);
    }
    json_end(json, '{');
}

static bool is_wanted(const struct call_graph *graph, uint32_t function,
                      const struct pattern *pattern)
{
    AUTO_BUF struct buf name = {0};
    call_graph_name(graph, function, &name);
    return !pattern->given || pattern_matches(pattern, name.data);
}

static void put_graph(struct json *json, const struct report_options *options,
                      const struct call_graph *graph, const struct pattern *pattern)
{
    json_begin(json, "dropped", '{');
    json_count(json, "functions", graph->dropped.functions);
    json_count(json, "beyond_count", graph->dropped.beyond_count);
    json_end(json, '{');
    json_begin(json, "functions", '[');
    for (size_t i = 0; i < graph->shown; i++)
        if (is_wanted(graph, graph->order[i], pattern))
            put_function(json, graph, graph->order[i], options->tree || options->peek);
    json_end(json, '[');
}

static enum rc put_functions(struct json *json, const struct report_options *options,
                             const struct reported *reading, struct err *err)
{
    struct pattern pattern;
    enum rc rc = pattern_init(&pattern, options->peek, err);
    if (rc != RC_OK)
        return rc;
    struct call_graph *graph;
    if (options->peek) { // nothing is trimmed
        graph = call_graph_new(reading->part, reading->value);
        call_graph_sort(graph, (enum call_order)options->sort);
    } else {
        graph = report_graph(options, reading, options->tree ? CALL_TREE_COUNT : REPORT_TOP_COUNT);
    }
    put_graph(json, options, graph, &pattern);
    call_graph_free(graph);
    pattern_fini(&pattern);
    return rc;
}

static enum rc put_groups(struct json *json, const struct report_options *options,
                          const struct reported *reading, struct err *err)
{
    struct report_groups groups;
    enum rc rc = report_groups_make(options, reading, &groups, err);
    if (rc != RC_OK)
        return rc;
    json_text(json, "by", options->by);
    json_begin(json, "groups", '[');
    for (size_t i = 0; i < groups.count; i++) {
        json_line(json);
        json_begin(json, NULL, '{');
        json_text(json, "name", groups.list[i].name);
        json_number(json, "self", groups.list[i].self);
        json_number(json, "total", groups.list[i].total);
        json_end(json, '{');
    }
    json_end(json, '[');
    report_groups_fini(&groups);
    return rc;
}

// --- source lines ---

static void put_routine(struct json *json, const struct source_lines *lines,
                        const struct source_routine *routine)
{
    json_line(json);
    json_begin(json, NULL, '{');
    json_text(json, "name", routine->function);
    json_text(json, "file", routine->file);
    json_number(json, "self", routine->flat);
    json_number(json, "total", routine->cum);
    json_begin(json, "lines", '[');
    for (size_t i = 0; i < routine->count; i++) {
        const struct source_line *line = &lines->lines[routine->first + i];
        json_begin(json, NULL, '{');
        json_number(json, "line", line->line);
        json_number(json, "self", line->flat);
        json_number(json, "total", line->cum);
        json_end(json, '{');
    }
    json_end(json, '[');
    json_end(json, '{');
}

static enum rc put_list(struct json *json, const struct report_options *options,
                        const struct reported *reading, struct err *err)
{
    struct source_lines lines;
    enum rc rc = report_lines(options, reading, &lines, err);
    if (rc != RC_OK)
        return rc;
    json_begin(json, "routines", '[');
    for (size_t i = 0; i < lines.routine_count; i++)
        put_routine(json, &lines, &lines.routines[i]);
    json_end(json, '[');
    source_lines_fini(&lines);
    return rc;
}

// --- traces ---

static void put_labels(struct json *json, const struct plain_profile *part, uint32_t set)
{
    json_begin(json, "labels", '[');
    for (; set; set = part->labels.sets[set].parent) {
        const struct plain_label *label = &part->labels.list[part->labels.sets[set].label];
        json_begin(json, NULL, '{');
        json_text(json, "key", plain_string(part, label->key));
        if (label->text)
            json_text(json, "text", plain_string(part, label->text));
        else
            json_number(json, "number", label->number);
        if (!label->text && label->unit)
            json_text(json, "unit", plain_string(part, label->unit));
        json_end(json, '{');
    }
    json_end(json, '[');
}

static void put_stack(struct json *json, const struct call_graph *graph, uint32_t stack)
{
    const struct plain_node *nodes = graph->profile->stacks.nodes;
    json_begin(json, "stack", '[');
    for (; stack; stack = nodes[stack].parent) {
        struct call_span span = call_graph_location(graph, nodes[stack].location);
        for (size_t i = span.count; i-- > 0;) {
            AUTO_BUF struct buf name = {0};
            call_graph_name(graph, span.functions[i], &name);
            json_text(json, NULL, name.data);
        }
    }
    json_end(json, '[');
}

static void flush(struct json *json, FILE *out)
{
    fwrite(json->out->data, 1, json->out->length, out);
    buf_clear(json->out);
}

static void put_traces(struct json *json, const struct reported *reading, FILE *out)
{
    const struct plain_profile *part = reading->part;
    struct call_graph *graph = call_graph_functions(part, reading->value);
    json_begin(json, "traces", '[');
    for (uint32_t i = 0; i < part->samples.count; i++) {
        if (plain_is_empty(part, i))
            continue;
        json_line(json);
        json_begin(json, NULL, '{');
        json_number(json, "value", plain_values(part, i)[reading->value]);
        put_labels(json, part, part->samples.list[i].labels);
        put_stack(json, graph, part->samples.list[i].stack);
        json_end(json, '{');
        flush(json, out);
    }
    json_end(json, '[');
    call_graph_free(graph);
}

enum rc report_print_json(const struct report_options *options, const struct reported *reading,
                          FILE *out, struct err *err)
{
    AUTO_BUF struct buf text = {0};
    struct json json = {.out = &text};
    enum rc rc = RC_OK;
    json_begin(&json, NULL, '{');
    put_head(&json, reading);
    if (options->by)
        rc = put_groups(&json, options, reading, err);
    else if (options->list)
        rc = put_list(&json, options, reading, err);
    else if (options->traces)
        put_traces(&json, reading, out);
    else
        rc = put_functions(&json, options, reading, err);
    json_end(&json, '{');
    if (rc != RC_OK)
        return rc;
    buf_putc(&text, '\n');
    flush(&json, out);
    return RC_OK;
}
