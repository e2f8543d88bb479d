// SPDX-License-Identifier: MIT
#include "rows/selection.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "rows/terms.h"

struct selection {
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
static void select_by_terms(struct selection *selection, const struct terms *terms)
{
    const struct profile *profile = selection->moment->profile;
    size_t count = profile_node_count(profile);
    struct matcher matcher = {.terms = terms, .names = selection->moment->names};
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
            selection->stacks[i] = false;
    }
    free(matcher.known);
}

static void select_by_module(struct selection *selection, const char *module)
{
    const struct profile *profile = selection->moment->profile;
    struct names *names = selection->moment->names;
    selection->stacks[0] = false;
    for (uint32_t i = 1; i < profile_node_count(profile); i++) {
        struct name_span span = names_frames(names, profile, profile_node(profile, i).location);
        if (strcmp(names_function(names, span.frames->function)->module, module) != 0)
            selection->stacks[i] = false;
    }
}

static void select_threads(struct selection *selection, const struct filter *filter)
{
    const struct profile *profile = selection->moment->profile;
    size_t count = profile_thread_count(profile);
    selection->threads = xcalloc(count + 1, sizeof *selection->threads);
    for (uint32_t i = 0; i < count; i++) {
        const struct profile_thread *thread = profile_thread_get(profile, i);
        selection->threads[i] =
            (!filter->tid || thread->tid == filter->tid) &&
            (!filter->thread ||
             strcmp(profile_string(profile, thread->comm), filter->thread) == 0);
    }
}

static void select_stacks(struct selection *selection, const struct filter *filter,
                          const struct terms *terms)
{
    size_t count = profile_node_count(selection->moment->profile);
    selection->stacks = xmalloc(count * sizeof *selection->stacks);
    memset(selection->stacks, true, count * sizeof *selection->stacks);
    if (terms->count)
        select_by_terms(selection, terms);
    if (filter->module)
        select_by_module(selection, filter->module);
}

enum rc selection_new(const struct moment *moment, const struct filter *filter,
                      struct selection **out, struct err *err)
{
    struct terms terms;
    enum rc rc = terms_init(&terms, filter->terms, err);
    if (rc != RC_OK)
        return rc;
    struct selection *selection = xcalloc(1, sizeof *selection);
    selection->moment = moment;
    selection->idle = filter->idle;
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
    free(selection->threads);
    free(selection->stacks);
    free(selection);
}

bool selection_takes_stack(const struct selection *selection, uint32_t stack, uint32_t thread)
{
    return (!selection->threads || selection->threads[thread]) &&
           (!selection->stacks || selection->stacks[stack]);
}

bool selection_takes(const struct selection *selection, uint32_t stack, uint32_t thread,
                     enum profile_state state)
{
    return selection->idle != (state == STATE_CPU) &&
           selection_takes_stack(selection, stack, thread);
}

static void each_of_slices(const struct selection *selection, size_t slices,
                           void (*visit)(void *, uint32_t, uint32_t, struct cost), void *context)
{
    size_t kept = slices_count(selection->moment->slices);
    for (size_t back = 0; back < slices && back < kept; back++) {
        struct slice slice = slices_get(selection->moment->slices, back);
        for (size_t i = 0; i < slice.count; i++) {
            const struct slice_entry *entry = &slice.entries[i];
            if (selection_takes(selection, entry->stack, entry->thread, entry->state))
                visit(context, entry->stack, entry->thread,
                      cost_make(entry->state, entry->samples, entry->ns));
        }
    }
}

void selection_each(const struct selection *selection, enum rows_window window,
                    void (*visit)(void *, uint32_t, uint32_t, struct cost), void *context)
{
    const struct profile *profile = selection->moment->profile;
    if (window != WINDOW_ALL) {
        each_of_slices(selection, (size_t)rows_window_seconds[window], visit, context);
        return;
    }
    for (size_t i = 0; i < profile_value_count(profile); i++) {
        const struct profile_value *value = profile_value_get(profile, i);
        if ((value->samples || value->ns) &&
            selection_takes(selection, value->stack, value->thread, value->state))
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

void sums_init(struct sums *sums, const struct selection *selection, enum rows_window window)
{
    *sums = (struct sums){.count = profile_node_count(selection->moment->profile)};
    sums->nodes = xcalloc(sums->count, sizeof *sums->nodes);
    selection_each(selection, window, add_to_sums, sums);
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
