// SPDX-License-Identifier: MIT
#include "commands/option_value.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/duration.h"
#include "base/escape.h"
#include "base/mem.h"
#include "base/suggest.h"
#include "base/text_list.h"

_Static_assert(sizeof(int) == sizeof(enum option_kind), "a choice may be stored into an enum");

// --- from a text ---

static enum rc set_flag(const struct option *option, void *value, const char *text,
                        struct err *err)
{
    (void)option, (void)text, (void)err;
    *(bool *)value = true;
    return RC_OK;
}

static enum rc set_count(const struct option *option, void *value, const char *text,
                         struct err *err)
{
    (void)option, (void)text, (void)err;
    ++*(unsigned *)value;
    return RC_OK;
}

static enum rc set_string(const struct option *option, void *value, const char *text,
                          struct err *err)
{
    if (!*text)
        return err_set(err, RC_USAGE, "the %s is empty", option->argument);
    *(const char **)value = text;
    return RC_OK;
}

static enum rc set_duration(const struct option *option, void *value, const char *text,
                            struct err *err)
{
    (void)option;
    return duration_parse(text, value, err);
}

static enum rc set_switch(const struct option *option, void *value, const char *text,
                          struct err *err)
{
    static const char *const words[] = {"no", "yes", "false", "true", "off", "on", "0", "1"};
    (void)option;
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
        if (strcmp(text, words[i]) == 0) {
            *(bool *)value = i % 2;
            return RC_OK;
        }
    AUTO_FREE char *shown = escape_text_dup(text);
    return err_set(err, RC_USAGE, "'%s' is not yes or no", shown);
}

static enum rc set_list(const struct option *option, void *value, const char *text,
                        struct err *err)
{
    if (!*text)
        return err_set(err, RC_USAGE, "the %s is empty", option->argument);
    text_list_add(value, text);
    return RC_OK;
}

// strtod accepts more than an option should (hexadecimal, "inf", "nan", leading blanks), so the
// text may consist of `bytes` only.
static enum rc parse_number(const struct option *option, const char *text, const char *bytes,
                            const char *what, double *number, struct err *err)
{
    char *end;
    *number = strtod(text, &end);
    if (*text && !*end && !text[strspn(text, bytes)] && *number >= option->least &&
        *number <= option->most)
        return RC_OK;
    AUTO_FREE char *shown = escape_text_dup(text);
    return err_set(err, RC_USAGE, "'%s' is not a %s from %g to %g", shown, what, option->least,
                   option->most);
}

static enum rc set_number(const struct option *option, void *value, const char *text,
                          struct err *err)
{
    double number;
    enum rc rc = parse_number(option, text, "0123456789.+-", "number", &number, err);
    if (rc == RC_OK)
        *(double *)value = number;
    return rc;
}

static enum rc set_percent(const struct option *option, void *value, const char *text,
                           struct err *err)
{
    size_t length = strlen(text);
    bool sign = length && text[length - 1] == '%';
    AUTO_FREE char *number = xstrndup(text, length - sign);
    return set_number(option, value, number, err);
}

static enum rc set_integer(const struct option *option, void *value, const char *text,
                           struct err *err)
{
    double number;
    enum rc rc = parse_number(option, text, "0123456789", "whole number", &number, err);
    if (rc == RC_OK)
        *(uint64_t *)value = (uint64_t)number;
    return rc;
}

// Units are powers of 1024, with or without "B" or "iB" behind them.
static enum rc set_size(const struct option *option, void *value, const char *text,
                        struct err *err)
{
    static const char units[] = "KMGT";
    char *end;
    (void)option;
    double bytes = strtod(text, &end);
    bool decimal = strspn(text, "0123456789.") == (size_t)(end - text); // no "inf", no "0x1p9"
    const char *unit = *end ? strchr(units, *end) : NULL;
    for (const char *at = units; unit && at <= unit; at++)
        bytes *= 1024;
    end += unit != NULL;
    if (decimal && bytes >= 1 && bytes < 0x1p63 &&
        (!*end || strcmp(end, "B") == 0 || (unit && strcmp(end, "iB") == 0))) {
        *(uint64_t *)value = (uint64_t)bytes;
        return RC_OK;
    }
    AUTO_FREE char *shown = escape_text_dup(text);
    return err_set(err, RC_USAGE, "'%s' is not a size; write 512M or 1.5G", shown);
}

static enum rc set_choice(const struct option *option, void *value, const char *text,
                          struct err *err)
{
    AUTO_FREE char *shown = escape_text_dup(text);
    for (int i = 0; option->choices[i]; i++) {
        if (strcmp(text, option->choices[i]) == 0) {
            memcpy(value, &i, sizeof i);
            return RC_OK;
        }
    }
    AUTO_BUF struct buf list = {0};
    for (int i = 0; option->choices[i]; i++)
        buf_printf(&list, "%s%s", i == 0 ? "" : option->choices[i + 1] ? ", " : " or ",
                   option->choices[i]);
    return err_set(err, RC_USAGE, "there is no '%s'; write %s", shown, list.data);
}

// Like OPTION_CHOICE, but there may be too many words to list them all.
static enum rc add_choice(const struct option *option, unsigned *set, const char *word,
                          struct err *err)
{
    struct suggestion suggestion = suggestion_for(word);
    for (int i = 0; option->choices[i]; i++) {
        if (strcmp(word, option->choices[i]) == 0) {
            *set |= 1u << i;
            return RC_OK;
        }
        suggestion_consider(&suggestion, option->choices[i]);
    }
    AUTO_FREE char *shown = escape_text_dup(word);
    AUTO_BUF struct buf list = {0};
    for (int i = 0; option->choices[i]; i++)
        buf_printf(&list, "%s%s", i ? ", " : "", option->choices[i]);
    if (suggestion.best)
        return err_set(err, RC_USAGE, "there is no '%s'; did you mean %s?", shown,
                       suggestion.best);
    return err_set(err, RC_USAGE, "there is no '%s'; write some of %s", shown, list.data);
}

static enum rc set_set(const struct option *option, void *value, const char *text, struct err *err)
{
    unsigned set = 0;
    AUTO_FREE char *words = xstrdup(text);
    char *rest = words;
    for (char *word; (word = strsep(&rest, ","));) {
        enum rc rc = add_choice(option, &set, word, err);
        if (rc != RC_OK)
            return rc;
    }
    *(unsigned *)value = set;
    return RC_OK;
}

static enum rc (*const setters[])(const struct option *option, void *value, const char *text,
                                  struct err *err) = {
    [OPTION_FLAG] = set_flag,         [OPTION_SWITCH] = set_switch,
    [OPTION_COUNT] = set_count,       [OPTION_LIST] = set_list,
    [OPTION_STRING] = set_string,     [OPTION_FILE] = set_string,
    [OPTION_DURATION] = set_duration, [OPTION_NUMBER] = set_number,
    [OPTION_INTEGER] = set_integer,   [OPTION_CHOICE] = set_choice,
    [OPTION_SET] = set_set,           [OPTION_SIZE] = set_size,
    [OPTION_PERCENT] = set_percent,
};

enum rc option_set(const struct option *option, void *value, const char *text, struct err *err)
{
    return setters[option->kind](option, value, text, err);
}

// --- to a text ---

static void show_duration(const struct option *option, const void *value, struct buf *out)
{
    static const struct {
        int64_t ns;
        const char *unit;
    } units[] = {{3600ll * NS_PER_S, "h"}, {60ll * NS_PER_S, "m"}, {NS_PER_S, "s"},
                 {NS_PER_MS, "ms"},      {NS_PER_US, "us"}};
    int64_t ns = *(const int64_t *)value;
    (void)option;
    for (size_t i = 0; i < ARRAY_LENGTH(units); i++)
        if (ns % units[i].ns == 0) {
            buf_printf(out, "%" PRId64 "%s", ns / units[i].ns, units[i].unit);
            return;
        }
    buf_printf(out, "%.9fs", (double)ns / (double)NS_PER_S);
}

static void show_size(const struct option *option, const void *value, struct buf *out)
{
    static const char units[] = "KMGT";
    uint64_t bytes = *(const uint64_t *)value;
    size_t unit = 0;
    (void)option;
    for (; bytes && bytes % 1024 == 0 && units[unit]; unit++)
        bytes /= 1024;
    buf_printf(out, "%" PRIu64 "%c", bytes, unit ? units[unit - 1] : 'B');
}

static void show_number(const struct option *option, const void *value, struct buf *out)
{
    buf_printf(out, "%.15g%s", *(const double *)value,
               option->kind == OPTION_PERCENT ? "%" : "");
}

static void show_integer(const struct option *option, const void *value, struct buf *out)
{
    (void)option;
    buf_printf(out, "%" PRIu64, *(const uint64_t *)value);
}

static void show_switch(const struct option *option, const void *value, struct buf *out)
{
    (void)option;
    buf_puts(out, *(const bool *)value ? "yes" : "no");
}

static void show_string(const struct option *option, const void *value, struct buf *out)
{
    const char *text = *(const char *const *)value;
    (void)option;
    buf_puts(out, text ? text : "");
}

static void show_choice(const struct option *option, const void *value, struct buf *out)
{
    buf_puts(out, option->choices[*(const int *)value]);
}

static void show_set(const struct option *option, const void *value, struct buf *out)
{
    const char *between = "";
    for (size_t i = 0; option->choices[i]; i++)
        if (*(const unsigned *)value & 1u << i) {
            buf_printf(out, "%s%s", between, option->choices[i]);
            between = ",";
        }
}

static void (*const showers[])(const struct option *option, const void *value,
                               struct buf *out) = {
    [OPTION_SWITCH] = show_switch,     [OPTION_STRING] = show_string,
    [OPTION_FILE] = show_string,       [OPTION_DURATION] = show_duration,
    [OPTION_NUMBER] = show_number,     [OPTION_PERCENT] = show_number,
    [OPTION_INTEGER] = show_integer,   [OPTION_SIZE] = show_size,
    [OPTION_CHOICE] = show_choice,     [OPTION_SET] = show_set,
};

void option_show(const struct option *option, const void *value, struct buf *out)
{
    showers[option->kind](option, value, out);
}

// --- many ---

void option_copy(const struct option *option, void *to, const void *from)
{
    static const size_t sizes[] = {
        [OPTION_SWITCH] = sizeof(bool),         [OPTION_STRING] = sizeof(const char *),
        [OPTION_FILE] = sizeof(const char *),   [OPTION_DURATION] = sizeof(int64_t),
        [OPTION_NUMBER] = sizeof(double),       [OPTION_PERCENT] = sizeof(double),
        [OPTION_INTEGER] = sizeof(uint64_t),    [OPTION_SIZE] = sizeof(uint64_t),
        [OPTION_CHOICE] = sizeof(int),          [OPTION_SET] = sizeof(unsigned),
    };
    if (option->kind != OPTION_LIST) {
        memcpy(to, from, sizes[option->kind]);
        return;
    }
    text_list_fini(to);
    text_list_copy(to, from);
}

void option_fini(const struct option *options, void *values)
{
    for (const struct option *option = options; option->name; option++)
        if (option->kind == OPTION_LIST)
            text_list_fini((void *)((char *)values + option->offset));
}
