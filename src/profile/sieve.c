// SPDX-License-Identifier: MIT
#include "profile/sieve.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "profile/terms.h"

struct sieve {
    const struct moment *moment;
    bool idle;
    bool *threads; // [thread], NULL: all
    bool *stacks;  // [node], NULL: all
};

struct matcher {
    const struct terms *terms;
    struct names *names;
    uint32_t *known; // [function]: mask + 1, 0: not known yet
    size_t known_count;
};

static uint32_t matches_in(struct matcher *matcher, uint32_t function)
{
    if (function >= matcher->known_count) {
        size_t count = names_function_count(matcher->names) + 64;
        matcher->known = xrealloc(matcher->known, count * sizeof *matcher->known);
        memset(matcher->known + matcher->known_count, 0,
               (count - matcher->known_count) * sizeof *matcher->known);
        matcher->known_count = count;
    }
    uint32_t *known = &matcher->known[function];
    if (!*known)
        *known = terms_match(matcher->terms, names_function(matcher->names, function)) + 1;
    return *known - 1;
}

// What matches in a stack is what matches in its leaf or in the stack of its caller.
static void sift_by_terms(struct sieve *sieve, const struct terms *terms)
{
    const struct profile *profile = sieve->moment->profile;
    size_t count = profile_node_count(profile);
    struct matcher matcher = {.terms = terms, .names = sieve->moment->names};
    AUTO_FREE uint32_t *masks = xcalloc(count, sizeof *masks);
    for (uint32_t i = 0; i < count; i++) {
        struct stack_node node = profile_node(profile, i);
        if (i) {
            struct name_span span = names_frames(matcher.names, profile, node.location);
            masks[i] = masks[node.parent];
            for (size_t k = 0; k < span.count; k++)
                masks[i] |= matches_in(&matcher, span.frames[k].function);
        }
        if ((masks[i] & terms->wanted) != terms->wanted || masks[i] & terms->unwanted)
            sieve->stacks[i] = false;
    }
    free(matcher.known);
}

static void sift_by_module(struct sieve *sieve, const char *module)
{
    const struct profile *profile = sieve->moment->profile;
    struct names *names = sieve->moment->names;
    sieve->stacks[0] = false;
    for (uint32_t i = 1; i < profile_node_count(profile); i++) {
        struct name_span span = names_frames(names, profile, profile_node(profile, i).location);
        if (strcmp(names_function(names, span.frames->function)->module, module) != 0)
            sieve->stacks[i] = false;
    }
}

static void sift_threads(struct sieve *sieve, const struct filter *filter)
{
    const struct profile *profile = sieve->moment->profile;
    size_t count = profile_thread_count(profile);
    sieve->threads = xcalloc(count + 1, sizeof *sieve->threads);
    for (uint32_t i = 0; i < count; i++) {
        const struct profile_thread *thread = profile_thread_get(profile, i);
        sieve->threads[i] =
            (!filter->tid || thread->tid == filter->tid) &&
            (!filter->thread ||
             strcmp(profile_string(profile, thread->comm), filter->thread) == 0);
    }
}

static void sift_stacks(struct sieve *sieve, const struct filter *filter, const struct terms *terms)
{
    size_t count = profile_node_count(sieve->moment->profile);
    sieve->stacks = xmalloc(count * sizeof *sieve->stacks);
    memset(sieve->stacks, true, count * sizeof *sieve->stacks);
    if (terms->count)
        sift_by_terms(sieve, terms);
    if (filter->module)
        sift_by_module(sieve, filter->module);
}

enum rc sieve_new(const struct moment *moment, const struct filter *filter, struct sieve **out,
                  struct err *err)
{
    struct terms terms;
    enum rc rc = terms_init(&terms, filter->terms, err);
    if (rc != RC_OK)
        return rc;
    struct sieve *sieve = xcalloc(1, sizeof *sieve);
    sieve->moment = moment;
    sieve->idle = filter->idle;
    if (filter->tid || filter->thread)
        sift_threads(sieve, filter);
    if (terms.count || filter->module)
        sift_stacks(sieve, filter, &terms);
    terms_fini(&terms);
    *out = sieve;
    return RC_OK;
}

void sieve_free(struct sieve *sieve)
{
    if (!sieve)
        return;
    free(sieve->threads);
    free(sieve->stacks);
    free(sieve);
}

bool sieve_takes_stack(const struct sieve *sieve, uint32_t stack, uint32_t thread)
{
    return (!sieve->threads || sieve->threads[thread]) &&
           (!sieve->stacks || sieve->stacks[stack]);
}

bool sieve_takes(const struct sieve *sieve, uint32_t stack, uint32_t thread,
                 enum profile_state state)
{
    return sieve->idle != (state == STATE_CPU) && sieve_takes_stack(sieve, stack, thread);
}

static void each_of_slices(const struct sieve *sieve, size_t slices,
                           void (*visit)(void *, uint32_t, uint32_t, struct cost), void *context)
{
    size_t kept = slices_count(sieve->moment->slices);
    for (size_t back = 0; back < slices && back < kept; back++) {
        struct slice slice = slices_get(sieve->moment->slices, back);
        for (size_t i = 0; i < slice.count; i++) {
            const struct slice_entry *entry = &slice.entries[i];
            if (sieve_takes(sieve, entry->stack, entry->thread, entry->state))
                visit(context, entry->stack, entry->thread,
                      cost_make(entry->state, entry->samples, entry->ns));
        }
    }
}

void sieve_each(const struct sieve *sieve, enum rows_window window,
                void (*visit)(void *, uint32_t, uint32_t, struct cost), void *context)
{
    const struct profile *profile = sieve->moment->profile;
    if (window != WINDOW_ALL) {
        each_of_slices(sieve, (size_t)rows_window_seconds[window], visit, context);
        return;
    }
    for (size_t i = 0; i < profile_value_count(profile); i++) {
        const struct profile_value *value = profile_value_get(profile, i);
        if ((value->samples || value->ns) &&
            sieve_takes(sieve, value->stack, value->thread, value->state))
            visit(context, value->stack, value->thread,
                  cost_make(value->state, value->samples, value->ns));
    }
}

// --- sums ---

uint64_t sums_measure(struct cost cost, enum rows_measure measure)
{
    return measure == MEASURE_SAMPLES ? cost.samples : cost_ns(cost);
}

static void add_to_sums(void *context, uint32_t stack, uint32_t thread, struct cost cost)
{
    struct sums *sums = context;
    (void)thread;
    cost_add(&sums->nodes[stack], cost);
    cost_add(&sums->all, cost);
}

void sums_init(struct sums *sums, const struct sieve *sieve, enum rows_window window)
{
    *sums = (struct sums){.count = profile_node_count(sieve->moment->profile)};
    sums->nodes = xcalloc(sums->count, sizeof *sums->nodes);
    sieve_each(sieve, window, add_to_sums, sums);
}

void sums_fini(struct sums *sums)
{
    free(sums->nodes);
    *sums = (struct sums){0};
}

// Callers have lower numbers than what they call.
void sums_accumulate(struct sums *sums, const struct profile *profile)
{
    for (uint32_t i = (uint32_t)sums->count; i-- > 1;)
        cost_add(&sums->nodes[profile_node(profile, i).parent], sums->nodes[i]);
}
