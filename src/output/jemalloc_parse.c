// SPDX-License-Identifier: MIT
// The heap profiles of jemalloc (MALLOC_CONF=prof:true, prof.dump):
//   heap_v2/524288
//     t*: 28106: 56637512 [0: 0]
//     t0: 28106: 56637512 [0: 0] NAME
//   @ 0x7f9173ea2630 0x55bad8d7616b
//     t*: 13: 6688 [0: 0]
//     t0: 13: 6688 [0: 0]
//   MAPPED_LIBRARIES:
// "t*" is the sum of all threads, which have numbers. Go's pprof does not read this, jeprof does:
// both scale values in the same way. Per thread they would not add up to the sum once they are
// scaled, so that only the sum is taken.
#include <string.h>

#include "output/heap_text.h"
#include "output/parsers.h"

#define MARK "heap_v2/"

struct jemalloc {
    struct heap_text text;
    bool begun;   // its types are known
    bool waiting; // a stack is there whose sum is not
};

bool jemalloc_recognizes(const char *bytes, size_t length)
{
    return length >= sizeof MARK - 1 && memcmp(bytes, MARK, sizeof MARK - 1) == 0;
}

static enum rc wrong(const struct jemalloc *jemalloc, size_t line, const char *what)
{
    return err_set(jemalloc->text.legacy.err, RC_FORMAT, "line %zu %s", line, what);
}

static enum rc take_period(struct jemalloc *jemalloc, struct text_span line)
{
    uint64_t period;
    scan_text(&line, MARK);
    if (!scan_number(&line, &period) || period > INT64_MAX)
        return wrong(jemalloc, 1, "does not say how many bytes a sample stands for");
    jemalloc->text.legacy.to->period = (int64_t)period;
    return RC_OK;
}

static enum rc take_stack(struct jemalloc *jemalloc, struct text_span line, size_t number)
{
    if (!jemalloc->begun)
        return wrong(jemalloc, number, "has a stack, but no line before it the sum \"t*:\"");
    if (jemalloc->waiting)
        return wrong(jemalloc, number, "has a stack, but the one before it has no sum \"t*:\"");
    jemalloc->waiting = true;
    return legacy_push_returns(&jemalloc->text.legacy, line, number);
}

static enum rc take_sum(struct jemalloc *jemalloc, struct text_span line, size_t number)
{
    struct heap_counts counts;
    if (!heap_counts_take(&line, &counts))
        return wrong(jemalloc, number, "has no counts behind \"t*:\"");
    if (!jemalloc->begun) {
        jemalloc->begun = true;
        heap_text_begin(&jemalloc->text, &counts, jemalloc->text.legacy.to->period, true);
        return RC_OK;
    }
    if (!jemalloc->waiting)
        return wrong(jemalloc, number, "has counts, but no stack is before it");
    jemalloc->waiting = false;
    return heap_text_add(&jemalloc->text, &counts, number);
}

static enum rc take_line(struct jemalloc *jemalloc, struct text_span line, size_t number)
{
    if (scan_is_comment(line))
        return RC_OK;
    scan_blanks(&line);
    if (scan_text(&line, "@"))
        return take_stack(jemalloc, line, number);
    if (scan_text(&line, "t*:"))
        return take_sum(jemalloc, line, number);
    return scan_is_at(&line, 't') ? RC_OK : wrong(jemalloc, number, "is of no heap profile");
}

static enum rc take_all(struct jemalloc *jemalloc, struct text_lines *lines)
{
    struct text_span line = {0};
    bool ended = false;
    enum rc rc = scan_line(lines, &line) ? take_period(jemalloc, line) : RC_FORMAT;
    while (rc == RC_OK && !ended && scan_line(lines, &line)) {
        ended = legacy_is_maps_mark(line);
        rc = ended ? RC_OK : take_line(jemalloc, line, lines->number);
    }
    if (rc == RC_OK && (!jemalloc->begun || jemalloc->waiting))
        return wrong(jemalloc, lines->number, "is its last one: it is not complete");
    if (rc == RC_OK)
        legacy_maps_behind(&jemalloc->text.legacy, lines, ended ? &line : NULL);
    return rc;
}

enum rc jemalloc_parse(const char *bytes, size_t length, size_t room,
                       struct plain_profile **profile, struct err *err)
{
    struct text_lines lines = {bytes, bytes + length, 0};
    struct jemalloc jemalloc = {.text = {.legacy = legacy_new(room, err)}};
    *profile = NULL;
    return legacy_end(&jemalloc.text.legacy, take_all(&jemalloc, &lines), profile);
}
