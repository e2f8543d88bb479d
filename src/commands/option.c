// SPDX-License-Identifier: MIT
#include "commands/option.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "base/suggest.h"
#include "commands/option_value.h"

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

bool option_takes_value(const struct option *option)
{
    return option->kind != OPTION_FLAG && option->kind != OPTION_SWITCH &&
           option->kind != OPTION_COUNT && option->kind != OPTION_PLACE;
}

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
    enum rc rc = option_set(option, value, text, &reason);
    if (option != &option_help)
        parser->parsed->given |= 1ull << (option - parser->options);
    return rc == RC_OK ? RC_OK : err_set(err, rc, "--%s: %s", option->name, reason.text);
}

static enum rc missing_value(const struct option *option, struct err *err)
{
    return err_set(err, RC_USAGE, "--%s: the value is missing", option->name);
}

static const struct option *find(const struct option *options, const char *name, size_t length)
{
    for (const struct option *option = options; option->name; option++)
        if (strlen(option->name) == length && memcmp(option->name, name, length) == 0)
            return option;
    return NULL;
}

static const struct option *find_long(const struct words *parser, const char *name, size_t length)
{
    const struct option *option = find(parser->options, name, length);
    return option || length != 4 || memcmp(name, "help", 4) != 0 ? option : &option_help;
}

// Of one that is called x no-x is the opposite, of one that is called no-x x is.
static const struct option *find_opposite(const struct option *options, const char *name,
                                          size_t length)
{
    bool begins = length > 3 && memcmp(name, "no-", 3) == 0;
    AUTO_FREE char *other = begins ? xstrndup(name + 3, length - 3)
                                   : xasprintf("no-%.*s", (int)length, name);
    const struct option *option = find(options, other, strlen(other));
    return option && option->kind == OPTION_SWITCH ? option : NULL;
}

const struct option *option_find(const struct option *options, const char *name, bool *opposite)
{
    const struct option *option = find(options, name, strlen(name));
    *opposite = !option;
    return option ? option : find_opposite(options, name, strlen(name));
}

const char *option_nearest(const struct option *options, const char *name)
{
    struct suggestion suggestion = suggestion_for(name);
    for (const struct option *option = options; option->name; option++)
        suggestion_consider(&suggestion, option->name);
    return suggestion.best;
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
    const struct option *opposite = option ? NULL : find_opposite(parser->options, name, length);
    if (opposite && !value)
        return store(parser, opposite, "no", err);
    if (!option)
        return unknown_long(parser, name, length, err);
    if (!option_takes_value(option) && value)
        return err_set(err, RC_USAGE, "--%s takes no value", option->name);
    if (option_takes_value(option) && !value) {
        if (!*parser->next)
            return missing_value(option, err);
        value = *parser->next++;
    }
    return store(parser, option, option->kind == OPTION_SWITCH ? "yes" : value, err);
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
        enum rc rc = store(parser, option, "yes", err);
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
