// SPDX-License-Identifier: MIT
#include "tui/label.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/duration.h"
#include "symbol/short_name.h"

const char *label_percent(double percent, char text[LABEL_MOST])
{
    snprintf(text, LABEL_MOST, "%.1f", percent);
    if (percent <= 0)
        text[0] = '\0';
    return text;
}

const char *label_time(int64_t ns, char text[LABEL_MOST])
{
    double seconds = (double)ns / NS_PER_S;
    if (ns <= 0)
        text[0] = '\0';
    else if (seconds < 9.995)
        snprintf(text, LABEL_MOST, "%.2fs", seconds);
    else if (seconds < 99.95)
        snprintf(text, LABEL_MOST, "%.1fs", seconds);
    else
        label_clock(ns, text);
    return text;
}

const char *label_clock(int64_t ns, char text[LABEL_MOST])
{
    static const struct {
        int64_t below; // seconds
        int64_t large, small;
        const char *format;
    } table[] = {
        {3600, 60, 1, "%" PRId64 "m%02" PRId64 "s"},
        {86400, 3600, 60, "%" PRId64 "h%02" PRId64 "m"},
        {INT64_MAX, 86400, 3600, "%" PRId64 "d%02" PRId64 "h"},
    };
    int64_t seconds = ns > 0 ? ns / NS_PER_S : 0;
    size_t i = 0;
    while (seconds >= table[i].below)
        i++;
    int64_t large = seconds / table[i].large, rest = seconds % table[i].large;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(text, LABEL_MOST, table[i].format, large, rest / table[i].small);
#pragma GCC diagnostic pop
    return text;
}

const char *label_hold(int64_t ns, char text[LABEL_MOST])
{
    _Static_assert(LABEL_MOST >= DURATION_TEXT, "room for a duration");
    return duration_format(ns, text);
}

const char *label_bytes(uint64_t bytes, char text[LABEL_MOST])
{
    static const char units[] = "BKMGTPE";
    double value = (double)bytes;
    size_t unit = 0;
    for (; value >= 1000 && units[unit + 1]; unit++)
        value /= 1024;
    snprintf(text, LABEL_MOST, value < 10 && unit ? "%.1f%c" : "%.0f%c", value, units[unit]);
    return text;
}

// --- names ---

void label_function(const struct state *state, const struct function *function, bool inlined,
                    struct buf *out)
{
    if (state->mangled || state->verbose)
        buf_puts(out, state->mangled ? function->system_name : function->name);
    else
        short_name_fold(function->name, out);
    if (inlined)
        buf_puts(out, " (inlined)");
}

void label_function_within(const struct state *state, const struct canvas *canvas, int width,
                           const struct function *function, bool inlined, struct buf *out)
{
    size_t start = out->length;
    label_function(state, function, inlined, out);
    if (state->mangled || state->verbose || canvas_width(canvas, out->data + start) <= width)
        return;
    out->length = start;
    short_name_bare(function->name, out);
    if (inlined)
        buf_puts(out, " (inlined)");
}

void label_line(const struct state *state, const char *file, uint32_t line, struct buf *out)
{
    const char *slash = strrchr(file, '/');
    buf_puts(out, slash && !state->verbose ? slash + 1 : file);
    if (*file && line)
        buf_printf(out, ":%" PRIu32, line);
}

const char *label_module(const struct state *state, const struct function *function)
{
    return state->verbose && *function->path ? function->path : function->module;
}

void label_threads(const struct state *state, struct buf *out)
{
    const struct filter *filter = &state->query.filter;
    if (filter->tid)
        buf_printf(out, "thread %d", (int)filter->tid);
    else if (filter->thread)
        buf_printf(out, "threads named %s", filter->thread);
    else
        buf_puts(out, "all threads");
}
