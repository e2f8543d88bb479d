// SPDX-License-Identifier: MIT
// Which values a flame graph has: those of its profile, or those that two profiles have in common.
#include "output/flame_types.h"

#include <string.h>

#include "base/buf.h"
#include "base/escape.h"
#include "base/mem.h"

static const char *text_of(const struct plain_profile *profile, uint32_t text)
{
    return plain_string(profile, text);
}

static bool same(const struct plain_profile *profile, size_t type,
                 const struct plain_profile *base, size_t other)
{
    const struct plain_type *a = &profile->types[type], *b = &base->types[other];
    return strcmp(text_of(profile, a->type), text_of(base, b->type)) == 0 &&
           strcmp(text_of(profile, a->unit), text_of(base, b->unit)) == 0;
}

// Values of two types may have the same names: the second of one profile is the second of the
// other.
static size_t find_same(const struct plain_profile *profile, size_t type,
                        const struct plain_profile *base)
{
    size_t skip = 0, other = 0;
    for (size_t i = 0; i < type; i++)
        skip += same(profile, type, profile, i);
    while (other < base->type_count && !(same(profile, type, base, other) && skip-- == 0))
        other++;
    return other;
}

static uint32_t shown_text(struct flame_cells *cells, const char *text)
{
    AUTO_BUF struct buf shown = {0};
    escape_utf8(&shown, text);
    return strtab_add(&cells->texts, shown.data);
}

static void add_type(struct flame_cells *cells, size_t type, size_t base_type)
{
    const struct plain_profile *profile = cells->request->profile;
    ARRAY_RESERVE(cells->types, cells->type_count, cells->type_capacity);
    cells->types[cells->type_count++] = (struct flame_type){
        .name = shown_text(cells, text_of(profile, profile->types[type].type)),
        .unit = shown_text(cells, text_of(profile, profile->types[type].unit)),
        .in = {cells->request->base ? base_type : type, type},
    };
}

static void put_types(struct buf *out, const struct plain_profile *profile)
{
    for (size_t i = 0; i < profile->type_count; i++) {
        buf_puts(out, i ? ", " : "");
        escape_text(out, text_of(profile, profile->types[i].type));
    }
    buf_puts(out, profile->type_count ? "" : "none");
}

static enum rc not_in_base(const struct flame_request *request, struct err *err)
{
    AUTO_BUF struct buf own = {0}, others = {0};
    const struct plain_type *type = &request->profile->types[request->value];
    AUTO_FREE char *shown = escape_text_dup(text_of(request->profile, type->type));
    put_types(&own, request->profile);
    put_types(&others, request->base);
    err_set(err, RC_USAGE, "the two profiles do not both have values of type %.200s", shown);
    err_add(err, "  the first has: %.200s; the second: %.200s; --sample-type names one of both",
            others.data, own.data);
    return RC_USAGE;
}

static enum rc choose_shown(struct flame_cells *cells, struct err *err)
{
    for (size_t i = 0; i < cells->type_count; i++)
        if (cells->types[i].in[1] == cells->request->value) {
            cells->shown = i;
            return RC_OK;
        }
    return not_in_base(cells->request, err);
}

enum rc flame_types_fill(struct flame_cells *cells, struct err *err)
{
    const struct plain_profile *profile = cells->request->profile, *base = cells->request->base;
    for (size_t i = 0; i < profile->type_count; i++) {
        size_t other = base ? find_same(profile, i, base) : i;
        if (!base || other < base->type_count)
            add_type(cells, i, other);
    }
    if (!profile->type_count)
        return err_set(err, RC_FORMAT, "the profile has no values");
    return choose_shown(cells, err);
}
