// SPDX-License-Identifier: MIT
#include "profile/plain_tags.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "base/pattern.h"
#include "base/units.h"

struct tag_range {
    bool given, from, to; // there is a least, and a most
    double least, most;
    char *unit; // owned: the one that the least was given in
};

struct plain_tags {
    const struct plain_profile *profile;
    char *key; // owned, NULL: any
    struct tag_range range;
    const char **units; // of a range, owned
    struct pattern *patterns;
    size_t count, capacity;
};

// --- ranges ---

struct bound {
    int64_t number;
    char *unit; // owned
};

// Reads "-4kb" and moves on behind it.
static enum rc read_bound(const char **at, struct bound *bound, bool *found, struct err *err)
{
    const char *digits = *at + (**at == '+' || **at == '-');
    *found = isdigit((unsigned char)*digits);
    if (!*found)
        return RC_OK;
    char *end;
    errno = 0;
    bound->number = strtoll(*at, &end, 10);
    if (errno)
        return err_set(err, RC_USAGE, "'%.*s' is more than any number", (int)(end - *at), *at);
    const char *unit = end;
    while (isalpha((unsigned char)*end))
        end++;
    bound->unit = xstrndup(unit, (size_t)(end - unit));
    *at = end;
    return RC_OK;
}

// Reads ":64kb", "4mb:", "12kb:64mb" or "32kb". What is none of these is no range.
static enum rc read_range(const char *text, struct tag_range *range, struct err *err)
{
    struct bound first = {0}, second = {0};
    bool upper = *text == ':', has_first = false, has_second = false;
    text += upper;
    enum rc rc = read_bound(&text, &first, &has_first, err);
    range->from = !upper;
    range->to = upper || *text != ':';
    if (rc == RC_OK && has_first && !upper && *text == ':' && *++text) {
        rc = read_bound(&text, &second, &has_second, err);
        range->to = true;
    }
    if (rc == RC_OK && has_first && !*text) {
        const char *unit = units_scale(first.number, first.unit, first.unit, &range->least);
        range->unit = xstrdup(unit);
        range->most = range->least;
        range->given = !has_second ||
                       strcmp(units_scale(second.number, second.unit, unit, &range->most),
                              unit) == 0;
    }
    free(first.unit);
    free(second.unit);
    return rc;
}

static bool in_range(const struct tag_range *range, int64_t number, const char *unit)
{
    double scaled;
    const char *scaled_unit = units_scale(number, unit, range->unit, &scaled);
    return strcmp(scaled_unit, range->unit) == 0 && (!range->from || scaled >= range->least) &&
           (!range->to || scaled <= range->most);
}

// --- filters ---

static enum rc compile(struct plain_tags *tags, const char *text, struct err *err)
{
    AUTO_FREE char *words = xstrdup(text);
    char *rest = words;
    enum rc rc = RC_OK;
    for (char *word; rc == RC_OK && (word = strsep(&rest, ","));) {
        ARRAY_RESERVE(tags->patterns, tags->count, tags->capacity);
        rc = pattern_init(&tags->patterns[tags->count++], word, err);
    }
    return rc;
}

enum rc plain_tags_new(const struct plain_profile *profile, const char *text,
                       struct plain_tags **out, struct err *err)
{
    struct plain_tags *tags = xcalloc(1, sizeof *tags);
    const char *equals = strchr(text, '=');
    tags->profile = profile;
    if (equals && equals > text)
        tags->key = xstrndup(text, (size_t)(equals - text));
    text = equals ? equals + 1 : text;
    enum rc rc = read_range(text, &tags->range, err);
    if (tags->range.given)
        tags->units = plain_tags_units(profile);
    else if (rc == RC_OK)
        rc = compile(tags, text, err);
    *out = tags;
    if (rc == RC_OK)
        return rc;
    plain_tags_free(tags);
    *out = NULL;
    return rc;
}

void plain_tags_free(struct plain_tags *tags)
{
    if (!tags)
        return;
    for (size_t i = 0; i < tags->count; i++)
        pattern_fini(&tags->patterns[i]);
    free(tags->patterns);
    free(tags->units);
    free(tags->range.unit);
    free(tags->key);
    free(tags);
}

const char **plain_tags_units(const struct plain_profile *profile)
{
    const struct plain_labels *labels = &profile->labels;
    const char **units = xcalloc(profile->texts.count, sizeof *units);
    for (size_t i = 0; i < labels->count; i++) {
        const struct plain_label *label = &labels->list[i];
        if (!label->text && label->unit && !units[label->key])
            units[label->key] = plain_string(profile, label->unit);
    }
    for (uint32_t i = 0; i < profile->texts.count; i++) {
        const char *name = plain_string(profile, i);
        bool size = strcmp(name, "alignment") == 0 || strcmp(name, "request") == 0;
        units[i] = units[i] ? units[i] : size ? "bytes" : name;
    }
    return units;
}

bool plain_tags_number(const struct plain_label *label)
{
    return !label->text && (label->number || label->unit);
}

static bool matches_text(const struct plain_tags *tags, const struct pattern *pattern,
                         const struct plain_label *label)
{
    const char *key = plain_string(tags->profile, label->key);
    const char *text = plain_string(tags->profile, label->text);
    if (tags->key)
        return pattern_matches(pattern, text);
    AUTO_FREE char *both = xasprintf("%s:%s", key, text);
    return pattern_matches(pattern, both);
}

static bool label_matches(const struct plain_tags *tags, const struct pattern *pattern,
                          const struct plain_label *label)
{
    if (tags->key && strcmp(tags->key, plain_string(tags->profile, label->key)) != 0)
        return false;
    if (pattern)
        return label->text && matches_text(tags, pattern, label);
    return plain_tags_number(label) &&
           in_range(&tags->range, label->number, tags->units[label->key]);
}

static bool any_matches(const struct plain_tags *tags, const struct pattern *pattern, uint32_t set)
{
    const struct plain_labels *labels = &tags->profile->labels;
    for (; set; set = labels->sets[set].parent)
        if (label_matches(tags, pattern, &labels->list[labels->sets[set].label]))
            return true;
    return false;
}

bool plain_tags_match(const struct plain_tags *tags, uint32_t set)
{
    if (tags->range.given)
        return any_matches(tags, NULL, set);
    size_t matched = 0;
    for (size_t i = 0; i < tags->count; i++)
        matched += any_matches(tags, &tags->patterns[i], set);
    return tags->key ? matched > 0 : matched == tags->count;
}
