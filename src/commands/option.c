// SPDX-License-Identifier: MIT
#include "commands/option.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/escape.h"
#include "base/mem.h"
#include "commands/suggest.h"

const struct option option_help = {
    .name = "help",
    .letter = 'h',
    .kind = OPTION_FLAG,
    .help = "show this help",
};

struct words {
    const struct option *options;
    void *values;
    char **next;
    struct parsed *parsed;
    bool ended; // "--" was found
};

_Static_assert(sizeof(int) == sizeof(enum option_kind), "a choice may be stored into an enum");

bool option_takes_value(const struct option *option)
{
    return option->kind != OPTION_FLAG && option->kind != OPTION_COUNT &&
           option->kind != OPTION_PLACE;
}

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
    [OPTION_FLAG] = set_flag,         [OPTION_COUNT] = set_count,
    [OPTION_STRING] = set_string,     [OPTION_FILE] = set_string,
    [OPTION_DURATION] = set_duration, [OPTION_NUMBER] = set_number,
    [OPTION_INTEGER] = set_integer,   [OPTION_CHOICE] = set_choice,
    [OPTION_SET] = set_set,           [OPTION_SIZE] = set_size,
    [OPTION_PERCENT] = set_percent,
};

static enum rc store(struct words *parser, const struct option *option, const char *text,
                     struct err *err)
{
    void *value = option == &option_help ? (void *)&parser->parsed->help
                                         : (void *)((char *)parser->values + option->offset);
    struct err reason = {0};
    if (option->kind == OPTION_PLACE) {
        *(uint64_t *)value = parser->parsed->count;
        return RC_OK;
    }
    enum rc rc = setters[option->kind](option, value, text, &reason);
    return rc == RC_OK ? RC_OK : err_set(err, rc, "--%s: %s", option->name, reason.text);
}

static enum rc missing_value(const struct option *option, struct err *err)
{
    return err_set(err, RC_USAGE, "--%s: the value is missing", option->name);
}

static const struct option *find_long(const struct words *parser, const char *name, size_t length)
{
    for (const struct option *option = parser->options; option->name; option++)
        if (strlen(option->name) == length && memcmp(option->name, name, length) == 0)
            return option;
    return length == 4 && memcmp(name, "help", 4) == 0 ? &option_help : NULL;
}

static const struct option *find_letter(const struct words *parser, char letter)
{
    for (const struct option *option = parser->options; option->name; option++)
        if (option->letter == letter)
            return option;
    return letter == option_help.letter ? &option_help : NULL;
}

static enum rc unknown_long(const struct words *parser, const char *name, size_t length,
                            struct err *err)
{
    AUTO_FREE char *word = xstrndup(name, length);
    AUTO_FREE char *shown = escape_text_dup(word);
    struct suggestion suggestion = suggestion_for(word);
    for (const struct option *option = parser->options; option->name; option++)
        suggestion_consider(&suggestion, option->name);
    suggestion_consider(&suggestion, option_help.name);
    if (suggestion.best)
        return err_set(err, RC_USAGE, "there is no option --%s; did you mean --%s?", shown,
                       suggestion.best);
    return err_set(err, RC_USAGE, "there is no option --%s", shown);
}

static enum rc parse_long(struct words *parser, const char *name, struct err *err)
{
    size_t length = strcspn(name, "=");
    const struct option *option = find_long(parser, name, length);
    const char *value = name[length] ? name + length + 1 : NULL;
    if (!option)
        return unknown_long(parser, name, length, err);
    if (!option_takes_value(option) && value)
        return err_set(err, RC_USAGE, "--%s takes no value", option->name);
    if (option_takes_value(option) && !value) {
        if (!*parser->next)
            return missing_value(option, err);
        value = *parser->next++;
    }
    return store(parser, option, value, err);
}

static enum rc parse_letters(struct words *parser, const char *letters, struct err *err)
{
    for (const char *at = letters; *at; at++) {
        const struct option *option = find_letter(parser, *at);
        if (!option) {
            AUTO_FREE char *shown = escape_text_dup(at == letters ? at : (char[]){*at, '\0'});
            return err_set(err, RC_USAGE, "there is no option -%s", shown);
        }
        if (option_takes_value(option)) {
            const char *value = at[1] ? at + 1 : *parser->next;
            if (!value)
                return missing_value(option, err);
            if (!at[1])
                parser->next++;
            return store(parser, option, value, err);
        }
        enum rc rc = store(parser, option, NULL, err);
        if (rc)
            return rc;
    }
    return RC_OK;
}

static enum rc parse_word(struct words *parser, struct err *err)
{
    char *word = *parser->next++;
    if (parser->ended || word[0] != '-' || !word[1]) {
        parser->parsed->operands[parser->parsed->count++] = word;
        return RC_OK;
    }
    if (word[1] != '-')
        return parse_letters(parser, word + 1, err);
    if (word[2])
        return parse_long(parser, word + 2, err);
    parser->ended = true;
    return RC_OK;
}

enum rc option_parse(const struct option *options, void *values, char **argv,
                     struct parsed *parsed, struct err *err)
{
    struct words parser = {.options = options, .values = values, .next = argv, .parsed = parsed};
    *parsed = (struct parsed){.operands = argv};
    enum rc first = RC_OK;
    // After a mistake parsing goes on, because --help counts wherever it is.
    while (*parser.next) {
        enum rc rc = parse_word(&parser, first ? NULL : err);
        first = first ? first : rc;
    }
    argv[parsed->count] = NULL;
    if (!parsed->help || !first)
        return first;
    return err_set(err, RC_OK, "%s", "");
}
