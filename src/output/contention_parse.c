// SPDX-License-Identifier: MIT
// What was waited for locks, as Go tells it (block?debug=1, mutex?debug=1), and C++ programs with
// gperftools' contentionz:
//   --- mutex:
//   cycles/second=2000000000
//   sampling period=5
//   4000000 3 @ 0x4a1230 0x4a1400      cycles, how often, stack
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "output/legacy.h"
#include "output/parsers.h"

struct contention {
    struct legacy legacy;
    int64_t frequency; // cycles a second; 0: values are ns
};

static bool is_begin(struct text_span line)
{
    static const char *const marks[] = {"--- contentionz ", "--- mutex:", "--- contention:"};
    for (size_t i = 0; i < ARRAY_LENGTH(marks); i++)
        if (scan_text(&line, marks[i]))
            return true;
    return false;
}

bool contention_recognizes(const char *bytes, size_t length)
{
    return is_begin((struct text_span){bytes, bytes + length});
}

static void put_head(struct plain_profile *to)
{
    plain_add_type(to, "contentions", "count");
    plain_add_type(to, "delay", "nanoseconds");
    to->period_type = to->types[0];
    to->period = 1;
}

// Says whether the line tells of the whole. What is told that is not known is left alone, unless
// it says that the file is of another kind.
static bool take_fact(struct contention *contention, struct text_span line, bool *known)
{
    const char *sign = memchr(line.at, '=', scan_left(&line));
    int64_t ignored, ms = 0;
    const struct {
        const char *key;
        int64_t *value;
    } facts[] = {
        {"cycles/second", &contention->frequency},
        {"sampling period", &contention->legacy.to->period},
        {"ms since reset", &ms},
        {"discarded samples", &ignored},
    };
    if (!sign)
        return false;
    struct text_span key = {line.at, sign}, value = {sign + 1, line.end};
    scan_trim(&key);
    scan_trim(&value);
    *known = false;
    for (size_t i = 0; i < ARRAY_LENGTH(facts) && !*known; i++)
        *known = scan_left(&key) == strlen(facts[i].key) && scan_text(&key, facts[i].key) &&
                 scan_signed(&value, facts[i].value) && !scan_left(&value);
    if (ms)
        contention->legacy.to->duration = legacy_product(ms, 1000000);
    return true;
}

static int64_t ns_of(const struct contention *contention, int64_t cycles)
{
    int64_t period = contention->legacy.to->period;
    if (period <= 0 || contention->frequency <= 0)
        return cycles;
    double ns = (double)cycles * (double)period / ((double)contention->frequency / 1e9);
    return ns >= 0x1p63 ? INT64_MAX : (int64_t)ns;
}

static enum rc take_sample(struct contention *contention, struct text_span line, size_t number)
{
    int64_t cycles, count, period = contention->legacy.to->period;
    scan_blanks(&line);
    bool taken = scan_signed(&line, &cycles) && scan_blank(&line) && scan_signed(&line, &count) &&
                 scan_blank(&line) && scan_text(&line, "@") && cycles >= 0 && count >= 0;
    if (!taken)
        return err_set(contention->legacy.err, RC_FORMAT, "line %zu is no sample of contentions",
                       number);
    enum rc rc = legacy_push_returns(&contention->legacy, line, number);
    const int64_t values[] = {legacy_product(count, period > 0 ? period : 1),
                              ns_of(contention, cycles)};
    return rc == RC_OK ? legacy_add(&contention->legacy, 0, values) : rc;
}

static bool is_end(struct text_span line)
{
    scan_blanks(&line);
    return scan_text(&line, "---");
}

static enum rc take_line(struct contention *contention, struct text_span line, size_t number,
                         bool *in_head)
{
    bool known = true;
    if (scan_is_comment(line)) {
        legacy_comment(&contention->legacy, line);
        return RC_OK;
    }
    *in_head = *in_head && take_fact(contention, line, &known);
    if (!known)
        return err_set(contention->legacy.err, RC_FORMAT, "line %zu says what ptprof does not know "
                       "of contentions", number);
    return *in_head ? RC_OK : take_sample(contention, line, number);
}

static enum rc take_all(struct contention *contention, struct text_lines *lines)
{
    struct text_span line;
    bool in_head = true, ended = false;
    enum rc rc = RC_OK;
    put_head(contention->legacy.to);
    legacy_set_drops(&contention->legacy, LEGACY_DROPS_CONTENTION);
    scan_line(lines, &line);
    while (rc == RC_OK && !ended && scan_line(lines, &line)) {
        ended = is_end(line);
        rc = ended ? RC_OK : take_line(contention, line, lines->number, &in_head);
    }
    if (rc == RC_OK)
        legacy_maps_behind(&contention->legacy, lines, ended ? &line : NULL);
    return rc;
}

enum rc contention_parse(const char *bytes, size_t length, size_t room,
                         struct plain_profile **profile, struct err *err)
{
    struct text_lines lines = {bytes, bytes + length, 0};
    struct contention contention = {.legacy = legacy_new(room, err)};
    *profile = NULL;
    return legacy_end(&contention.legacy, take_all(&contention, &lines), profile);
}
