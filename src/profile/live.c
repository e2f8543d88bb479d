// SPDX-License-Identifier: MIT
#include "profile/live.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "profile/filling.h"
#include "profile/idle_waits.h"
#include "profile/place.h"
#include "profile/types.h"

#define NONE UINT32_MAX
#define IDLE_EVERY (NS_PER_S / 2) // waits for work are found so often
#define SETS_MAX 16384 // label sets beside those of the threads that are there

#define VALUES 8 // two of each type
static const enum profile_kind kinds[] = {PROFILE_CPU, PROFILE_WALL, PROFILE_BLOCK, PROFILE_MUTEX};

struct live_thread {
    uint32_t comm, process_comm; // that the sets were made of: strings of the store
    uint32_t sets[STATE_COUNT];  // NONE: no sample has needed it yet
};

struct live {
    struct live_source source;
    struct plain_profile *plain; // of which stacks and samples are taken away each time
    struct filling filling;
    struct location *locations;  // as the store has them
    size_t location_count, location_capacity;
    uint32_t wanted, named; // locations below this number were asked for, have their names
    struct live_thread *threads;
    struct plain_thread *facts;
    size_t thread_count, thread_capacity, fact_capacity;
    struct plain_whose *of; // [label set]
    size_t of_capacity;
    size_t waits; // values of what was waited for
    struct {
        bool *list; // [value]: a wait for work
        size_t count;
        int64_t at;      // CLOCK_MONOTONIC ns, when it was decided
        uint64_t waited; // ns, all that had been waited then
    } idle;
    struct names *names;
    uint32_t added; // locations below this number are in them
};

struct live *live_new(const struct live_source *source)
{
    struct live *live = xcalloc(1, sizeof *live);
    live->source = *source;
    live->plain = plain_new();
    live->names = names_new();
    live_add_types(live->plain);
    return live;
}

void live_free(struct live *live)
{
    if (!live)
        return;
    plain_free(live->plain);
    filling_fini(&live->filling);
    names_unref(live->names);
    free(live->locations);
    free(live->threads);
    free(live->facts);
    free(live->of);
    free(live->idle.list);
    free(live);
}

void live_add_types(struct plain_profile *profile)
{
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++)
        profile_type_add(&profile_types[kinds[i]], profile);
    assert(profile->type_count == VALUES);
}

// What was waited for is a value of all types that take its state; of a mutex profile, only locks.
static void set_values(int64_t *values, enum profile_state state, bool lock, uint64_t samples,
                       uint64_t ns)
{
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++) {
        const struct profile_type *type = &profile_types[kinds[i]];
        if (!(type->states >> state & 1) || (profile_type_by_lock(type) && !lock))
            continue;
        values[2 * i] = filling_value(samples);
        values[2 * i + 1] = filling_value(ns);
    }
}

void live_add(struct plain_profile *profile, uint32_t sample, enum profile_state state, bool lock,
              uint64_t samples, uint64_t ns)
{
    int64_t values[VALUES] = {0};
    set_values(values, state, lock, samples, ns);
    plain_add(profile, sample, values);
}

size_t live_named(const struct live *live)
{
    return live->named;
}

bool live_is_worn(const struct live *live)
{
    return live->plain->labels.set_count >
           SETS_MAX + live->thread_count * 6 * STATE_COUNT + live->waits * 5;
}

// --- what the store holds ---

static void follow_locations(struct live *live, const struct profile *store)
{
    const struct modules *modules = live->source.modules;
    for (size_t i = live->location_count; i < profile_location_count(store); i++) {
        struct location at = profile_location_get(store, (uint32_t)i);
        uint32_t mapping = filling_mapping(&live->filling, modules_mapping(modules, at.mapping));
        plain_add_location(live->plain, mapping, place_address(modules, at), NULL, 0);
        ARRAY_RESERVE(live->locations, i, live->location_capacity);
        live->locations[i] = at;
        live->location_count++;
    }
}

// A thread with a new name gets new label sets.
static void follow_thread(struct live *live, const struct profile *store, uint32_t number)
{
    const struct profile_thread *thread = profile_thread_get(store, number);
    struct live_thread *known = &live->threads[number];
    struct plain_thread *fact = &live->facts[number];
    fact->held_ns = thread->held_ns;
    if (known->comm == thread->comm && known->process_comm == thread->process_comm)
        return;
    *known = (struct live_thread){.comm = thread->comm, .process_comm = thread->process_comm};
    for (size_t i = 0; i < STATE_COUNT; i++)
        known->sets[i] = NONE;
    fact->pid = thread->pid;
    fact->tid = thread->tid;
    fact->name = plain_text(live->plain, profile_string(store, thread->comm));
}

static void follow_threads(struct live *live, const struct profile *store)
{
    for (uint32_t i = 0; i < profile_thread_count(store); i++) {
        if (i == live->thread_count) {
            ARRAY_RESERVE(live->threads, i, live->thread_capacity);
            ARRAY_RESERVE(live->facts, i, live->fact_capacity);
            live->threads[i] = (struct live_thread){.comm = NONE};
            live->facts[i] = (struct plain_thread){0};
            live->thread_count++;
        }
        follow_thread(live, store, i);
    }
}

static void copy_nodes(struct live *live, const struct profile *store)
{
    struct plain_stacks *stacks = &live->plain->stacks;
    size_t count = profile_node_count(store);
    stacks->nodes = xrealloc(stacks->nodes, count * sizeof *stacks->nodes);
    stacks->count = stacks->capacity = count;
    for (uint32_t i = 1; i < count; i++) {
        struct stack_node node = profile_node(store, i);
        stacks->nodes[i] = (struct plain_node){node.parent, node.location};
    }
    stacks->nodes[0] = (struct plain_node){PLAIN_NONE, PLAIN_NONE};
}

static bool is_of_wait(enum profile_state state)
{
    return state == STATE_DELAYED || state == STATE_HOLDING;
}

static uint32_t thread_set(struct live *live, const struct profile *store, uint32_t thread,
                           enum profile_state state)
{
    uint32_t *set = &live->threads[thread].sets[state];
    bool stateless = state == STATE_CPU || is_of_wait(state);
    if (*set == NONE)
        *set = filling_labels(&live->filling, store, thread,
                              stateless ? "" : profile_state_names[state]);
    return *set;
}

// What is known of a wait may change.
static uint32_t set_of(struct live *live, const struct profile *store,
                       const struct profile_value *value, bool idle)
{
    uint32_t set = thread_set(live, store, value->thread, value->state);
    if (value->wait)
        set = filling_wait(&live->filling, store, set, value->wait);
    if (idle)
        set = plain_with_text(live->plain, set, PLAIN_IDLE, "yes");
    if (is_of_wait(value->state))
        set = plain_with_text(live->plain, set, PLAIN_SIDE,
                              value->state == STATE_HOLDING ? PLAIN_HOLDER : PLAIN_WAITER);
    while (live->of_capacity <= set)
        ARRAY_RESERVE(live->of, live->of_capacity, live->of_capacity);
    live->of[set] = (struct plain_whose){value->thread, value->state, idle};
    return set;
}

static void copy_values(struct live *live, const struct profile *store)
{
    struct plain_samples *samples = &live->plain->samples;
    size_t count = profile_value_count(store);
    samples->list = xrealloc(samples->list, (count + 1) * sizeof *samples->list);
    samples->count = samples->capacity = count;
    free(samples->values);
    samples->values = xcalloc(count * VALUES + 1, sizeof *samples->values);
    samples->value_capacity = count * VALUES;
    for (size_t i = 0; i < count; i++) {
        const struct profile_value *value = profile_value_get(store, i);
        bool lock = value->wait && profile_wait_get(store, value->wait)->lock;
        bool idle = i < live->idle.count && live->idle.list[i];
        samples->list[i] = (struct plain_sample){value->stack, set_of(live, store, value, idle)};
        set_values(&samples->values[i * VALUES], value->state, lock, value->samples, value->ns);
    }
}

// Functions whose names have not come are all the same.
static const char *function_at(const void *context, uint32_t location)
{
    const struct live *live = context;
    if (location >= live->added)
        return NULL;
    struct name_span span = names_frames(live->names, location);
    return names_function(live->names, span.frames[span.count - 1].function)->name;
}

// What was decided stays until more was waited, and for a while.
static void mark_idle(struct live *live, const struct profile *store)
{
    int64_t now = clock_now();
    uint64_t waited = 0;
    live->waits = 0;
    for (size_t i = 0; i < profile_value_count(store); i++) {
        const struct profile_value *value = profile_value_get(store, i);
        bool of_wait = is_of_wait(value->state);
        live->waits += of_wait;
        waited += of_wait ? value->ns : 0;
    }
    if (waited == live->idle.waited || now < live->idle.at + IDLE_EVERY)
        return;
    live->idle.waited = waited;
    live->idle.at = now;
    live->idle.count = profile_value_count(store);
    free(live->idle.list);
    live->idle.list = xcalloc(live->idle.count + 1, sizeof *live->idle.list);
    idle_waits_find(&(struct idle_source){store, function_at, live}, live->idle.list);
}

void live_follow(struct live *live, const struct profile *store)
{
    if (!live->filling.to)
        filling_init(&live->filling, live->plain, live->source.modules);
    follow_locations(live, store);
    follow_threads(live, store);
    copy_nodes(live, store);
    mark_idle(live, store);
    copy_values(live, store);
    live->plain->folded = profile_folded(store);
}

// --- names ---

// Names that are asked for one by one cost a round trip to the symbol process each.
static void want_new(struct live *live)
{
    for (; live->wanted < live->location_count; live->wanted++) {
        struct location at = live->locations[live->wanted];
        symbolizer_want(live->source.symbolizer, at.mapping, at.offset);
    }
}

// Nobody else uses the symbolizer, and all that is looked up has been fetched.
static void take_names(struct live *live)
{
    for (; live->named < live->wanted; live->named++) {
        struct location at = live->locations[live->named];
        const struct symbol *symbol =
            symbolizer_lookup(live->source.symbolizer, at.mapping, at.offset);
        const struct plain_line *lines =
            filling_lines(&live->filling, symbol->lines, symbol->line_count);
        plain_set_lines(live->plain, live->named, lines, symbol->line_count);
        live->plain->code.locations[live->named].inside = filling_inside(symbol);
        if (live->named < live->added) // until now it was called by its module
            names_add(live->names, live->plain, live->named);
    }
    plain_judge_mappings(live->plain);
}

static bool bring_names(struct live *live, int milliseconds)
{
    struct fetcher *fetcher = live->source.fetcher;
    if (live->named >= live->location_count)
        return true;
    if (!fetcher_wait(fetcher, milliseconds))
        return false;
    pthread_mutex_lock(live->source.lock);
    want_new(live);
    pthread_mutex_unlock(live->source.lock);
    fetcher_start(fetcher);
    if (!fetcher_wait(fetcher, milliseconds))
        return false;
    pthread_mutex_lock(live->source.lock);
    take_names(live);
    pthread_mutex_unlock(live->source.lock);
    return true;
}

bool live_names(struct live *live, int milliseconds)
{
    bool all = bring_names(live, milliseconds);
    for (; live->added < live->location_count; live->added++)
        names_add(live->names, live->plain, live->added);
    return all;
}

struct names *live_functions(struct live *live)
{
    return names_ref(live->names);
}

bool live_is_of(const struct live *live, const struct names *functions)
{
    return live && live->names == functions;
}

// --- what is given away ---

static void copy_threads(const struct live *live, struct plain_threads *threads)
{
    size_t sets = live->plain->labels.set_count;
    *threads = (struct plain_threads){
        .list = xcalloc(live->thread_count + 1, sizeof *threads->list),
        .count = live->thread_count,
        .of = xcalloc(sets, sizeof *threads->of),
    };
    if (live->thread_count)
        memcpy(threads->list, live->facts, live->thread_count * sizeof *threads->list);
    if (live->of)
        memcpy(threads->of, live->of,
               (sets < live->of_capacity ? sets : live->of_capacity) * sizeof *threads->of);
}

struct plain_profile *live_take(struct live *live, struct plain_threads *threads)
{
    struct plain_stacks stacks = live->plain->stacks;
    struct plain_samples samples = live->plain->samples;
    live->plain->stacks = (struct plain_stacks){0};
    live->plain->samples = (struct plain_samples){0};
    struct plain_profile *taken = plain_copy(live->plain);
    free(taken->stacks.nodes);
    free(taken->samples.list);
    free(taken->samples.values);
    taken->stacks = stacks;
    taken->samples = samples;
    copy_threads(live, threads);
    return taken;
}

void live_name_again(const struct live *live, struct plain_profile *profile)
{
    plain_take_code(profile, live->plain);
}
