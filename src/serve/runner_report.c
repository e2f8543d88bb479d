// SPDX-License-Identifier: MIT
#include "serve/runner_report.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "profile/measure.h"
#include "serve/program_function.h"

static const enum profile_kind kinds[REPORT_TYPES] = {PROFILE_BLOCK, PROFILE_MUTEX};

struct delay { // of all threads with one stack
    uint64_t stack; // hash of its addresses
    uint32_t node;
    uint64_t count, ns;
};

struct delay_list {
    struct map numbers; // hash -> number in the list
    struct delay *list; // owned
    size_t count, capacity;
    uint64_t waits, ns; // of all
};

struct reporter {
    struct runner_report report;
    struct delay_list before[REPORT_TYPES];
    struct report_places *places; // owned
};

struct reporter *reporter_new(void)
{
    struct reporter *reporter = xcalloc(1, sizeof *reporter);
    reporter->places = report_places_new();
    return reporter;
}

static void delays_fini(struct delay_list *delays)
{
    map_fini(&delays->numbers);
    free(delays->list);
}

void reporter_free(struct reporter *reporter)
{
    for (size_t i = 0; i < REPORT_TYPES; i++)
        delays_fini(&reporter->before[i]);
    report_places_free(reporter->places);
    free(reporter);
}

// --- what has been counted for each stack ---

// Nodes are numbered anew now and then, addresses stay.
static uint64_t *hash_nodes(const struct plain_profile *profile)
{
    const struct plain_stacks *stacks = &profile->stacks;
    uint64_t *hashes = xcalloc(stacks->count + 1, sizeof *hashes);
    for (size_t i = 1; i < stacks->count; i++)
        hashes[i] = map_hash(hashes[stacks->nodes[i].parent] * 3 +
                             profile->code.locations[stacks->nodes[i].location].address);
    return hashes;
}

static void add_delay(struct delay_list *delays, uint64_t stack, uint32_t node, struct cost cost)
{
    uint32_t number = map_number(&delays->numbers, stack);
    if (number == delays->count) {
        ARRAY_RESERVE(delays->list, delays->count, delays->capacity);
        delays->list[delays->count++] = (struct delay){.stack = stack, .node = node};
    }
    struct delay *delay = &delays->list[number];
    delay->count += (uint64_t)cost.samples;
    delay->ns += (uint64_t)cost.cpu_ns;
    delays->waits += (uint64_t)cost.samples;
    delays->ns += (uint64_t)cost.cpu_ns;
}

static void add_up(struct delay_list *delays, const struct moment *moment, enum profile_kind kind,
                   const uint64_t *hashes)
{
    const struct plain_profile *profile = moment->profile;
    struct measure measure;
    if (!measure_named(profile, profile_types[kind].name, &measure))
        return;
    for (uint32_t i = 0; i < profile->samples.count; i++) {
        const struct plain_sample *sample = &profile->samples.list[i];
        const struct plain_whose *whose = &moment->sampled.of[sample->labels];
        struct cost cost = measure_cost(&measure, i);
        if (whose->state == STATE_DELAYED && !whose->idle && cost.cpu_ns > 0 && cost.samples > 0)
            add_delay(delays, hashes[sample->stack], sample->stack, cost);
    }
}

// --- what is new ---

static void show(struct report_delays *report, unsigned bucket, const struct moment *moment,
                 const struct delay *delay, struct delay more)
{
    struct exposition_exemplar *exemplar = &report->exemplars[bucket];
    *exemplar = (struct exposition_exemplar){.ns = (int64_t)(more.ns / more.count),
                                             .wall = clock_wall()};
    snprintf(exemplar->function, sizeof exemplar->function, "%s",
             program_function(moment, delay->node));
}

static struct delay grown(const struct delay_list *before, const struct delay *now)
{
    uint32_t number = map_get(&before->numbers, now->stack, UINT32_MAX);
    struct delay more = *now;
    if (number == UINT32_MAX)
        return more;
    const struct delay *was = &before->list[number];
    more.count = now->count > was->count ? now->count - was->count : 0;
    more.ns = now->ns > was->ns ? now->ns - was->ns : 0;
    return more;
}

static bool all_grew(const struct delay_list *before, const struct delay_list *now)
{
    uint64_t count = 0;
    for (size_t i = 0; i < now->count; i++)
        count += grown(before, &now->list[i]).count;
    return now->waits >= before->waits && count == now->waits - before->waits;
}

static void add_new(struct report_delays *report, const struct moment *moment,
                    const struct delay_list *before, const struct delay_list *now)
{
    uint64_t most[LATENCY_BUCKETS] = {0};
    for (size_t i = 0; i < now->count; i++) {
        struct delay more = grown(before, &now->list[i]);
        if (!more.count)
            continue;
        unsigned bucket = latency_add(&report->latency, more.count, more.ns);
        if (more.ns > most[bucket]) {
            most[bucket] = more.ns;
            show(report, bucket, moment, &now->list[i], more);
        }
    }
}

// Where a bound on memory folded stacks, what is new cannot be told by stack.
static void report_type(struct report_delays *report, const struct moment *moment,
                        const struct delay_list *before, const struct delay_list *now)
{
    if (all_grew(before, now))
        add_new(report, moment, before, now);
    else if (now->waits > before->waits && now->ns > before->ns)
        latency_add(&report->latency, now->waits - before->waits, now->ns - before->ns);
}

const struct runner_report *reporter_make(struct reporter *reporter,
                                          const struct snapshot *snapshot)
{
    const struct moment *moment = &snapshot->moment;
    AUTO_FREE uint64_t *hashes = hash_nodes(moment->profile);
    memcpy(reporter->report.counts, snapshot->counts, sizeof reporter->report.counts);
    for (size_t i = 0; i < REPORT_TYPES; i++) {
        struct delay_list now = {0};
        add_up(&now, moment, kinds[i], hashes);
        report_type(&reporter->report.delays[i], moment, &reporter->before[i], &now);
        delays_fini(&reporter->before[i]);
        reporter->before[i] = now;
    }
    report_threads_make(reporter->places, moment, hashes, reporter->report.threads);
    return &reporter->report;
}
