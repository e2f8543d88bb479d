// SPDX-License-Identifier: MIT
// This header is private to `ptprof report`: a view prints one kind of report.
#pragma once

#include <stdio.h>

#include "base/buf.h"
#include "commands/reading.h"
#include "rows/call_graph.h"
#include "rows/source_lines.h"

#define REPORT_TOP_COUNT 20
#define REPORT_ANY_COUNT UINT64_MAX // none was asked for

struct report_options {
    struct reading_options reading;
    uint64_t top; // functions, 0: all
    bool tree, traces, json;
    const char *peek, *by;
    const char *list, *source_path, *trim_path;
    const char *graph; // file
    bool force;        // it may replace a link
    int sort; // enum call_order
};

// Writes the report to `out`.
typedef enum rc report_print(const struct report_options *options, const struct reported *reading,
                             FILE *out, struct err *err);

report_print report_print_top, report_print_tree, report_print_peek, report_print_traces,
    report_print_groups, report_print_list, report_print_picture, report_print_json;

// Returns a graph, which the caller frees, trimmed as pprof does in its report of functions.
// count: how many functions if the options do not say so.
struct call_graph *report_graph(const struct report_options *options,
                                const struct reported *reading, size_t count);

// Finds the lines that --list asks for. RC_FAIL if there are none; otherwise the caller frees them.
enum rc report_lines(const struct report_options *options, const struct reported *reading,
                     struct source_lines *lines, struct err *err) MUST_CHECK;

// Returns the unit for all functions of a graph.
const char *report_unit(const struct reported *reading, const struct call_graph *graph);

// Appends the first lines of a report: what was measured, when, and through which filters.
void report_put_head(const struct report_options *options, const struct reported *reading,
                 const char *unit, struct buf *out);

// Appends how much of it the functions of the graph account for, and what is left out.
void report_put_shown(const struct reported *reading, const struct call_graph *graph,
                  const char *unit, struct buf *out);

// Appends "      50ms 29.41% 94.12%       50ms 29.41%". sum: of self costs so far, which grows.
void report_put_columns(const struct reported *reading, const struct call_function *function,
                    const char *unit, int64_t *sum, struct buf *out);

// Appends a value at the end of so many columns.
void report_put_value(int64_t value, const struct reported *reading, const char *unit, int columns,
                  struct buf *out);

// Appends the name of a function, escaped.
void report_put_name(const struct call_graph *graph, uint32_t function, struct buf *out);

struct report_group { // samples with the same text of a label, or modules
    char *name; // raw, owned
    int64_t self, total; // of labels both are the same
};

struct report_groups {
    struct report_group *list; // owned
    size_t count, capacity;
    bool modules;
};

// Adds up samples by what --by asks for, the heaviest first. RC_USAGE if no sample has it.
enum rc report_groups_make(const struct report_options *options, const struct reported *reading,
                           struct report_groups *groups, struct err *err) MUST_CHECK;
void report_groups_fini(struct report_groups *groups);
