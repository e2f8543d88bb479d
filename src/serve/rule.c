// SPDX-License-Identifier: MIT
#include "serve/rule.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "base/pattern.h"
#include "base/suggest.h"
#include "process/procfs.h"
#include "serve/ask.h"
#include "serve/target_id.h"

#define COMM_KEPT 15 // bytes that the kernel keeps of a program's name

struct condition {
    enum target_fact fact;
    char *glob; // owned; NULL: it is a pattern
    struct pattern pattern;
};

struct target_rule {
    char *text;
    char *name; // NULL: none
    struct condition *conditions;
    size_t count, capacity;
};

struct parsing { // of a rule
    struct target_rule *rule;
    const char *where; // it comes from, for people
    struct err *err;
};

static enum rc mistake(const struct parsing *parsing, const char *text)
{
    AUTO_FREE char *rule = escape_text_dup(parsing->rule->text);
    return err_set(parsing->err, RC_USAGE, "%s: in the rule '%s' %s", parsing->where, rule, text);
}

static enum rc mistake_at(const struct parsing *parsing, const char *word, const char *text)
{
    AUTO_FREE char *shown = escape_text_dup(word);
    AUTO_FREE char *line = xasprintf("'%s' %s", shown, text);
    return mistake(parsing, line);
}

// --- parsing ---

static enum rc unknown_key(const struct parsing *parsing, const char *key)
{
    struct suggestion suggestion = suggestion_for(key);
    suggestion_consider(&suggestion, "name");
    for (size_t i = 0; i < TARGET_FACT_COUNT; i++)
        suggestion_consider(&suggestion, target_fact_keys[i]);
    AUTO_FREE char *text = suggestion.best
                               ? xasprintf("is no key: '%s' is", suggestion.best)
                               : xstrdup("is no key: they are comm, exe, cmdline, user, unit, "
                                         "container, cgroup and name");
    return mistake_at(parsing, key, text);
}

static enum rc take_name(const struct parsing *parsing, char operation, const char *value)
{
    if (operation != '=' || !target_id_is_safe(value))
        return mistake(parsing, "a name is name= and letters, digits, '-', '.' and '_'");
    if (parsing->rule->name)
        return mistake(parsing, "there are two names");
    parsing->rule->name = xstrdup(value);
    return RC_OK;
}

static bool is_literal(const char *glob)
{
    return !strpbrk(glob, "*?[\\");
}

static enum rc take_pattern(const struct parsing *parsing, struct condition *condition,
                            const char *value)
{
    struct err why = {0};
    if (pattern_init(&condition->pattern, value, &why) == RC_OK)
        return RC_OK;
    return err_set(parsing->err, RC_USAGE, "%s: %s", parsing->where, why.text);
}

static enum rc take_value(const struct parsing *parsing, struct condition *condition,
                          char operation, const char *value)
{
    if (!*value)
        return mistake_at(parsing, target_fact_keys[condition->fact], "has no value");
    if (operation == '~')
        return take_pattern(parsing, condition, value);
    if (condition->fact == TARGET_COMM && is_literal(value) && strlen(value) > COMM_KEPT)
        return mistake_at(parsing, value, "is longer than the 15 bytes of a comm: use exe=*/NAME");
    condition->glob = xstrdup(value);
    return RC_OK;
}

static enum rc take_condition(const struct parsing *parsing, char *text)
{
    struct target_rule *rule = parsing->rule;
    size_t length = strcspn(text, "=~");
    char operation = text[length];
    if (!operation)
        return mistake_at(parsing, text, "is no condition such as comm=nginx or cmdline~REGEX");
    text[length] = '\0';
    if (strcmp(text, "name") == 0)
        return take_name(parsing, operation, text + length + 1);
    for (enum target_fact fact = 0; fact < TARGET_FACT_COUNT; fact++) {
        if (strcmp(text, target_fact_keys[fact]) != 0)
            continue;
        ARRAY_RESERVE(rule->conditions, rule->count, rule->capacity);
        rule->conditions[rule->count] = (struct condition){.fact = fact};
        return take_value(parsing, &rule->conditions[rule->count++], operation, text + length + 1);
    }
    return unknown_key(parsing, text);
}

// Splits at the next comma that is none of a value's, in place, and takes "\," for ','.
static char *next_condition(char **rest)
{
    char *begin = *rest, *to = begin, *at = begin;
    if (!begin)
        return NULL;
    for (; *at && *at != ','; *to++ = *at++)
        at += at[0] == '\\' && at[1] == ',';
    *rest = *at ? at + 1 : NULL;
    *to = '\0';
    return begin;
}

static enum rc parse(const struct parsing *parsing)
{
    AUTO_FREE char *copy = xstrdup(parsing->rule->text);
    enum rc rc = RC_OK;
    char *rest = copy;
    for (char *each; rc == RC_OK && (each = next_condition(&rest));)
        rc = take_condition(parsing, each);
    if (rc == RC_OK && !parsing->rule->count)
        rc = mistake(parsing, "there is no condition: it would be all processes");
    return rc;
}

// What costs least to read is asked first: the facts are in that order.
static int by_cost(const void *a, const void *b)
{
    return (int)((const struct condition *)a)->fact - (int)((const struct condition *)b)->fact;
}

enum rc rule_parse(const char *text, const char *where, struct target_rule **out, struct err *err)
{
    struct target_rule *rule = xcalloc(1, sizeof *rule);
    rule->text = xstrdup(text);
    enum rc rc = parse(&(struct parsing){rule, where, err});
    if (rc == RC_OK)
        qsort(rule->conditions, rule->count, sizeof *rule->conditions, by_cost);
    else
        rule_free(rule);
    *out = rc == RC_OK ? rule : NULL;
    return rc;
}

void rule_free(struct target_rule *rule)
{
    if (!rule)
        return;
    for (size_t i = 0; i < rule->count; i++) {
        free(rule->conditions[i].glob);
        pattern_fini(&rule->conditions[i].pattern);
    }
    free(rule->conditions);
    free(rule->name);
    free(rule->text);
    free(rule);
}

const char *rule_text(const struct target_rule *rule)
{
    return rule->text;
}

const char *rule_name(const struct target_rule *rule)
{
    return rule->name;
}

// --- matching ---

static bool glob_matches(const char *glob, const char *text)
{
    return fnmatch(glob, text, 0) == 0;
}

static bool unit_matches(const char *glob, const char *unit)
{
    AUTO_FREE char *service = xasprintf("%s.service", glob);
    return glob_matches(glob, unit) || glob_matches(service, unit);
}

static bool condition_holds(const struct condition *condition, const char *text)
{
    if (!condition->glob)
        return pattern_matches(&condition->pattern, text);
    if (condition->fact == TARGET_UNIT)
        return *text && unit_matches(condition->glob, text);
    if (condition->fact == TARGET_CONTAINER && is_literal(condition->glob))
        return strncmp(condition->glob, text, strlen(condition->glob)) == 0;
    return glob_matches(condition->glob, text);
}

bool rule_matches(const struct target_rule *rule, struct target_facts *facts, pid_t pid)
{
    for (size_t i = 0; i < rule->count; i++) {
        const struct condition *condition = &rule->conditions[i];
        if (!condition_holds(condition, target_facts_get(facts, pid, condition->fact)))
            return false;
    }
    return true;
}
