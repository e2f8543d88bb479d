// SPDX-License-Identifier: MIT
#include "rows/selection.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "profile/plain_pair.h"
#include "rows/terms.h"

struct selection {
    const struct moment *moment;
    struct measure measure;
    double *factors; // of the measure; owned
    bool *threads; // [thread], NULL: all
    bool *stacks;  // [node], NULL: all
    bool without_idle; // waits for work do not count
};

struct matcher {
    const struct terms *terms;
    const struct names *names;
    uint32_t *known; // [function]: mask + 1, 0: not known yet
};

static uint32_t matches_in(struct matcher *matcher, uint32_t function)
{
    uint32_t *known = &matcher->known[function];
    if (!*known)
        *known = terms_match(matcher->terms, names_function(matcher->names, function)) + 1;
    return *known - 1;
}

// A stack matches what its leaf or the stack of its caller matches.
static void select_by_terms(struct selection *selection, const struct terms *terms)
{
    const struct plain_stacks *stacks = &selection->moment->profile->stacks;
    struct matcher matcher = {.terms = terms, .names = selection->moment->names};
    AUTO_FREE uint32_t *masks = xcalloc(stacks->count, sizeof *masks);
    matcher.known = xcalloc(names_function_count(matcher.names), sizeof *matcher.known);
    for (uint32_t i = 0; i < stacks->count; i++) {
        if (i) {
            struct name_span span = names_frames(matcher.names, stacks->nodes[i].location);
            masks[i] = masks[stacks->nodes[i].parent];
            for (size_t k = 0; k < span.count; k++)
                masks[i] |= matches_in(&matcher, span.frames[k].function);
        }
        if ((masks[i] & terms->wanted) != terms->wanted || masks[i] & terms->unwanted)
            selection->stacks[i] = false;
    }
    free(matcher.known);
}

static void select_by_module(struct selection *selection, const char *module)
{
    const struct plain_stacks *stacks = &selection->moment->profile->stacks;
    const struct names *names = selection->moment->names;
    selection->stacks[0] = false;
    for (uint32_t i = 1; i < stacks->count; i++) {
        struct name_span span = names_frames(names, stacks->nodes[i].location);
        if (strcmp(names_function(names, span.frames->function)->module, module) != 0)
            selection->stacks[i] = false;
    }
}

static void select_threads(struct selection *selection, const struct filter *filter)
{
    const struct plain_profile *profile = selection->moment->profile;
    const struct plain_threads *sampled = &selection->moment->sampled;
    selection->threads = xcalloc(sampled->count + 1, sizeof *selection->threads);
    for (size_t i = 0; i < sampled->count; i++) {
        const struct plain_thread *thread = &sampled->list[i];
        selection->threads[i] =
            (!filter->tid || thread->tid == filter->tid) &&
            (!filter->thread || strcmp(plain_string(profile, thread->name), filter->thread) == 0);
    }
}

static void select_stacks(struct selection *selection, const struct filter *filter,
                          const struct terms *terms)
{
    size_t count = selection->moment->profile->stacks.count;
    selection->stacks = xmalloc(count * sizeof *selection->stacks);
    memset(selection->stacks, true, count * sizeof *selection->stacks);
    if (terms->count)
        select_by_terms(selection, terms);
    if (filter->module)
        select_by_module(selection, filter->module);
}

static enum rc choose_type(const struct moment *moment, const struct filter *filter,
                           struct measure *measure, struct err *err)
{
    const struct plain_profile *profile = moment->profile;
    if (filter->value && filter->value <= profile->type_count)
        *measure = measure_numbered(profile, filter->value - 1);
    else if (!filter->type)
        *measure = measure_of(profile);
    else if (!measure_named(profile, filter->type, measure))
        return err_set(err, RC_USAGE, "the profile has no values of type %s", filter->type);
    measure->pair = moment_pair(moment);
    return RC_OK;
}

static void make_equal(struct selection *selection)
{
    selection->factors = xcalloc(selection->measure.pair + 1, sizeof *selection->factors);
    plain_pair_factors(selection->moment->profile, selection->factors);
    selection->measure.factors = selection->factors;
}

enum rc selection_new(const struct moment *moment, const struct filter *filter,
                      struct selection **out, struct err *err)
{
    struct measure measure;
    struct terms terms;
    enum rc rc = choose_type(moment, filter, &measure, err);
    if (rc == RC_OK)
        rc = terms_init(&terms, filter->terms, err);
    if (rc != RC_OK)
        return rc;
    struct selection *selection = xcalloc(1, sizeof *selection);
    selection->moment = moment;
    selection->measure = measure;
    selection->without_idle =
        measure.of == &profile_types[PROFILE_BLOCK] && !filter->idle_waits;
    if (filter->equal && moment->base)
        make_equal(selection);
    if (filter->tid || filter->thread)
        select_threads(selection, filter);
    if (terms.count || filter->module)
        select_stacks(selection, filter, &terms);
    terms_fini(&terms);
    *out = selection;
    return RC_OK;
}

void selection_free(struct selection *selection)
{
    if (!selection)
        return;
    free(selection->factors);
    free(selection->threads);
    free(selection->stacks);
    free(selection);
}

const struct measure *selection_measure(const struct selection *selection)
{
    return &selection->measure;
}

struct cost selection_whole(const struct selection *selection, struct cost all)
{
    const struct measure *measure = &selection->measure;
    struct cost whole = {.samples = all.samples, .size = all.size};
    if (!measure->pair && all.size == cost_ns(all))
        return all;
    if (!measure->pair)
        whole.cpu_ns = all.size;
    for (uint32_t i = 0; measure->pair && i < measure->profile->samples.count; i++) {
        int64_t base = plain_values(measure->profile, i)[measure->main + measure->pair];
        whole.cpu_ns = cost_sum(whole.cpu_ns, cost_size(base));
    }
    return whole;
}

struct pick selection_pick(const struct selection *selection, uint32_t sample)
{
    const struct moment *moment = selection->moment;
    struct plain_sample of = moment->profile->samples.list[sample];
    struct plain_whose whose = moment->sampled.of[of.labels];
    return (struct pick){
        .sample = sample, .stack = of.stack, .thread = whose.thread, .state = whose.state,
        .idle = whose.idle};
}

bool selection_takes_stack(const struct selection *selection, const struct pick *pick)
{
    return !(pick->idle && selection->without_idle) &&
           (!selection->threads || selection->threads[pick->thread]) &&
           (!selection->stacks || selection->stacks[pick->stack]);
}

// A slice has of a sample what the sample has, so it is of the same types.
bool selection_takes(const struct selection *selection, const struct pick *pick)
{
    return measure_has(&selection->measure, pick->sample) &&
           selection_takes_stack(selection, pick);
}

static void each_of_slices(const struct selection *selection, struct rows_span span,
                           void (*visit)(void *, const struct pick *), void *context)
{
    const struct slices *slices = selection->moment->slices;
    size_t kept = slices ? slices_count(slices) : 0;
    for (size_t back = span.skip; back < span.skip + span.seconds && back < kept; back++) {
        struct slice slice = slices_get(slices, back);
        for (size_t i = 0; i < slice.count; i++) {
            const struct slice_entry *entry = &slice.entries[i];
            struct pick pick = selection_pick(selection, entry->value);
            pick.cost = cost_make(pick.state, entry->samples, entry->ns);
            if (selection_takes(selection, &pick))
                visit(context, &pick);
        }
    }
}

void selection_each(const struct selection *selection, struct rows_span span,
                    void (*visit)(void *, const struct pick *), void *context)
{
    if (span.seconds) {
        each_of_slices(selection, span, visit, context);
        return;
    }
    for (uint32_t i = 0; i < selection->moment->profile->samples.count; i++) {
        struct pick pick = selection_pick(selection, i);
        pick.cost = measure_cost_in(&selection->measure, i, pick.state);
        if (cost_is_any(pick.cost) && selection_takes_stack(selection, &pick))
            visit(context, &pick);
    }
}

// --- sums ---

int64_t sums_measure(struct cost cost, enum rows_measure measure)
{
    return measure == MEASURE_SAMPLES ? cost.samples : cost_ns(cost);
}

int64_t sums_rank(struct cost cost, enum rows_measure measure)
{
    return cost_size(sums_measure(cost, measure));
}

int64_t sums_size(struct cost cost, enum rows_measure measure)
{
    return measure == MEASURE_SAMPLES ? cost_size(cost.samples) : cost.size;
}

int64_t sums_line(const struct selection *selection, struct cost cost)
{
    int64_t most = selection->measure.counted ? cost_size(cost.samples) : cost.size;
    return most < INT64_MAX ? most : INT64_MAX - 1; // there is room for one more
}

static void add_to_sums(void *context, const struct pick *pick)
{
    struct sums *sums = context;
    cost_add(&sums->nodes[pick->stack], pick->cost);
    cost_add(&sums->all, pick->cost);
}

void sums_init(struct sums *sums, const struct selection *selection, struct rows_span span)
{
    *sums = (struct sums){.count = selection->moment->profile->stacks.count};
    sums->nodes = xcalloc(sums->count, sizeof *sums->nodes);
    selection_each(selection, span, add_to_sums, sums);
}

void sums_fini(struct sums *sums)
{
    free(sums->nodes);
    *sums = (struct sums){0};
}

// Callers have lower numbers than what they call.
void sums_accumulate(struct sums *sums, const struct plain_profile *profile)
{
    for (uint32_t i = (uint32_t)sums->count; i-- > 1;)
        cost_add(&sums->nodes[profile->stacks.nodes[i].parent], sums->nodes[i]);
}
