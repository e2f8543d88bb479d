// SPDX-License-Identifier: MIT
#include "profile/plain_pair.h"

#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "profile/plain_transfer.h"

struct common { // values that both profiles have
    size_t *from, *base; // numbers of types in each
    size_t count;
};

static bool has_type(const struct plain_profile *profile, const char *type, const char *unit,
                     size_t *number)
{
    for (*number = 0; *number < profile->type_count; ++*number)
        if (strcmp(plain_string(profile, profile->types[*number].type), type) == 0 &&
            strcmp(plain_string(profile, profile->types[*number].unit), unit) == 0)
            return true;
    return false;
}

// Of values with the same names the first is meant in both.
static struct common find_common(const struct plain_profile *profile,
                                 const struct plain_profile *base)
{
    size_t size = profile->type_count + 1, own;
    struct common common = {xcalloc(size, sizeof(size_t)), xcalloc(size, sizeof(size_t)), 0};
    for (size_t i = 0; i < profile->type_count; i++) {
        const char *type = plain_string(profile, profile->types[i].type);
        const char *unit = plain_string(profile, profile->types[i].unit);
        if (!has_type(profile, type, unit, &own) || own != i ||
            !has_type(base, type, unit, &common.base[common.count]))
            continue;
        common.from[common.count++] = i;
    }
    return common;
}

static char *types_of(const struct plain_profile *profile)
{
    AUTO_BUF struct buf text = {0};
    for (size_t i = 0; i < profile->type_count; i++)
        buf_printf(&text, "%s%s/%s", i ? ", " : "",
                   plain_string(profile, profile->types[i].type),
                   plain_string(profile, profile->types[i].unit));
    return escape_text_dup(text.length ? text.data : "nothing");
}

static enum rc different(const struct plain_profile *profile, const struct plain_profile *base,
                         struct err *err)
{
    AUTO_FREE char *old = types_of(base), *new = types_of(profile);
    return err_set(err, RC_USAGE, "the profiles have no values in common: the old one is of %s, "
                                  "the new one of %s", old, new);
}

static void set_types(struct plain_profile *pair, const struct plain_profile *profile,
                      const struct common *common)
{
    const char *shown = plain_string(profile, profile->default_type);
    bool there = false;
    pair->type_count = 0;
    for (size_t i = 0; i < 2 * common->count; i++) {
        struct plain_type type = profile->types[common->from[i % common->count]];
        const char *name = plain_string(profile, type.type);
        plain_add_type(pair, name, plain_string(profile, type.unit));
        there |= strcmp(name, shown) == 0;
    }
    if (!there) // the last value would be one of the base
        pair->default_type = pair->types[common->count - 1].type;
}

// Adds samples whose values begin at number `first` of the pair.
static void add_samples(struct plain_transfer *transfer, const struct plain_profile *from,
                        const size_t *types, size_t count, size_t first)
{
    plain_transfer_from(transfer, from);
    AUTO_FREE int64_t *values = xcalloc(2 * count, sizeof *values);
    for (uint32_t i = 0; i < from->samples.count; i++) {
        if (plain_is_empty(from, i))
            continue;
        for (size_t k = 0; k < count; k++)
            values[first + k] = plain_values(from, i)[types[k]];
        plain_transfer_sample(transfer, i, values);
    }
}

enum rc plain_pair(const struct plain_profile *profile, const struct plain_profile *base,
                   struct plain_profile **pair, struct err *err)
{
    *pair = NULL;
    struct common common = find_common(profile, base);
    AUTO_FREE size_t *from = common.from, *of_base = common.base;
    if (!common.count)
        return different(profile, base, err);
    *pair = plain_head_of(profile);
    set_types(*pair, profile, &common);
    struct plain_transfer *transfer = plain_transfer_new(*pair);
    add_samples(transfer, profile, from, common.count, 0);
    add_samples(transfer, base, of_base, common.count, common.count);
    plain_transfer_free(transfer);
    return RC_OK;
}

void plain_pair_factors(const struct plain_profile *pair, double *factors)
{
    size_t count = pair->type_count / 2;
    AUTO_FREE double *totals = xcalloc(2 * count + 1, sizeof *totals);
    for (uint32_t i = 0; i < pair->samples.count; i++)
        for (size_t k = 0; k < 2 * count; k++)
            totals[k] += (double)plain_values(pair, i)[k];
    for (size_t k = 0; k < count; k++)
        factors[k] = totals[k] > 0 && totals[k + count] > 0 ? totals[k + count] / totals[k] : 1;
}
