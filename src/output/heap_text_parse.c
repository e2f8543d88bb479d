// SPDX-License-Identifier: MIT
// The heap profiles of tcmalloc (HEAPPROFILE, HeapProfilerStart) and of Go (heap?debug=1):
//   heap profile:   6667:  3997033 [ 20000: 11990000] @ heapprofile
//     6667:  3997033 [ 20000: 11990000] @ 0x55f21294216b 0x55f2129421cd
//   MAPPED_LIBRARIES:
// What follows '@' in the first line says how allocations were picked:
//   heapprofile      all of them
//   heap_v2/524288   one in so many bytes, by chance
//   heap/1048576     the same, twice as many bytes (Go)
//   growth, fragmentation   all of them, of another kind
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "output/heap_text.h"
#include "output/parsers.h"

#define MARK "heap profile:"

// --- counts ---

bool heap_counts_take(struct text_span *scan, struct heap_counts *counts)
{
    struct text_span rest = *scan;
    int64_t *const wanted[] = {&counts->objects, &counts->bytes, &counts->all_objects,
                               &counts->all_bytes};
    static const char *const behind[] = {":", "", ":", "]"};
    for (size_t i = 0; i < 4; i++) {
        scan_blanks(&rest);
        if (i == 2 && !scan_text(&rest, "["))
            return false;
        scan_blanks(&rest);
        if (!scan_signed(&rest, wanted[i]) || !scan_text(&rest, behind[i]))
            return false;
    }
    *scan = rest;
    return true;
}

static bool differs(int64_t all, int64_t in_use)
{
    return all && all != in_use;
}

void heap_text_begin(struct heap_text *text, const struct heap_counts *sums, int64_t period,
                     bool scaled)
{
    struct plain_profile *to = text->legacy.to;
    text->has_all =
        differs(sums->all_objects, sums->objects) || differs(sums->all_bytes, sums->bytes);
    text->scaled = scaled;
    if (text->has_all) {
        plain_add_type(to, "alloc_objects", "count");
        plain_add_type(to, "alloc_space", "bytes");
    }
    plain_add_type(to, text->has_all ? "inuse_objects" : "objects", "count");
    plain_add_type(to, text->has_all ? "inuse_space" : "space", "bytes");
    to->period_type.type = plain_text(to, "space");
    to->period_type.unit = plain_text(to, "bytes");
    to->period = period;
    legacy_set_drops(&text->legacy, LEGACY_DROPS_HEAP);
}

static int64_t whole(double value)
{
    if (value >= 0x1p63)
        return INT64_MAX;
    return value <= -0x1p63 ? INT64_MIN : (int64_t)value;
}

// An allocation of s bytes is picked with a chance of 1 - exp(-s / period).
static void scale(const struct heap_text *text, int64_t *objects, int64_t *bytes)
{
    double period = (double)text->legacy.to->period;
    if (!*objects || !*bytes) {
        *objects = *bytes = 0;
    } else if (period > 1) {
        double size = (double)*bytes / (double)*objects;
        double factor = 1 / (1 - exp(-size / period));
        *objects = whole((double)*objects * factor);
        *bytes = whole((double)*bytes * factor);
    }
}

// Takes one pair of counts, and the size of a block where there are any.
static bool take_pair(const struct heap_text *text, int64_t objects, int64_t bytes,
                      int64_t *values, int64_t *size)
{
    if (!objects && bytes)
        return false;
    if (objects)
        *size = objects == -1 ? legacy_product(bytes, -1) : bytes / objects;
    if (objects && text->scaled)
        scale(text, &objects, &bytes);
    values[0] = objects;
    values[1] = bytes;
    return true;
}

enum rc heap_text_add(struct heap_text *text, const struct heap_counts *counts, size_t line)
{
    int64_t values[4] = {0}, size = 0;
    int64_t *in_use = text->has_all ? values + 2 : values;
    uint32_t labels = 0;
    if ((text->has_all &&
         !take_pair(text, counts->all_objects, counts->all_bytes, values, &size)) ||
        !take_pair(text, counts->objects, counts->bytes, in_use, &size))
        return err_set(text->legacy.err, RC_FORMAT, "line %zu has bytes without objects", line);
    if (size)
        labels = plain_with_number(text->legacy.to, 0, "bytes", size);
    return legacy_add(&text->legacy, labels, values);
}

// --- the text ---

bool heap_text_recognizes(const char *bytes, size_t length)
{
    return length >= sizeof MARK - 1 && memcmp(bytes, MARK, sizeof MARK - 1) == 0;
}

static const struct heap_kind {
    const char *name;
    bool scaled;
    int64_t divisor; // of the number behind it, which is the period; 0: each allocation is there
    bool only_bytes; // the second pair of its sums says nothing
} kinds[] = {
    {"heapz_v2", true, 1, false},      {"heap_v2", true, 1, false},
    {"heapprofile", false, 0, false},  {"heap", true, 2, false},
    {"growthz", false, 0, true},       {"growth", false, 0, true},
    {"fragmentationz", false, 0, true}, {"fragmentation", false, 0, true},
};

static const struct heap_kind *take_kind(struct text_span *line)
{
    struct text_span name = {line->at, line->at};
    while (name.end < line->end && *name.end != '/' && *name.end != ' ')
        name.end++;
    line->at = name.end;
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++)
        if (strlen(kinds[i].name) == scan_left(&name) &&
            memcmp(name.at, kinds[i].name, scan_left(&name)) == 0)
            return &kinds[i];
    return NULL;
}

static enum rc take_header(struct heap_text *text, struct text_span line)
{
    struct heap_counts sums;
    struct err *err = text->legacy.err;
    uint64_t rate = 0;
    scan_text(&line, MARK);
    if (!heap_counts_take(&line, &sums))
        return err_set(err, RC_FORMAT, "line 1 has no sums of a heap profile");
    scan_blanks(&line);
    scan_text(&line, "@");
    scan_blanks(&line);
    const struct heap_kind *kind = take_kind(&line);
    if (!kind)
        return err_set(err, RC_FORMAT, "line 1 is of a kind of heap profile that ptprof does not "
                                       "know");
    if (scan_text(&line, "/") && scan_left(&line) &&
        (!scan_number(&line, &rate) || rate > INT64_MAX))
        return err_set(err, RC_FORMAT, "line 1 has no number of bytes behind '/'");
    if (kind->only_bytes)
        sums.all_objects = sums.all_bytes = 0;
    heap_text_begin(text, &sums, kind->divisor ? (int64_t)rate / kind->divisor : 1, kind->scaled);
    return RC_OK;
}

static enum rc take_sample(struct heap_text *text, struct text_span line, size_t number)
{
    struct heap_counts counts;
    scan_blanks(&line);
    bool taken = heap_counts_take(&line, &counts);
    scan_blanks(&line);
    if (!taken || !scan_text(&line, "@"))
        return err_set(text->legacy.err, RC_FORMAT, "line %zu is no sample of a heap profile",
                       number);
    enum rc rc = legacy_push_returns(&text->legacy, line, number);
    return rc == RC_OK ? heap_text_add(text, &counts, number) : rc;
}

static enum rc take_all(struct heap_text *text, struct text_lines *lines)
{
    struct text_span line = {0};
    bool ended = false;
    enum rc rc = scan_line(lines, &line) ? take_header(text, line) : RC_FORMAT;
    while (rc == RC_OK && !ended && scan_line(lines, &line)) {
        ended = legacy_is_maps_mark(line);
        if (scan_is_comment(line))
            legacy_comment(&text->legacy, line);
        else if (!ended)
            rc = take_sample(text, line, lines->number);
    }
    if (rc == RC_OK)
        legacy_maps_behind(&text->legacy, lines, ended ? &line : NULL);
    return rc;
}

enum rc heap_text_parse(const char *bytes, size_t length, size_t room,
                        struct plain_profile **profile, struct err *err)
{
    struct text_lines lines = {bytes, bytes + length, 0};
    struct heap_text text = {.legacy = legacy_new(room, err)};
    *profile = NULL;
    return legacy_end(&text.legacy, take_all(&text, &lines), profile);
}
