// SPDX-License-Identifier: MIT
#include "base/duration.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/escape.h"
#include "base/mem.h"

#define NS_PER_MINUTE (60 * (int64_t)NS_PER_S)
#define NS_PER_HOUR (60 * NS_PER_MINUTE)
#define LONGEST (366 * 24 * NS_PER_HOUR)

enum { UNIT_H, UNIT_M, UNIT_S, UNIT_MS, UNIT_US };

static const struct time_unit {
    const char *name;
    int64_t ns;
} units[] = {
    [UNIT_H] = {"h", NS_PER_HOUR},   [UNIT_M] = {"m", NS_PER_MINUTE}, [UNIT_S] = {"s", NS_PER_S},
    [UNIT_MS] = {"ms", NS_PER_MS}, [UNIT_US] = {"us", NS_PER_US},
};

enum part_end { PART_OK, PART_BAD, PART_TOO_LONG };

// Returns the unit that the letters at *at name, or NULL.
static const struct time_unit *parse_unit(const char **at)
{
    size_t length = strspn(*at, "abcdefghijklmnopqrstuvwxyz");
    for (size_t i = 0; i < ARRAY_LENGTH(units); i++) {
        if (strlen(units[i].name) == length && memcmp(units[i].name, *at, length) == 0) {
            *at += length;
            return &units[i];
        }
    }
    return NULL;
}

// Parses digits, "." and more digits, times `scale`; what is smaller than 1 ns is dropped.
static enum part_end scale_number(const char *digits, size_t whole, size_t fraction, int64_t scale,
                                  int64_t *ns)
{
    int64_t count = 0;
    for (size_t i = 0; i < whole; i++) {
        count = count * 10 + (digits[i] - '0');
        if (count > LONGEST / scale)
            return PART_TOO_LONG;
    }
    *ns = count * scale;
    for (size_t i = 1; i <= fraction; i++)
        *ns += (scale /= 10) * (digits[whole + i] - '0');
    return PART_OK;
}

// Adds one "NUMBER UNIT" to *sum. *below is the unit of the part before it, else INT64_MAX.
static enum part_end parse_part(const char **at, int64_t *below, int64_t *sum)
{
    const char *digits = *at;
    size_t whole = strspn(digits, "0123456789");
    bool point = whole && digits[whole] == '.';
    size_t fraction = point ? strspn(digits + whole + 1, "0123456789") : 0;
    *at += whole + point + fraction;
    bool bare = !**at && *below == INT64_MAX;
    const struct time_unit *unit = parse_unit(at);
    int64_t scale = bare ? NS_PER_S : unit ? unit->ns : INT64_MAX;
    if (!whole || (point && !fraction) || scale >= *below)
        return PART_BAD;
    int64_t ns = 0;
    enum part_end end = scale_number(digits, whole, fraction, scale, &ns);
    *below = scale;
    *sum += ns;
    return end;
}

enum rc duration_parse(const char *text, int64_t *ns, struct err *err)
{
    AUTO_FREE char *shown = escape_text_dup(text);
    bool negative = text[0] == '-' && isdigit((unsigned char)text[1]);
    const char *at = text + negative;
    int64_t sum = 0, below = INT64_MAX;
    enum part_end end;
    do
        end = parse_part(&at, &below, &sum);
    while (end == PART_OK && *at);
    if (end == PART_BAD)
        return err_set(err, RC_USAGE, "'%s' is not a duration; write 30s, 500ms or 1h30m", shown);
    if (negative)
        return err_set(err, RC_USAGE, "'%s' is negative; write 30s, 500ms or 1h30m", shown);
    if (end == PART_TOO_LONG || sum > LONGEST)
        return err_set(err, RC_USAGE, "'%s' is longer than a year", shown);
    if (!sum)
        return err_set(err, RC_USAGE, "'%s' is no time at all; write 30s, 500ms or 1h30m", shown);
    *ns = sum;
    return RC_OK;
}

// Writes "12.4s" or "38us": with tenths below `tenths_below` units, never with ".0". Returns false
// when the number rounds to `limit` units or more.
static bool format_decimal(int64_t ns, const struct time_unit *unit, int64_t limit,
                           int64_t tenths_below, char text[DURATION_TEXT])
{
    int64_t tenths = (ns + unit->ns / 20) / (unit->ns / 10);
    if (tenths >= tenths_below * 10)
        tenths = (ns + unit->ns / 2) / unit->ns * 10;
    if (tenths >= limit * 10)
        return false;
    int length = snprintf(text, DURATION_TEXT, "%lld", (long long)tenths / 10);
    if (tenths % 10)
        length += snprintf(text + length, DURATION_TEXT - length, ".%d", (int)(tenths % 10));
    snprintf(text + length, DURATION_TEXT - length, "%s", unit->name);
    return true;
}

// Writes "1h30m", "2m" or "1m5s": hours and minutes, or minutes and seconds.
static void format_long(int64_t ns, char text[DURATION_TEXT])
{
    int64_t seconds = (ns + NS_PER_S / 2) / NS_PER_S;
    bool hours = seconds >= 3600;
    int64_t small = hours ? (seconds + 30) / 60 : seconds;
    int length = snprintf(text, DURATION_TEXT, "%lld%c", (long long)small / 60, hours ? 'h' : 'm');
    if (small % 60)
        snprintf(text + length, DURATION_TEXT - length, "%d%c", (int)(small % 60),
                 hours ? 'm' : 's');
}

const char *duration_format(int64_t ns, char text[DURATION_TEXT])
{
    if (ns < NS_PER_US)
        snprintf(text, DURATION_TEXT, "%lldns", (long long)ns);
    else if (!format_decimal(ns, &units[UNIT_US], 1000, 10, text) &&
             !format_decimal(ns, &units[UNIT_MS], 1000, 10, text) &&
             !format_decimal(ns, &units[UNIT_S], 60, 60, text))
        format_long(ns, text);
    return text;
}
