// SPDX-License-Identifier: MIT
// `ptprof report --traces`: each stack with its labels and its value.
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "base/units.h"
#include "commands/report_view.h"
#include "profile/plain_tags.h"

#define RULER "-----------+-------------------------------------------------------\n"

struct traces {
    const struct reported *reading;
    struct call_graph *graph; // for the names
    const char **units;       // of labels
    const struct plain_label **labels; // of the sample at hand
    size_t label_count, label_capacity;
    struct buf text;
};

static int compare_labels(const void *left, const void *right, void *context)
{
    const struct plain_label *a = *(const struct plain_label *const *)left;
    const struct plain_label *b = *(const struct plain_label *const *)right;
    if (!a->text != !b->text)
        return a->text ? -1 : 1;
    int order = strcmp(plain_string(context, a->key), plain_string(context, b->key));
    if (!order)
        order = strcmp(plain_string(context, a->text), plain_string(context, b->text));
    return order ? order : (a->number > b->number) - (a->number < b->number);
}

static void collect_labels(struct traces *traces, uint32_t set)
{
    struct plain_profile *part = traces->reading->part;
    traces->label_count = 0;
    for (; set; set = part->labels.sets[set].parent) {
        const struct plain_label *label = &part->labels.list[part->labels.sets[set].label];
        if (!label->text && !plain_tags_number(label))
            continue;
        ARRAY_RESERVE(traces->labels, traces->label_count, traces->label_capacity);
        traces->labels[traces->label_count++] = label;
    }
    if (traces->label_count)
        qsort_r(traces->labels, traces->label_count, sizeof *traces->labels, compare_labels,
                part);
}

static void put_labels(struct traces *traces)
{
    const struct plain_profile *part = traces->reading->part;
    for (size_t i = 0; i < traces->label_count; i++) {
        const struct plain_label *label = traces->labels[i];
        const struct plain_label *last = i ? traces->labels[i - 1] : NULL;
        if (last && last->key == label->key && !last->text == !label->text) {
            buf_putc(&traces->text, ' ');
        } else {
            AUTO_FREE char *key = escape_text_dup(plain_string(part, label->key));
            buf_printf(&traces->text, "%s%10s:  ", i ? "\n" : "", key);
        }
        if (label->text)
            escape_text(&traces->text, plain_string(part, label->text));
        else
            units_label(&traces->text, label->number, traces->units[label->key], UNITS_AUTO);
    }
    buf_puts(&traces->text, traces->label_count ? "\n" : "");
}

static void put_location(struct traces *traces, uint32_t location, bool leaf, int64_t value)
{
    struct call_span span = call_graph_location(traces->graph, location);
    for (size_t i = span.count; i-- > 0;) {
        if (leaf && i + 1 == span.count)
            report_put_value(value, traces->reading, UNITS_AUTO, 10, &traces->text);
        else
            buf_printf(&traces->text, "%10s", "");
        buf_puts(&traces->text, "   ");
        report_put_name(traces->graph, span.functions[i], &traces->text);
        buf_puts(&traces->text, i ? " (inline)\n" : "\n");
    }
}

static void put_sample(struct traces *traces, uint32_t number)
{
    const struct plain_profile *part = traces->reading->part;
    struct plain_sample sample = part->samples.list[number];
    int64_t value = plain_values(part, number)[traces->reading->value];
    buf_puts(&traces->text, RULER);
    collect_labels(traces, sample.labels);
    put_labels(traces);
    for (uint32_t node = sample.stack; node; node = part->stacks.nodes[node].parent)
        put_location(traces, part->stacks.nodes[node].location, node == sample.stack, value);
}

enum rc report_print_traces(const struct report_options *options, const struct reported *reading,
                            FILE *out, struct err *err)
{
    (void)err;
    const struct plain_profile *part = reading->part;
    struct traces traces = {.reading = reading, .units = plain_tags_units(part)};
    traces.graph = call_graph_functions(part, reading->value);
    report_put_head(options, reading, UNITS_AUTO, &traces.text);
    for (uint32_t i = 0; i < part->samples.count; i++) {
        if (plain_is_empty(part, i) || !part->samples.list[i].stack)
            continue;
        put_sample(&traces, i);
        fwrite(traces.text.data, 1, traces.text.length, out);
        buf_clear(&traces.text);
    }
    fputs(traces.text.length ? traces.text.data : "", out);
    fputs(RULER, out);
    call_graph_free(traces.graph);
    free(traces.units);
    free(traces.labels);
    buf_fini(&traces.text);
    return RC_OK;
}
