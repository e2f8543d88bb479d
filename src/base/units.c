// SPDX-License-Identifier: MIT
#include "base/units.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/escape.h"
#include "base/mem.h"

struct known_unit {
    const char *shown;
    const char *names[3]; // without the s of a plural
    double factor;
};

#define UNITS_OF_KIND 9

struct unit_kind {
    struct known_unit units[UNITS_OF_KIND]; // from small to large
    const char *shown;                // where none is asked for and the value is below the first
    double factor;
};

static const struct unit_kind kinds[] = {
    {{{"B", {"b", "byte"}, 1},
      {"kB", {"kb", "kbyte", "kilobyte"}, 0x1p10},
      {"MB", {"mb", "mbyte", "megabyte"}, 0x1p20},
      {"GB", {"gb", "gbyte", "gigabyte"}, 0x1p30},
      {"TB", {"tb", "tbyte", "terabyte"}, 0x1p40},
      {"PB", {"pb", "pbyte", "petabyte"}, 0x1p50}},
     "B", 1},
    {{{"ns", {"ns", "nanosecond"}, 1},
      {"us", {"us", "microsecond"}, 1e3},
      {"ms", {"ms", "millisecond"}, 1e6},
      {"s", {"s", "sec", "second"}, 1e9},
      {"hrs", {"hour", "hr"}, 3600e9}},
     "s", 1e9},
    {{{"n*GCU", {"nanogcu"}, 1e-9},
      {"u*GCU", {"microgcu"}, 1e-6},
      {"m*GCU", {"milligcu"}, 1e-3},
      {"GCU", {"gcu"}, 1},
      {"k*GCU", {"kilogcu"}, 1e3},
      {"M*GCU", {"megagcu"}, 1e6},
      {"G*GCU", {"gigagcu"}, 1e9},
      {"T*GCU", {"teragcu"}, 1e12},
      {"P*GCU", {"petagcu"}, 1e15}},
     "GCU", 1},
};

static bool is_named(const struct known_unit *unit, const char *name, size_t length)
{
    for (size_t i = 0; i < ARRAY_LENGTH(unit->names) && unit->names[i]; i++)
        if (strlen(unit->names[i]) == length && strncasecmp(unit->names[i], name, length) == 0)
            return true;
    return false;
}

static const struct known_unit *unit_of(const struct unit_kind *kind, const char *name)
{
    size_t length = strlen(name);
    if (length > 2 && (name[length - 1] | 0x20) == 's')
        length--;
    for (size_t i = 0; i < UNITS_OF_KIND && kind->units[i].shown; i++)
        if (is_named(&kind->units[i], name, length))
            return &kind->units[i];
    return NULL;
}

static bool is_automatic(const char *unit)
{
    return strcmp(unit, "minimum") == 0 || strcmp(unit, UNITS_AUTO) == 0;
}

static const struct known_unit *largest_of(const struct unit_kind *kind, double value)
{
    const struct known_unit *largest = NULL;
    for (size_t i = 0; i < UNITS_OF_KIND && kind->units[i].shown; i++)
        if (value / kind->units[i].factor >= 1)
            largest = &kind->units[i];
    return largest;
}

static const char *convert(const struct unit_kind *kind, double value, const char *to,
                           double *scaled)
{
    const struct known_unit *unit = is_automatic(to) ? largest_of(kind, value) : unit_of(kind, to);
    *scaled = value / (unit ? unit->factor : kind->factor);
    return unit ? unit->shown : kind->shown;
}

// These units say no more than that something was counted.
static const char *shown_unit(const char *unit)
{
    static const char *const silent[] = {"count", "sample", "unit", "minimum", UNITS_AUTO};
    for (size_t i = 0; i < ARRAY_LENGTH(silent); i++)
        if (strcmp(unit, silent[i]) == 0)
            return "";
    return unit;
}

const char *units_scale(int64_t value, const char *from, const char *to, double *scaled)
{
    double sign = value < 0 ? -1 : 1, size = sign * (double)value;
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++) {
        const struct known_unit *unit = unit_of(&kinds[i], from);
        if (!unit)
            continue;
        const char *shown = convert(&kinds[i], size * unit->factor, to, scaled);
        *scaled *= sign;
        return shown;
    }
    *scaled = (double)value;
    return shown_unit(to);
}

void units_label(struct buf *out, int64_t value, const char *from, const char *to)
{
    double scaled;
    char text[400];
    const char *unit = units_scale(value, from, to, &scaled);
    size_t length = (size_t)snprintf(text, sizeof text, "%.2f", scaled);
    if (length > 3 && strcmp(text + length - 3, ".00") == 0)
        text[length - 3] = '\0';
    if (strcmp(text, "0") == 0 || strcmp(text, "-0") == 0) {
        buf_puts(out, "0");
        return;
    }
    buf_puts(out, text);
    escape_text(out, unit);
}

const char *units_common(int64_t least, int64_t most, const char *from)
{
    double scaled;
    const char *small = units_scale(least, from, UNITS_AUTO, &scaled);
    const char *large = units_scale(most, from, UNITS_AUTO, &scaled);
    int64_t hundred;
    if (__builtin_mul_overflow(least, 100, &hundred))
        hundred = INT64_MAX;
    if (strcmp(small, large) != 0 && hundred < most) // so that the least one is at least 0.01
        small = units_scale(hundred, from, UNITS_AUTO, &scaled);
    return *small ? small : from;
}

const char *units_percent(int64_t value, int64_t all, char text[UNITS_PERCENT])
{
    double percent = all ? fabs((double)value / (double)all) * 100 : 0;
    if (percent >= 99.95 && percent <= 100.05)
        return strcpy(text, "  100%");
    int written = snprintf(text, UNITS_PERCENT, percent >= 1 ? "%5.2f%%" : "%5.2g%%", percent);
    if (written >= UNITS_PERCENT) // of a whole that is next to nothing
        snprintf(text, UNITS_PERCENT, "%.3g%%", percent);
    return text;
}
