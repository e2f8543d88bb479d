// SPDX-License-Identifier: MIT
#include "profile/plain_merge.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/escape.h"
#include "base/mem.h"
#include "profile/plain_transfer.h"

static bool same_type(const struct plain_profile *a, struct plain_type a_type,
                      const struct plain_profile *b, struct plain_type b_type)
{
    return strcmp(plain_string(a, a_type.type), plain_string(b, b_type.type)) == 0 &&
           strcmp(plain_string(a, a_type.unit), plain_string(b, b_type.unit)) == 0;
}

// Appends "samples/count, cpu/nanoseconds every cpu/nanoseconds".
static void put_types(const struct plain_profile *profile, struct buf *out)
{
    for (size_t i = 0; i <= profile->type_count; i++) {
        bool period = i == profile->type_count;
        struct plain_type type = period ? profile->period_type : profile->types[i];
        if (period && !type.type)
            continue;
        buf_puts(out, period ? " every " : i ? ", " : "");
        escape_text(out, plain_string(profile, type.type));
        buf_putc(out, '/');
        escape_text(out, plain_string(profile, type.unit));
    }
}

static enum rc check_types(const struct plain_profile *a, const struct plain_profile *b,
                           struct err *err)
{
    bool same = a->type_count == b->type_count && same_type(a, a->period_type, b, b->period_type);
    for (size_t i = 0; i < a->type_count && same; i++)
        same = same_type(a, a->types[i], b, b->types[i]);
    if (same)
        return RC_OK;
    AUTO_BUF struct buf left = {0}, right = {0};
    put_types(a, &left);
    put_types(b, &right);
    err_set(err, RC_USAGE, "the profiles are of different types:");
    err_add(err, "  %s", left.data ? left.data : "none");
    err_add(err, "  %s", right.data ? right.data : "none");
    return RC_USAGE;
}

// INT64_MIN has no opposite.
static void negate(int64_t *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] = values[i] == INT64_MIN ? INT64_MAX : -values[i];
}

static void add_samples(struct plain_transfer *transfer, const struct plain_profile *from,
                        bool negative)
{
    plain_transfer_from(transfer, from);
    AUTO_FREE int64_t *values = xcalloc(from->type_count + 1, sizeof *values);
    for (uint32_t i = 0; i < from->samples.count; i++) {
        if (plain_is_empty(from, i))
            continue;
        memcpy(values, plain_values(from, i), from->type_count * sizeof *values);
        if (negative)
            negate(values, from->type_count);
        plain_transfer_sample(transfer, i, values);
    }
}

static bool has_empty(const struct plain_profile *profile)
{
    for (uint32_t i = 0; i < profile->samples.count; i++)
        if (plain_is_empty(profile, i))
            return true;
    return false;
}

// Takes the profile over. With the samples goes what only they needed.
static struct plain_profile *without_empty(struct plain_profile *profile)
{
    if (!has_empty(profile))
        return profile;
    struct plain_profile *rest = plain_head_of(profile);
    struct plain_transfer *transfer = plain_transfer_new(rest);
    add_samples(transfer, profile, false);
    plain_transfer_free(transfer);
    plain_free(profile);
    return rest;
}

static void add_comments(struct plain_profile *to, const struct plain_profile *from)
{
    for (size_t i = 0; i < from->comment_count; i++) {
        const char *text = plain_string(from, from->comments[i]);
        bool known = false;
        for (size_t k = 0; k < to->comment_count && !known; k++)
            known = strcmp(plain_string(to, to->comments[k]), text) == 0;
        if (!known)
            plain_add_comment(to, text);
    }
}

static void merge_heads(struct plain_profile *to, const struct plain_profile *from)
{
    int64_t duration;
    if (!to->time || (from->time && from->time < to->time))
        to->time = from->time;
    if (!__builtin_add_overflow(to->duration, from->duration, &duration))
        to->duration = duration;
    if (from->period > to->period)
        to->period = from->period;
    if (!to->default_type)
        to->default_type = plain_text(to, plain_string(from, from->default_type));
    to->folded += from->folded;
    add_comments(to, from);
}

enum rc plain_merge(const struct plain_profile *const *profiles, size_t count,
                    struct plain_profile **sum, struct err *err)
{
    *sum = NULL;
    for (size_t i = 1; i < count; i++)
        if (check_types(profiles[0], profiles[i], err) != RC_OK)
            return RC_USAGE;
    struct plain_profile *to = plain_head_of(profiles[0]);
    struct plain_transfer *transfer = plain_transfer_new(to);
    for (size_t i = 0; i < count; i++) {
        add_samples(transfer, profiles[i], false);
        if (i)
            merge_heads(to, profiles[i]);
    }
    plain_transfer_free(transfer);
    *sum = without_empty(to);
    return RC_OK;
}

enum rc plain_subtract(const struct plain_profile *profile, const struct plain_profile *base,
                       struct plain_profile **rest, struct err *err)
{
    *rest = NULL;
    if (check_types(profile, base, err) != RC_OK)
        return RC_USAGE;
    struct plain_profile *to = plain_head_of(profile);
    struct plain_transfer *transfer = plain_transfer_new(to);
    add_samples(transfer, profile, false);
    add_samples(transfer, base, true);
    plain_transfer_free(transfer);
    *rest = without_empty(to);
    return RC_OK;
}
