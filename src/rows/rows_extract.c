// SPDX-License-Identifier: MIT
#include "rows/rows.h"

#include <string.h>

#include "profile/place.h"
#include "profile/plain_transfer.h"
#include "profile/query.h"
#include "rows/selection.h"

struct extract {
    const struct plain_profile *from;
    struct plain_profile *to;
    struct plain_transfer *transfer;
    bool sides; // waiters and holders are told apart
    uint32_t folded; // node of stacks of which nothing was kept, 0: it is not there yet
};

static uint32_t folded_stack(struct extract *extract)
{
    struct plain_profile *to = extract->to;
    if (!extract->folded) {
        uint32_t function = plain_add_function(
            to, (struct plain_function){.name = plain_text(to, query_folded.name)});
        struct plain_line line = {.function = function};
        extract->folded =
            plain_child(to, 0, plain_add_location(to, PLAIN_NONE, PLACE_FOLDED, &line, 1));
    }
    return extract->folded;
}

// The side is the last label of what was waited for.
static uint32_t without_side(const struct plain_profile *profile, uint32_t set)
{
    struct plain_set last = profile->labels.sets[set];
    const char *key = set ? plain_string(profile, profile->labels.list[last.label].key) : "";
    return strcmp(key, PLAIN_SIDE) == 0 ? last.parent : set;
}

static void take(void *context, const struct pick *pick)
{
    struct extract *extract = context;
    uint32_t labels = extract->from->samples.list[pick->sample].labels;
    int64_t values[] = {pick->cost.samples, cost_ns(pick->cost)};
    if (!values[0] && !values[1])
        return;
    if (extract->to->type_count == 1)
        values[0] = values[1];
    if (!extract->sides)
        labels = without_side(extract->from, labels);
    uint32_t set = plain_transfer_labels(extract->transfer, labels);
    uint32_t stack = pick->stack ? plain_transfer_stack(extract->transfer, pick->stack)
                                 : folded_stack(extract);
    plain_add(extract->to, plain_sample(extract->to, stack, set), values);
}

static void add_types(struct plain_profile *to, const struct measure *measure)
{
    const struct plain_profile *from = measure->profile;
    size_t types[] = {measure->count, measure->main};
    for (size_t i = measure->counted && measure->count != measure->main ? 0 : 1; i < 2; i++)
        plain_add_type(to, plain_string(from, from->types[types[i]].type),
                       plain_string(from, from->types[types[i]].unit));
    to->default_type = to->types[to->type_count - 1].type;
    if (measure->of && measure->of->period) {
        to->period_type.type = plain_text(to, measure->of->period_type.type);
        to->period_type.unit = plain_text(to, measure->of->period_type.unit);
    } else {
        to->period_type = to->types[to->type_count - 1];
    }
}

enum rc rows_extract(const struct moment *moment, const struct rows_query *query,
                     struct plain_profile **profile, struct err *err)
{
    struct selection *selection;
    *profile = NULL;
    enum rc rc = selection_new(moment, &query->filter, &selection, err);
    if (rc != RC_OK)
        return rc;
    struct extract extract = {.from = moment->profile, .to = plain_head_of(moment->profile)};
    extract.to->type_count = 0;
    if (moment->profile->type_count)
        add_types(extract.to, selection_measure(selection));
    if (rows_span(query).seconds) // how many of them were lately, nobody knows
        extract.to->folded = 0;
    const struct profile_type *type = selection_measure(selection)->of;
    extract.sides = !type || profile_type_by_lock(type);
    extract.transfer = plain_transfer_new(extract.to);
    plain_transfer_from(extract.transfer, moment->profile);
    selection_each(selection, rows_span(query), take, &extract);
    plain_transfer_free(extract.transfer);
    selection_free(selection);
    *profile = extract.to;
    return RC_OK;
}
