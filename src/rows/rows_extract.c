// SPDX-License-Identifier: MIT
#include "rows/rows.h"

#include "profile/place.h"
#include "profile/query.h"
#include "rows/selection.h"

struct extract {
    const struct plain_profile *from;
    struct plain_profile *part; // a copy of it with the samples that pass, and no others
    uint32_t folded;            // node of stacks of which nothing was kept, 0: it is not there yet
};

static uint32_t folded_stack(struct extract *extract)
{
    struct plain_profile *part = extract->part;
    if (!extract->folded) {
        uint32_t function = plain_add_function(
            part, (struct plain_function){.name = plain_text(part, query_folded.name)});
        struct plain_line line = {.function = function};
        extract->folded = plain_new_child(
            part, 0, plain_add_location(part, PLAIN_NONE, PLACE_FOLDED, &line, 1));
    }
    return extract->folded;
}

static void take(void *context, const struct pick *pick)
{
    struct extract *extract = context;
    uint32_t stack = pick->stack ? pick->stack : folded_stack(extract);
    uint32_t set = extract->from->samples.list[pick->sample].labels;
    int64_t values[] = {(int64_t)pick->cost.samples, (int64_t)cost_ns(pick->cost)};
    if (extract->part->type_count == 1)
        values[0] = values[1];
    plain_add(extract->part, plain_sample(extract->part, stack, set), values);
}

static void add_types(struct plain_profile *to, const struct measure *measure)
{
    const struct plain_profile *from = measure->profile;
    size_t types[] = {measure->count, measure->main};
    for (size_t i = measure->counted && measure->count != measure->main ? 0 : 1; i < 2; i++)
        plain_add_type(to, plain_string(from, from->types[types[i]].type),
                       plain_string(from, from->types[types[i]].unit));
    to->period_type = to->types[to->type_count - 1];
    to->default_type = to->period_type.type;
}

static enum rc extract_from(const struct moment *moment, const struct selection *selection,
                            enum rows_window window, struct plain_profile *to, struct err *err)
{
    const struct measure *measure = selection_measure(selection);
    struct extract extract = {.from = moment->profile, .part = plain_copy(moment->profile)};
    plain_empty(extract.part);
    add_types(extract.part, measure);
    add_types(to, measure);
    if (window != WINDOW_ALL) // how many of them were lately, nobody knows
        extract.part->folded = 0;
    selection_each(selection, window, take, &extract);
    enum rc rc = plain_merge(to, extract.part, err);
    plain_free(extract.part);
    return rc;
}

enum rc rows_extract(const struct moment *moment, const struct rows_query *query,
                     struct plain_profile **profile, struct err *err)
{
    struct selection *selection;
    enum rc rc = selection_new(moment, &query->filter, &selection, err);
    if (rc != RC_OK)
        return rc;
    struct plain_profile *to = plain_new();
    if (moment->profile->type_count)
        rc = extract_from(moment, selection, query->window, to, err);
    selection_free(selection);
    if (rc == RC_OK)
        *profile = to;
    else
        plain_free(to);
    return rc;
}
