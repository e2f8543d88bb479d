// SPDX-License-Identifier: MIT
// Collapsed ("folded") stacks: "process;root;...;leaf COUNT", one line for each distinct stack of
// names, sorted by bytes. COUNT is samples, or microseconds of wall time: threads that sleep may be
// looked at more seldom than those that run.
// The format has no escapes, so what its readers would take for structure is replaced: ';' by ':',
// and the last space of a leaf such as "worker 7" by '_', because flamegraph.pl reads a number
// there as the count of an older profile.
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/escape.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "output/formats.h"

#define NAMELESS "[unknown]"

struct stack_line {
    const char *text;
    uint64_t count;
};

struct collapsed {
    struct strtab lines; // without their counts; [0] is not used
    uint64_t *counts;    // [line]; of wall time ns
    size_t capacity;
};

static void put_frame(struct buf *line, const char *name)
{
    escape_folded(line, *name ? name : NAMELESS);
}

// As perf's users know it: the name of the process first, without spaces.
static void put_process(struct buf *line, const char *comm)
{
    size_t start = line->length;
    put_frame(line, comm);
    for (size_t i = start; i < line->length; i++)
        if (line->data[i] == ' ')
            line->data[i] = '_';
}

// Replaces the space before a number ("7", "7.", "7.5") at the end of the line, if there is one.
static void guard_number(struct buf *line)
{
    const char *text = line->data;
    size_t at = line->length;
    while (at && isdigit((unsigned char)text[at - 1]))
        at--;
    if (at && text[at - 1] == '.') {
        at--;
        while (at && isdigit((unsigned char)text[at - 1]))
            at--;
    }
    if (at && at < line->length && isdigit((unsigned char)text[at]) && text[at - 1] == ' ')
        line->data[at - 1] = '_';
}

// flamegraph.pl --color=java and its kin give frames with this ending a colour of their own.
static void put_stack(struct buf *line, const struct frames *frames, bool jit_suffix)
{
    for (size_t i = frames->count; i-- > 0;) {
        buf_putc(line, ';');
        put_frame(line, frames->list[i].line->name);
        if (jit_suffix && frames->list[i].jit)
            buf_puts(line, "_[j]");
    }
    guard_number(line);
}

static void count_line(struct collapsed *collapsed, const char *text, uint64_t count)
{
    size_t known = collapsed->lines.count;
    uint32_t id = strtab_add(&collapsed->lines, text);
    ARRAY_RESERVE(collapsed->counts, id, collapsed->capacity);
    if (collapsed->lines.count > known)
        collapsed->counts[id] = 0;
    collapsed->counts[id] += count;
}

// What has no samples (CPU time that no sample stands for) has no place in counts of samples.
static void collect(struct collapsed *collapsed, const struct report *report)
{
    struct query_source source = report_source(report);
    struct frames frames = {0};
    AUTO_BUF struct buf line = {0};
    for (size_t i = 0; i < profile_value_count(report->profile); i++) {
        const struct profile_value *value = profile_value_get(report->profile, i);
        uint64_t count = source.idle ? value->ns : value->samples;
        if (!query_takes(&source, value) || !count)
            continue;
        const struct profile_thread *thread = profile_thread_get(report->profile, value->thread);
        buf_clear(&line);
        put_process(&line, profile_string(report->profile, thread->process_comm));
        query_frames(&source, value->stack, &frames);
        put_stack(&line, &frames, report->jit_suffix);
        count_line(collapsed, line.data, count);
    }
    frames_fini(&frames);
}

static int compare_lines(const void *left, const void *right)
{
    const struct stack_line *a = left, *b = right;
    return strcmp(a->text, b->text);
}

// unit: of the counts, in what is written.
static enum rc put_lines(const struct collapsed *collapsed, uint64_t unit, FILE *out,
                         struct err *err)
{
    AUTO_BUF struct buf text = {0};
    size_t count = collapsed->lines.count - 1;
    AUTO_FREE struct stack_line *lines = xcalloc(count, sizeof *lines);
    for (uint32_t i = 0; i < count; i++)
        lines[i] = (struct stack_line){strtab_get(&collapsed->lines, i + 1),
                                       collapsed->counts[i + 1] / unit};
    qsort(lines, count, sizeof *lines, compare_lines);
    enum rc rc = RC_OK;
    for (size_t i = 0; i < count && rc == RC_OK; i++) {
        buf_printf(&text, "%s %" PRIu64 "\n", lines[i].text, lines[i].count);
        rc = output_some(out, &text, err);
    }
    return rc == RC_OK ? output_bytes(out, text.data, text.length, err) : rc;
}

enum rc collapsed_write(const struct report *report, FILE *out, struct err *err)
{
    struct collapsed collapsed = {0};
    strtab_init(&collapsed.lines);
    collect(&collapsed, report);
    uint64_t unit = report->run->type == RUN_WALL ? NS_PER_US : 1;
    enum rc rc = put_lines(&collapsed, unit, out, err);
    strtab_fini(&collapsed.lines);
    free(collapsed.counts);
    return rc;
}
