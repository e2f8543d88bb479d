// SPDX-License-Identifier: MIT
#include "base/figures.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"

double figures_percent(int64_t part, int64_t whole)
{
    return whole ? 100.0 * (double)part / (double)whole : 0;
}

// --- times ---

static const struct scale { // of time
    const char *name;
    int64_t ns;
    int64_t limit;        // units, from where on a larger scale is used
    int64_t tenths_below; // units, from where on tenths do not tell
} scales[] = {
    {"us", NS_PER_US, 1000, 10},
    {"ms", NS_PER_MS, 1000, 10},
    {"s", NS_PER_S, 60, 60},
};

// Writes "12.4s" or "38us", never ".0". Returns false when it rounds to the scale's limit or more.
static bool put_decimal(int64_t ns, const struct scale *scale, char text[FIGURES_MOST])
{
    int64_t tenths = (ns + scale->ns / 20) / (scale->ns / 10);
    if (tenths >= scale->tenths_below * 10)
        tenths = (ns + scale->ns / 2) / scale->ns * 10;
    if (tenths >= scale->limit * 10)
        return false;
    int length = snprintf(text, FIGURES_MOST, "%" PRId64, tenths / 10);
    if (tenths % 10)
        length += snprintf(text + length, FIGURES_MOST - length, ".%d", (int)(tenths % 10));
    snprintf(text + length, FIGURES_MOST - length, "%s", scale->name);
    return true;
}

// Writes "1h30m", "2m" or "1m5s": hours and minutes, or minutes and seconds.
static void put_long(int64_t ns, char text[FIGURES_MOST])
{
    int64_t seconds = (ns + NS_PER_S / 2) / NS_PER_S;
    bool hours = seconds >= 3600;
    int64_t small = hours ? (seconds + 30) / 60 : seconds;
    int length = snprintf(text, FIGURES_MOST, "%" PRId64 "%c", small / 60, hours ? 'h' : 'm');
    if (small % 60)
        snprintf(text + length, FIGURES_MOST - length, "%d%c", (int)(small % 60),
                 hours ? 'm' : 's');
}

const char *figures_duration(int64_t ns, char text[FIGURES_MOST])
{
    size_t i = 0;
    if (ns <= 0)
        return strcpy(text, "0s");
    snprintf(text, FIGURES_MOST, "%" PRId64 "ns", ns);
    if (ns < NS_PER_US)
        return text;
    while (i < ARRAY_LENGTH(scales) && !put_decimal(ns, &scales[i], text))
        i++;
    if (i == ARRAY_LENGTH(scales))
        put_long(ns, text);
    return text;
}

const char *figures_three(int64_t ns, char text[FIGURES_MOST])
{
    snprintf(text, FIGURES_MOST, "%" PRId64 "ns", ns);
    for (size_t i = 0; i < ARRAY_LENGTH(scales); i++) {
        double value = (double)ns / (double)scales[i].ns;
        // What rounds to 1000 of a unit is 1.00 of the next one.
        if (value >= 0.9995)
            snprintf(text, FIGURES_MOST, "%.*f%s", value < 9.995 ? 2 : value < 99.95 ? 1 : 0, value,
                     scales[i].name);
    }
    return text;
}

const char *figures_seconds(int64_t ns, char text[FIGURES_MOST])
{
    double seconds = (double)ns / NS_PER_S;
    if (seconds >= 99.95)
        return figures_clock(ns, text);
    snprintf(text, FIGURES_MOST, "%.*fs", seconds < 9.995 ? 2 : 1, seconds);
    if (ns <= 0)
        *text = '\0';
    return text;
}

const char *figures_clock(int64_t ns, char text[FIGURES_MOST])
{
    static const struct {
        int64_t below; // seconds
        int64_t large, small;
        const char names[3];
    } table[] = {{3600, 60, 1, "ms"}, {86400, 3600, 60, "hm"}, {INT64_MAX, 86400, 3600, "dh"}};
    int64_t seconds = ns > 0 ? ns / NS_PER_S : 0;
    size_t i = 0;
    while (seconds >= table[i].below)
        i++;
    snprintf(text, FIGURES_MOST, "%" PRId64 "%c%02" PRId64 "%c", seconds / table[i].large,
             table[i].names[0], seconds % table[i].large / table[i].small, table[i].names[1]);
    return text;
}

const char *figures_date(int64_t ns, char text[FIGURES_MOST])
{
    time_t seconds = (time_t)(ns / NS_PER_S);
    struct tm utc;
    *text = '\0';
    if (gmtime_r(&seconds, &utc))
        strftime(text, FIGURES_MOST, "%Y-%m-%dT%H:%M:%SZ", &utc);
    return text;
}

// --- sizes ---

const char *figures_bytes(uint64_t bytes, char least, char text[FIGURES_MOST])
{
    static const char units[] = "BKMGTPE";
    double value = (double)bytes;
    const char *unit = units;
    for (; unit[1] && (value >= 999.5 || unit < strchr(units, least)); unit++)
        value /= 1024;
    snprintf(text, FIGURES_MOST, value < 9.95 && unit > units ? "%.1f%c" : "%.0f%c", value, *unit);
    return text;
}

// --- values ---

static int64_t ns_of_unit(const char *unit)
{
    static const struct {
        const char *name;
        int64_t ns;
    } units[] = {{"nanoseconds", 1},
                 {"microseconds", NS_PER_US},
                 {"milliseconds", NS_PER_MS},
                 {"seconds", NS_PER_S}};
    for (size_t i = 0; i < ARRAY_LENGTH(units); i++)
        if (strcmp(units[i].name, unit) == 0)
            return units[i].ns;
    return 0;
}

static void put_time(int64_t value, int64_t unit, char text[FIGURES_MOST])
{
    int64_t ns;
    if (__builtin_mul_overflow(value, unit, &ns))
        ns = INT64_MAX;
    if (ns < 100ll * NS_PER_S)
        figures_three(ns, text);
    else
        figures_clock(ns, text);
}

// Up to a million each one counts.
static void put_count(int64_t value, char text[FIGURES_MOST])
{
    static const char units[] = " kMGTPE";
    const char *unit = units;
    double scaled = (double)value;
    for (; value >= 1000000 && unit[1] && scaled >= 999.5; unit++)
        scaled /= 1000;
    if (unit == units)
        snprintf(text, FIGURES_MOST, "%" PRId64, value);
    else
        snprintf(text, FIGURES_MOST, "%.*f%c", scaled < 9.995 ? 2 : scaled < 99.95 ? 1 : 0, scaled,
                 *unit);
}

const char *figures_value(int64_t value, const char *unit, bool plus, char text[FIGURES_MOST])
{
    char size[FIGURES_MOST];
    int64_t ns = ns_of_unit(unit), sizeless = value == INT64_MIN ? INT64_MAX
                                              : value < 0        ? -value
                                                                 : value;
    if (ns)
        put_time(sizeless, ns, size);
    else if (strcmp(unit, "bytes") == 0)
        figures_bytes((uint64_t)sizeless, 'B', size);
    else
        put_count(sizeless, size);
    snprintf(text, FIGURES_MOST, "%s%.30s", value < 0 ? "-" : value && plus ? "+" : "", size);
    return text;
}
