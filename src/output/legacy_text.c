// SPDX-License-Identifier: MIT
// The texts that heap_text_parse.c, contention_parse.c and count_text_parse.c read:
//   goroutine profile: total 3
//   2 @ 0x401178 0x4010f6
//   #	0x401177	work+0x17	/src/work.c:12
//   #	0x4010f5	main+0x35	/src/work.c:30
// Stacks are together whatever their labels are, the largest first. Readers take each address for
// one behind a call, the leaf's too, and subtract 1: so 1 is added to all. Behind the stacks
// follows what was mapped where, by which pprof finds names itself.
#include "output/legacy_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/escape.h"
#include "base/map.h"
#include "base/mem.h"
#include "output/formats.h"
#include "profile/plain_frame.h"

#define VALUES_MOST 4
#define TAB 8 // columns

struct legacy_row { // all samples of one stack
    uint32_t stack;
    int64_t values[VALUES_MOST];
};

struct legacy_writing {
    const struct plain_profile *profile;
    const char *name;
    size_t values; // of each row
    struct legacy_row *rows;
    size_t count, capacity;
    int64_t sums[VALUES_MOST];
    FILE *out;
    struct buf text;
};

// --- rows ---

static void add_sample(struct legacy_writing *writing, struct map *known, uint32_t sample)
{
    const struct plain_profile *profile = writing->profile;
    const int64_t *values = plain_values(profile, sample);
    uint32_t stack = profile->samples.list[sample].stack;
    uint32_t row = map_number(known, stack);
    if (row == writing->count) {
        ARRAY_RESERVE(writing->rows, writing->count, writing->capacity);
        writing->rows[writing->count++] = (struct legacy_row){.stack = stack};
    }
    for (size_t i = 0; i < writing->values; i++) {
        writing->rows[row].values[i] += values[i];
        writing->sums[i] += values[i];
    }
}

static int compare(const void *left, const void *right, void *context)
{
    const struct legacy_row *a = left, *b = right;
    size_t main = *(const size_t *)context - 1;
    if (a->values[main] != b->values[main])
        return a->values[main] < b->values[main] ? 1 : -1;
    return (a->stack > b->stack) - (a->stack < b->stack);
}

static void add_rows(struct legacy_writing *writing)
{
    struct map known = {0};
    for (uint32_t i = 0; i < writing->profile->samples.count; i++)
        if (!plain_is_empty(writing->profile, i))
            add_sample(writing, &known, i);
    if (writing->count)
        qsort_r(writing->rows, writing->count, sizeof *writing->rows, compare, &writing->values);
    map_fini(&known);
}

// --- the three kinds ---

static const char *type_name(const struct plain_profile *profile, size_t type)
{
    return type < profile->type_count ? plain_string(profile, profile->types[type].type) : "";
}

static void put_total(struct legacy_writing *writing)
{
    buf_printf(&writing->text, "%s profile: total %" PRId64 "\n", writing->name,
               writing->sums[0]);
}

static void put_count(struct legacy_writing *writing, const int64_t *values)
{
    buf_printf(&writing->text, "%" PRId64, values[0]);
}

static void put_pairs(struct legacy_writing *writing, const int64_t *values)
{
    const int64_t *in_use = values + writing->values - 2; // which are all that there are of two
    buf_printf(&writing->text, "%" PRId64 ": %" PRId64 " [%" PRId64 ": %" PRId64 "]", in_use[0],
               in_use[1], values[0], values[1]);
}

// Allocations that were all counted stand for themselves only: the rate is 1, of which Go's
// programs write the double.
static void put_heap(struct legacy_writing *writing)
{
    buf_puts(&writing->text, "heap profile: ");
    put_pairs(writing, writing->sums);
    buf_puts(&writing->text, " @ heap/2\n");
}

// A cycle takes a nanosecond.
static void put_contentions(struct legacy_writing *writing)
{
    bool mutex = strcmp(writing->name, "mutex") == 0;
    buf_printf(&writing->text, "--- %s:\ncycles/second=%lld\n%s", mutex ? "mutex" : "contention",
               (long long)NS_PER_S, mutex ? "sampling period=1\n" : "");
}

static void put_delay(struct legacy_writing *writing, const int64_t *values)
{
    buf_printf(&writing->text, "%" PRId64 " %" PRId64, values[1], values[0]);
}

static const struct legacy_kind {
    const char *last; // of the types of its values; NULL: any
    size_t least, most; // values
    void (*put_head)(struct legacy_writing *writing);
    void (*put_values)(struct legacy_writing *writing, const int64_t *values);
} kinds[] = {
    {"inuse_space", 2, 4, put_heap, put_pairs},
    {"delay", 2, 2, put_contentions, put_delay},
    {NULL, 0, 1, put_total, put_count},
};

static const struct legacy_kind *kind_of(const struct plain_profile *profile)
{
    const struct legacy_kind *kind = kinds;
    const char *last = profile->type_count ? type_name(profile, profile->type_count - 1) : "";
    while (kind->last && (strcmp(kind->last, last) != 0 || profile->type_count < kind->least ||
                          profile->type_count > kind->most))
        kind++;
    return kind;
}

// --- stacks ---

// Columns are as wide as tabs, with at least one behind each text, as Go aligns them.
static size_t width_of(size_t length)
{
    return (length / TAB + 1) * TAB;
}

static void put_cell(struct buf *out, const char *text, size_t width)
{
    size_t length = strlen(text);
    buf_puts(out, text);
    for (; length < width; length = length / TAB * TAB + TAB)
        buf_putc(out, '\t');
}

// "main+0x1f", where it is known how far inside of it that is.
static char *name_of(const struct plain_location *location, const struct plain_frame *frame)
{
    char *name = escape_text_dup(frame->name);
    if (!location->inside)
        return name;
    char *whole = xasprintf("%s+0x%" PRIx32, name, location->inside - 1);
    free(name);
    return whole;
}

static void put_frame(struct legacy_writing *writing, const struct plain_location *location,
                      const struct plain_frame *frame, size_t width)
{
    AUTO_FREE char *number = xasprintf("0x%" PRIx64, location->address);
    AUTO_FREE char *name = name_of(location, frame);
    buf_puts(&writing->text, "#\t");
    put_cell(&writing->text, number, width_of(strlen(number)));
    if (*frame->file) {
        put_cell(&writing->text, name, width);
        escape_text(&writing->text, frame->file);
        buf_printf(&writing->text, ":%" PRId64, frame->line);
    } else {
        buf_puts(&writing->text, name);
    }
    buf_putc(&writing->text, '\n');
}

static size_t name_width(const struct legacy_writing *writing, uint32_t number)
{
    const struct plain_location *location = &writing->profile->code.locations[number];
    size_t widest = 0;
    for (size_t i = 0; i < location->count; i++) {
        struct plain_frame frame = plain_frame(writing->profile, number, i);
        AUTO_FREE char *name = name_of(location, &frame);
        size_t width = width_of(strlen(name));
        widest = width > widest ? width : widest;
    }
    return widest;
}

// From the leaf on. Where nobody looked up names there are none.
static void put_frames(struct legacy_writing *writing, uint32_t stack)
{
    const struct plain_profile *profile = writing->profile;
    const struct plain_node *nodes = profile->stacks.nodes;
    size_t widest = 0;
    for (uint32_t at = stack; at; at = nodes[at].parent) {
        size_t width = name_width(writing, nodes[at].location);
        widest = width > widest ? width : widest;
    }
    for (uint32_t at = stack; at; at = nodes[at].parent) {
        const struct plain_location *location = &profile->code.locations[nodes[at].location];
        for (size_t i = 0; i < location->count; i++) {
            struct plain_frame frame = plain_frame(profile, nodes[at].location, i);
            put_frame(writing, location, &frame, widest);
        }
    }
}

static void put_row(struct legacy_writing *writing, const struct legacy_kind *kind,
                    const struct legacy_row *row)
{
    const struct plain_profile *profile = writing->profile;
    const struct plain_node *nodes = profile->stacks.nodes;
    kind->put_values(writing, row->values);
    buf_puts(&writing->text, " @");
    for (uint32_t at = row->stack; at; at = nodes[at].parent)
        buf_printf(&writing->text, " 0x%" PRIx64,
                   profile->code.locations[nodes[at].location].address + 1);
    if (!row->stack)
        buf_puts(&writing->text, " 0x1"); // readers want one address at least
    buf_putc(&writing->text, '\n');
    put_frames(writing, row->stack);
    buf_putc(&writing->text, '\n');
}

// --- mappings ---

static void put_mappings(struct legacy_writing *writing)
{
    const struct plain_code *code = &writing->profile->code;
    buf_puts(&writing->text, "--- Memory map: ---\n");
    for (size_t i = 0; i < code->mapping_count; i++) {
        const struct plain_mapping *mapping = &code->mappings[i];
        buf_printf(&writing->text, "%08" PRIx64 "-%08" PRIx64 " r-xp %08" PRIx64 " 00:00 0 ",
                   mapping->start, mapping->limit, mapping->offset);
        escape_text(&writing->text, plain_string(writing->profile, mapping->file));
        buf_putc(&writing->text, '\n');
    }
}

static enum rc write_all(struct legacy_writing *writing, struct err *err)
{
    const struct legacy_kind *kind = kind_of(writing->profile);
    enum rc rc = RC_OK;
    writing->values = writing->profile->type_count < kind->most ? writing->profile->type_count
                                                                : kind->most;
    add_rows(writing);
    kind->put_head(writing);
    for (size_t i = 0; i < writing->count && rc == RC_OK; i++) {
        put_row(writing, kind, &writing->rows[i]);
        rc = output_some(writing->out, &writing->text, err);
    }
    put_mappings(writing);
    return rc == RC_OK ? output_bytes(writing->out, writing->text.data, writing->text.length, err)
                       : rc;
}

enum rc legacy_text_write(const struct plain_profile *profile, const char *name, FILE *out,
                          struct err *err)
{
    struct legacy_writing writing = {.profile = profile, .name = name, .out = out};
    enum rc rc = write_all(&writing, err);
    free(writing.rows);
    buf_fini(&writing.text);
    return rc;
}
