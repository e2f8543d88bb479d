// SPDX-License-Identifier: MIT
#include "commands/reading.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "commands/profile_input.h"
#include "profile/plain_merge.h"
#include "profile/plain_prune.h"
#include "rows/call_graph.h"

#define BASE_KEY "pprof::base" // as pprof marks the samples of -diff_base

// Replaces a profile by what was made of it.
static void replace(struct plain_profile **profile, struct plain_profile *by)
{
    plain_free(*profile);
    *profile = by;
}

enum rc reading_sum(char *const *files, size_t count, struct plain_profile **sum,
                    struct err *err)
{
    struct plain_profile **list = xcalloc(count, sizeof *list);
    enum rc rc = RC_OK;
    for (size_t i = 0; i < count && rc == RC_OK; i++)
        rc = profile_input_read(files[i], &list[i], err);
    if (rc == RC_OK && count == 1)
        *sum = steal_ptr(&list[0]);
    else if (rc == RC_OK)
        rc = plain_merge((const struct plain_profile *const *)list, count, sum, err);
    for (size_t i = 0; i < count; i++)
        plain_free(list[i]);
    free(list);
    return rc;
}

// Labels of samples that were different stay so.
static void mark_base(struct plain_profile *base)
{
    struct plain_profile *marked = plain_copy(base);
    for (size_t i = 0; i < marked->samples.count; i++) {
        uint32_t *labels = &marked->samples.list[i].labels;
        *labels = plain_with_text(marked, *labels, BASE_KEY, "true");
    }
    struct plain_profile swap = *base;
    *base = *marked;
    *marked = swap;
    plain_free(marked);
}

enum rc reading_take_base(struct plain_profile **profile, const char *file, bool marked,
                          struct err *err)
{
    struct plain_profile *base = NULL, *rest = NULL;
    enum rc rc = profile_input_read(file, &base, err);
    if (rc != RC_OK)
        return rc;
    if (marked)
        mark_base(base);
    rc = plain_subtract(*profile, base, &rest, err);
    plain_free(base);
    if (rc == RC_OK)
        replace(profile, rest);
    return rc;
}

// --- types ---

static enum rc choose_type(const struct plain_profile *profile,
                           const struct reading_options *options, size_t *value, struct err *err)
{
    const char *wanted = options->inuse       ? "inuse_space"
                         : options->alloc     ? "alloc_space"
                                              : options->sample_type;
    if (!profile->type_count)
        return err_set(err, RC_FORMAT, "the profile has no values");
    if (wanted)
        return profile_input_type(profile, wanted, value, err);
    const char *shown_first = plain_string(profile, profile->default_type);
    for (*value = 0; *value < profile->type_count; ++*value)
        if (*shown_first &&
            strcmp(plain_string(profile, profile->types[*value].type), shown_first) == 0)
            return RC_OK;
    *value = profile->type_count - 1;
    return RC_OK;
}

static enum rc check_options(const struct reading_options *options, struct err *err)
{
    if (options->inuse + options->alloc + (options->sample_type != NULL) > 1)
        return err_set(err, RC_USAGE, "--inuse, --alloc and --sample-type exclude each other");
    if (options->base && options->diff_base)
        return err_set(err, RC_USAGE, "--base and --diff-base exclude each other");
    return RC_OK;
}

// --- all of it ---

static enum rc prune(struct reported *reading, struct err *err)
{
    struct plain_profile *pruned = NULL;
    enum rc rc = plain_prune(reading->whole, &pruned, err);
    if (pruned)
        replace(&reading->whole, pruned);
    return rc;
}

static bool filters(const struct plain_filter *filter)
{
    return filter->focus || filter->ignore || filter->hide || filter->show || filter->tag_focus ||
           filter->tag_ignore;
}

static enum rc prepare(const struct reading_options *options, struct reported *reading,
                       struct err *err)
{
    enum rc rc = RC_OK;
    const char *base = options->base ? options->base : options->diff_base;
    if (base)
        rc = reading_take_base(&reading->whole, base, options->diff_base, err);
    if (rc == RC_OK)
        rc = prune(reading, err);
    if (rc == RC_OK)
        rc = choose_type(reading->whole, options, &reading->value, err);
    if (rc != RC_OK)
        return rc;
    struct plain_type type = reading->whole->types[reading->value];
    reading->type = plain_string(reading->whole, type.type);
    reading->unit = plain_string(reading->whole, type.unit);
    reading->all = call_graph_all(reading->whole, reading->value);
    if (filters(&options->filter))
        return plain_filter(reading->whole, &options->filter, &reading->part, err);
    reading->part = reading->whole;
    return RC_OK;
}

enum rc reading_of(struct plain_profile *profile, const struct reading_options *options,
                   struct reported *reading, struct err *err)
{
    *reading = (struct reported){.whole = profile};
    enum rc rc = prepare(options, reading, err);
    if (rc != RC_OK)
        reading_close(reading);
    return rc;
}

enum rc reading_open(char **files, size_t count, const struct reading_options *options,
                     struct reported *reading, struct err *err)
{
    struct plain_profile *sum;
    *reading = (struct reported){0};
    enum rc rc = check_options(options, err);
    if (rc == RC_OK)
        rc = reading_sum(files, count, &sum, err);
    return rc == RC_OK ? reading_of(sum, options, reading, err) : rc;
}

void reading_close(struct reported *reading)
{
    if (reading->part != reading->whole)
        plain_free(reading->part);
    plain_free(reading->whole);
    *reading = (struct reported){0};
}
