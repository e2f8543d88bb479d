// SPDX-License-Identifier: MIT
// Collapsed ("folded") stacks: "process;root;...;leaf COUNT", one line for each distinct stack of
// names, sorted by bytes. COUNT is samples in a CPU profile and microseconds in a wall profile,
// because sleeping threads may be sampled at a lower rate than running ones. In other profiles it
// is the value of the main sample type, microseconds if that is a time. Stacks of profiles without
// names of processes begin with the root. The format has no escapes, so characters that its readers
// would take for structure are replaced: ';' by ':', and the last space of a leaf such as
// "worker 7" by '_', because flamegraph.pl reads a number there as the count of an older profile.
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/escape.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "output/formats.h"
#include "profile/measure.h"
#include "profile/plain_frame.h"

#define NAMELESS "[unknown]"

struct stack_line {
    const char *text;
    uint64_t count;
};

struct collapsed {
    const struct writing *writing;
    struct measure measure;
    bool has_processes;
    struct buf line;
    uint32_t *way; // nodes of the present stack, leaf first
    size_t way_capacity;
    struct strtab lines; // stacks as text, without counts; [0] is not used
    uint64_t *counts;    // [line]; times are in ns
    size_t capacity;
};

static void put_frame(struct buf *line, const char *name)
{
    escape_folded(line, *name ? name : NAMELESS);
}

// The name of the process comes first, without spaces, as in the output of stackcollapse-perf.pl.
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

// flamegraph.pl --color=java and similar tools give frames with this suffix their own colour.
static void put_location(struct collapsed *collapsed, uint32_t location)
{
    const struct plain_profile *profile = collapsed->writing->profile;
    for (size_t i = plain_frame_count(profile, location); i-- > 0;) {
        struct plain_frame frame = plain_frame(profile, location, i);
        if (collapsed->line.length)
            buf_putc(&collapsed->line, ';');
        put_frame(&collapsed->line, frame.name);
        if (collapsed->writing->jit_suffix && frame.made)
            buf_puts(&collapsed->line, "_[j]");
    }
}

static void put_stack(struct collapsed *collapsed, uint32_t stack)
{
    const struct plain_node *nodes = collapsed->writing->profile->stacks.nodes;
    size_t count = 0;
    for (uint32_t at = stack; at; at = nodes[at].parent) {
        ARRAY_RESERVE(collapsed->way, count, collapsed->way_capacity);
        collapsed->way[count++] = at;
    }
    while (count-- > 0)
        put_location(collapsed, nodes[collapsed->way[count]].location);
    if (!collapsed->line.length)
        put_frame(&collapsed->line, "");
    guard_number(&collapsed->line);
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

static bool counts_samples(const struct measure *measure)
{
    return measure->counted && measure->ours && !measure->wall;
}

static bool names_processes(const struct writing *writing)
{
    const struct plain_profile *profile = writing->profile;
    bool named = writing->run != NULL;
    for (size_t i = 0; i < profile->labels.count && !named; i++)
        named = strcmp(plain_string(profile, profile->labels.list[i].key), "comm") == 0;
    return named;
}

// Those who waited for a lock and those who held it meanwhile are two flame graphs of one profile.
static void put_side(struct collapsed *collapsed, uint32_t labels)
{
    const struct plain_profile *profile = collapsed->writing->profile;
    const struct plain_label *side = plain_label(profile, labels, "side");
    const struct plain_label *lock = plain_label(profile, labels, "lock");
    if (!side)
        return;
    AUTO_FREE char *frame = xasprintf("[%s of %s]", plain_string(profile, side->text),
                                      lock ? plain_string(profile, lock->text) : "a lock");
    if (collapsed->line.length)
        buf_putc(&collapsed->line, ';');
    put_frame(&collapsed->line, frame);
}

// Counts of samples leave out CPU time that no sample stands for.
static void collect(struct collapsed *collapsed)
{
    const struct plain_profile *profile = collapsed->writing->profile;
    for (uint32_t i = 0; i < profile->samples.count; i++) {
        struct cost cost = measure_cost(&collapsed->measure, i);
        int64_t count = counts_samples(&collapsed->measure) ? cost.samples : cost_ns(cost);
        if (count <= 0) // the format has no negative ones
            continue;
        const struct plain_sample *sample = &profile->samples.list[i];
        const struct plain_label *comm = plain_label(profile, sample->labels, "comm");
        buf_clear(&collapsed->line);
        if (collapsed->has_processes)
            put_process(&collapsed->line, comm ? plain_string(profile, comm->text) : "");
        put_side(collapsed, sample->labels);
        put_stack(collapsed, sample->stack);
        count_line(collapsed, collapsed->line.data, count);
    }
}

static int compare_lines(const void *left, const void *right)
{
    const struct stack_line *a = left, *b = right;
    return strcmp(a->text, b->text);
}

// Counts are divided by `unit`, which is 1000 to write ns as microseconds.
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

enum rc collapsed_write(const struct writing *writing, FILE *out, struct err *err)
{
    struct collapsed collapsed = {
        .writing = writing,
        .measure = measure_of(writing->profile),
        .has_processes = names_processes(writing),
    };
    bool time = collapsed.measure.time && !counts_samples(&collapsed.measure);
    strtab_init(&collapsed.lines);
    collect(&collapsed);
    enum rc rc = put_lines(&collapsed, time ? NS_PER_US : 1, out, err);
    strtab_fini(&collapsed.lines);
    buf_fini(&collapsed.line);
    free(collapsed.way);
    free(collapsed.counts);
    return rc;
}
