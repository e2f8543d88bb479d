// SPDX-License-Identifier: MIT
#include "tui/label.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "symbol/short_name.h"

const char *label_percent(double percent, char text[FIGURES_MOST])
{
    snprintf(text, FIGURES_MOST, "%.1f", percent);
    if (percent <= 0)
        text[0] = '\0';
    return text;
}

const char *label_share(const struct state *state, double percent, char text[FIGURES_MOST])
{
    bool pair = state->file.subject == SUBJECT_PAIR;
    if (state->file.subject == SUBJECT_RUN)
        return label_percent(percent, text);
    snprintf(text, FIGURES_MOST, pair ? "%+.1f" : "%.1f", percent);
    if (fabs(percent) < 1e-9)
        text[0] = '\0';
    return text;
}

const char *label_value(const struct scene *scene, const struct state *state, int64_t value,
                        char text[FIGURES_MOST])
{
    if (state->file.subject == SUBJECT_RUN)
        return figures_seconds(value, text);
    return figures_value(value, scene->measure.unit, state->file.subject == SUBJECT_PAIR, text);
}

const char *label_hold(int64_t ns, char text[FIGURES_MOST])
{
    return ns ? figures_duration(ns, text) : strcpy(text, "0ns");
}

// --- names ---

static void put_function(const struct state *state, const struct function *function, bool inlined,
                         struct buf *out)
{
    if (state->wanted.mangled || state->wanted.verbose)
        buf_puts(out, state->wanted.mangled ? function->system_name : function->name);
    else
        short_name_fold(function->name, out);
    if (inlined)
        buf_puts(out, " (inlined)");
}

void label_function_within(const struct state *state, const struct canvas *canvas, int width,
                           const struct function *function, bool inlined, struct buf *out)
{
    size_t start = out->length;
    put_function(state, function, inlined, out);
    if (state->wanted.mangled || state->wanted.verbose ||
        canvas_width(canvas, out->data + start) <= width)
        return;
    out->length = start;
    short_name_bare(function->name, out);
    if (inlined)
        buf_puts(out, " (inlined)");
}

void label_line(const struct state *state, const char *file, uint32_t line, struct buf *out)
{
    const char *slash = strrchr(file, '/');
    buf_puts(out, slash && !state->wanted.verbose ? slash + 1 : file);
    if (*file && line)
        buf_printf(out, ":%" PRIu32, line);
}

const char *label_module(const struct state *state, const struct function *function)
{
    return state->wanted.verbose && *function->path ? function->path : function->module;
}

void label_threads(const struct state *state, struct buf *out)
{
    const struct filter *filter = &state->query.filter;
    const char *label = state->file.label;
    if (filter->tid)
        buf_printf(out, "thread %d", (int)filter->tid);
    else if (label && filter->thread)
        buf_printf(out, "%s %s", label, filter->thread);
    else if (state->file.subject != SUBJECT_RUN)
        buf_puts(out, "all samples");
    else if (filter->thread)
        buf_printf(out, "threads named %s", filter->thread);
    else
        buf_puts(out, "all threads");
}
