// SPDX-License-Identifier: MIT
#include "serve/report_threads.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "profile/measure.h"
#include "serve/program_function.h"

enum { RAN, WAITED, WAYS };

struct report_places {
    struct map counts; // of a stack, a thread and a way -> number in the list
    uint64_t *list;    // owned: how often it was found
    size_t count, capacity;
};

struct met { // a thread, and where it was most often
    pid_t tid;
    uint64_t times;
    struct { uint64_t times; uint32_t node; } most[WAYS];
};

struct meeting {
    const struct moment *moment;
    const uint64_t *hashes;
    struct report_places *before, now;
    struct map numbers; // tid -> number in the list
    struct met *list;   // owned
    size_t count, capacity;
};

static void fini(struct report_places *places)
{
    map_fini(&places->counts);
    free(places->list);
}

struct report_places *report_places_new(void)
{
    return xcalloc(1, sizeof(struct report_places));
}

void report_places_free(struct report_places *places)
{
    if (places)
        fini(places);
    free(places);
}

static uint64_t *place(struct report_places *places, uint64_t key)
{
    uint32_t number = map_number(&places->counts, key);
    if (number == places->count) {
        ARRAY_RESERVE(places->list, places->count, places->capacity);
        places->list[places->count++] = 0;
    }
    return &places->list[number];
}

static uint64_t times_before(const struct report_places *before, uint64_t key)
{
    uint32_t number = map_get(&before->counts, key, UINT32_MAX);
    return number == UINT32_MAX ? 0 : before->list[number];
}

static struct met *meet(struct meeting *meeting, pid_t tid)
{
    uint32_t number = map_number(&meeting->numbers, (uint64_t)tid);
    if (number == meeting->count) {
        ARRAY_RESERVE(meeting->list, meeting->count, meeting->capacity);
        meeting->list[meeting->count++] = (struct met){.tid = tid};
    }
    return &meeting->list[number];
}

// Samples of one place differ in labels that do not matter here.
static void add(struct meeting *meeting, pid_t tid, uint32_t node, unsigned way, uint64_t times)
{
    uint64_t key = map_hash(meeting->hashes[node] ^ map_hash((uint64_t)tid * WAYS + way));
    uint64_t *now = place(&meeting->now, key), before = times_before(meeting->before, key);
    *now += times;
    uint64_t more = *now > before ? *now - before : 0;
    if (!more)
        return;
    struct met *met = meet(meeting, tid);
    met->times += more < times ? more : times;
    if (more > met->most[way].times) {
        met->most[way].times = more;
        met->most[way].node = node;
    }
}

static void add_all(struct meeting *meeting, enum profile_kind kind, enum profile_state state,
                    unsigned way)
{
    const struct moment *moment = meeting->moment;
    const struct plain_threads *threads = &moment->sampled;
    struct measure measure;
    if (!measure_named(moment->profile, profile_types[kind].name, &measure))
        return;
    for (uint32_t i = 0; i < moment->profile->samples.count; i++) {
        const struct plain_sample *sample = &moment->profile->samples.list[i];
        const struct plain_whose *whose = &threads->of[sample->labels];
        pid_t tid = threads->list[whose->thread].tid;
        struct cost cost = measure_cost(&measure, i);
        if (whose->state == state && tid && sample->stack && cost.samples > 0)
            add(meeting, tid, sample->stack, way, (uint64_t)cost.samples);
    }
}

static int order(const void *a, const void *b)
{
    const struct met *first = a, *second = b;
    return (first->times < second->times) - (first->times > second->times);
}

static void name(const struct moment *moment, const struct met *met, struct report_thread *thread)
{
    char *const texts[] = {[RAN] = thread->ran, [WAITED] = thread->waited};
    thread->tid = met->tid;
    for (size_t i = 0; i < WAYS; i++)
        snprintf(texts[i], REPORT_FUNCTION, "%s", program_function(moment, met->most[i].node));
}

void report_threads_make(struct report_places *places, const struct moment *moment,
                         const uint64_t *hashes, struct report_thread list[REPORT_THREADS])
{
    struct meeting meeting = {.moment = moment, .hashes = hashes, .before = places};
    add_all(&meeting, PROFILE_CPU, STATE_CPU, RAN);
    add_all(&meeting, PROFILE_BLOCK, STATE_DELAYED, WAITED);
    if (meeting.count)
        qsort(meeting.list, meeting.count, sizeof *meeting.list, order);
    memset(list, 0, REPORT_THREADS * sizeof *list);
    for (size_t i = 0; i < meeting.count && i < REPORT_THREADS; i++)
        name(moment, &meeting.list[i], &list[i]);
    fini(places);
    *places = meeting.now;
    map_fini(&meeting.numbers);
    free(meeting.list);
}
