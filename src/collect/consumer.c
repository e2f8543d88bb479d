// SPDX-License-Identifier: MIT
#include "collect/consumer.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "collect/consumer_state.h"
#include "process/space.h"
#include "sample/record.h"

// The clocks of a thread and of its process may differ by this much without any CPU time being
// unknown.
#define CLOCK_STEPS_NS (8 * NS_PER_MS)
#define SETTLE_NS NS_PER_S

struct consumer *consumer_new(struct control *control, struct modules *modules,
                              struct profile *profile, size_t max_depth)
{
    struct consumer *consumer = xcalloc(1, sizeof *consumer);
    consumer->control = control;
    consumer->modules = modules;
    consumer->profile = consumer->holds.profile = profile;
    consumer->walker = walker_new(max_depth);
    stack_keeper_init(&consumer->keeper, profile, modules, max_depth);
    delays_init(&consumer->delays, profile, modules);
    return consumer;
}

void consumer_count_waits(struct consumer *consumer, double rate)
{
    if (consumer->waits_rate > 0 && !(rate > 0)) {
        delays_stop(&consumer->delays, &consumer->population, consumer->followed_at);
        atomic_store(&consumer->control->locks.count, 0); // nobody watches them any more
    }
    consumer->waits_rate = rate;
}

bool consumer_counts_waits(const struct consumer *consumer)
{
    return consumer->waits_rate > 0;
}

bool consumer_wants_names(const struct consumer *consumer)
{
    return spots_wait_for_names(&consumer->delays.spots);
}

void consumer_take_names(struct consumer *consumer, struct symbolizer *symbolizer, size_t named)
{
    delays_sort(&consumer->delays, &consumer->population, symbolizer, named);
}

void consumer_watch(struct consumer *consumer, void (*began)(void *context, pid_t pid),
                    void *context)
{
    consumer->began = began;
    consumer->watcher = context;
}

void consumer_follow(struct consumer *consumer, void (*second)(void *context, int64_t ended),
                     void *context)
{
    consumer->second = second;
    consumer->follower = context;
}

bool consumer_has_all(const struct consumer *consumer)
{
    const struct ring *ring = &consumer->control->ring;
    return atomic_load(&ring->consumed) == atomic_load(&ring->reserved);
}

void consumer_free(struct consumer *consumer)
{
    if (!consumer)
        return;
    population_fini(&consumer->population);
    walker_free(consumer->walker);
    delays_fini(&consumer->delays);
    facts_fini(&consumer->facts);
    short_lived_fini(&consumer->short_lived);
    unattributed_fini(&consumer->unattributed);
    stack_keeper_fini(&consumer->keeper);
    free(consumer);
}

static void take_thread(struct consumer *consumer, const void *data)
{
    const struct record_thread *record = data;
    struct population *population = &consumer->population;
    const struct process *process = population_process(population, record->process);
    struct account *thread = population_thread(population, record->thread);
    if (!process)
        return; // a record that comes before that of its process is not from a sampler of ours
    const struct run_process *facts = &consumer->facts.list[process->facts];
    consumer_record_name(consumer, facts->pid, record);
    if (!thread)
        thread = population_meet(population, record->thread, record->process, record->tid);
    if (thread) {
        consumer_hint(consumer, thread);
        profile_thread_rename(consumer->profile, thread->profile_thread, record->comm);
        return;
    }
    thread = population_add_thread(population, record->thread, record->process, record->tid);
    consumer_hint(consumer, thread); // another thread may have had its place before
    thread->profile_thread = profile_thread_add(consumer->profile, facts->pid, record->tid,
                                                record->comm, facts->comm);
}

static void end_weights(struct consumer *consumer, struct account *thread, uint64_t cpu_ns)
{
    struct process *process = population_process(&consumer->population, thread->process);
    weights_thread_end(&thread->weights, consumer->profile, process ? &process->weights : NULL,
                       cpu_ns);
}

// Wall time that no look has taken does not vanish with the thread.
static void end_wall(struct consumer *consumer, struct account *thread)
{
    if (!consumer->idle)
        return;
    const struct process *process = population_process(&consumer->population, thread->process);
    uint64_t ns = wall_end(&thread->wall, consumer->profile, thread->profile_thread,
                           unattributed_stack(consumer->modules, consumer->profile));
    if (process) {
        const struct run_process *facts = &consumer->facts.list[process->facts];
        unattributed_place(&consumer->unattributed, facts->pid, facts->comm, ns);
    }
}

static void take_thread_time(struct consumer *consumer, const void *data)
{
    const struct record_thread_time *record = data;
    struct account *thread = population_thread(&consumer->population, record->thread);
    if (!thread)
        return;
    consumer->counts.threads_cpu_ns += record->cpu_ns;
    bool ended = record->record.kind == RECORD_THREAD_END;
    uint64_t cpu_ns = record->unsampled ? 0 : record->cpu_ns;
    if (record->unsampled)
        weights_thread_skip(&thread->weights);
    if (ended)
        end_weights(consumer, thread, cpu_ns);
    else
        weights_thread_time(&thread->weights, consumer->profile, cpu_ns);
    holds_add_report(&consumer->holds, &thread->held, thread->profile_thread, record->held_ns);
    struct wall_period period = {record->elapsed_ns, record->cpu_ns, record->queued_ns};
    if (consumer->idle && consumer->waits_rate > 0)
        delays_share(&consumer->delays, thread, period, record->stops);
    else if (consumer->idle)
        wall_share(&thread->wall, consumer->profile, thread->profile_thread, period, NULL);
    consumer_record_time(consumer, thread, record);
    if (!ended)
        return;
    end_wall(consumer, thread);
    consumer_forget_thread(consumer, thread);
}

static void take_process_time(struct consumer *consumer, const void *data)
{
    const struct record_process_time *record = data;
    struct process *process = population_process(&consumer->population, record->process);
    if (!process)
        return;
    uint64_t cpu_ns = record->cpu_ns + record->children_ns;
    // The CPU time of the children may be less than before.
    control_count(consumer->control, COUNTER_CPU_NS, cpu_ns - process->cpu_ns);
    process->cpu_ns = cpu_ns;
    // Children that have just ended may seem to be unmet until the sampler sees their end.
    uint64_t unmet = record->children_ns < process->unmet_ns ? record->children_ns
                                                              : process->unmet_ns;
    consumer_share_unmet(consumer, process, unmet);
    process->unmet_ns = record->children_ns;
    if (weights_process_lacks_samples(&process->weights))
        for (struct account *thread = NULL;
             (thread = population_next(&consumer->population, process, thread));)
            weights_process_borrow(&process->weights, &thread->weights);
    weights_process_time(&process->weights, consumer->profile, record->cpu_ns,
                         record->threads_cpu_ns);
    if (record->unsampled)
        weights_process_skip(&process->weights);
    if (process->children != NO_FAMILY)
        control_count(consumer->control, COUNTER_POOLED_NS,
                      short_lived_share(&consumer->short_lived, process->children,
                                        consumer->profile, consumer->idle, record->time));
}

static void take_second(struct consumer *consumer, const void *data)
{
    const struct record_second *record = data;
    if (consumer->second)
        consumer->second(consumer->follower, record->time);
}

static void (*const takers[])(struct consumer *, const void *) = {
    [RECORD_CAPTURE] = consumer_take_capture,
    [RECORD_PROCESS] = consumer_take_process,
    [RECORD_EXEC] = consumer_take_process,
    [RECORD_PROCESS_END] = consumer_take_process,
    [RECORD_PROCESS_TIME] = take_process_time,
    [RECORD_THREAD] = take_thread,
    [RECORD_THREAD_TIME] = take_thread_time,
    [RECORD_THREAD_END] = take_thread_time,
    [RECORD_ASLEEP] = consumer_take_asleep,
    [RECORD_SECOND] = take_second,
};

void consumer_reset(struct consumer *consumer)
{
    const struct population *population = &consumer->population;
    for (struct account *thread = NULL; (thread = population_next(population, NULL, thread));)
        wall_reset(&thread->wall);
}

static void begin_or_end_wall(struct consumer *consumer)
{
    int idle = atomic_load(&consumer->control->idle);
    if (idle == consumer->idle)
        return;
    const struct population *population = &consumer->population;
    for (struct account *thread = NULL; (thread = population_next(population, NULL, thread));)
        wall_fini(&thread->wall);
    consumer->idle = idle;
}

static void follow_locks(struct consumer *consumer)
{
    int64_t now = clock_now();
    if (!consumer->waits_rate)
        return;
    consumer->followed_at = now;
    locks_choose(&consumer->delays.spots.locks, now);
    locks_watch(&consumer->delays.spots.locks, &consumer->control->locks);
    if (now < consumer->settled_at + SETTLE_NS)
        return;
    consumer->settled_at = now;
    delays_settle(&consumer->delays, &consumer->population, now, false);
}

bool consumer_drain_until(struct consumer *consumer, int64_t moment)
{
    begin_or_end_wall(consumer);
    struct ring *ring = &consumer->control->ring;
    for (const struct record *record; (record = ring_peek(ring)); ring_release(ring, record)) {
        if (clock_now() >= moment)
            return false;
        if (record->kind < ARRAY_LENGTH(takers) && takers[record->kind])
            takers[record->kind](consumer, record);
    }
    follow_locks(consumer);
    atomic_store(&consumer->control->counts[COUNTER_UNWIND_RESTARTS],
                 walker_replaced(consumer->walker));
    return true;
}

void consumer_drain(struct consumer *consumer)
{
    consumer_drain_until(consumer, INT64_MAX);
}

void consumer_drain_last(struct consumer *consumer, int64_t moment)
{
    consumer->thinning.last = moment;
    consumer_drain(consumer);
}

bool consumer_is_pressed(const struct consumer *consumer)
{
    return clock_now() < consumer->pressed_until;
}

pid_t consumer_unwinder(const struct consumer *consumer)
{
    return walker_pid(consumer->walker);
}

void consumer_lead(const struct consumer *consumer)
{
    walker_lead(consumer->walker);
}

uint32_t consumer_slowdown(const struct consumer *consumer)
{
    return thinning_slowdown(&consumer->thinning);
}

bool consumer_bound(struct consumer *consumer, const struct compact_bounds *bounds)
{
    struct compact_numbers numbers;
    if (!compact_is_due(consumer->profile, bounds))
        return false;
    compact(consumer->profile, bounds, &numbers);
    population_renumber(&consumer->population, &numbers);
    short_lived_renumber(&consumer->short_lived, numbers.values);
    delays_renumber(&consumer->delays, &consumer->population, &numbers);
    compact_numbers_fini(&numbers);
    return true;
}

void consumer_add_last_hold(struct consumer *consumer, pid_t tid, int64_t lasted)
{
    struct account *thread = NULL;
    while ((thread = population_next(&consumer->population, NULL, thread)) && thread->tid != tid)
        ;
    if (thread)
        holds_add_last(&consumer->holds, &thread->held, thread->profile_thread, lasted);
}

void consumer_finish(struct consumer *consumer)
{
    struct population *population = &consumer->population;
    if (atomic_load(&consumer->control->counts[COUNTER_REFUSED]))
        facts_judge(&consumer->facts);
    for (size_t i = 0; i < population->process_count; i++)
        if (population->processes[i].image.space)
            space_finish(population->processes[i].image.space);
    for (struct account *thread = NULL; (thread = population_next(population, NULL, thread));) {
        holds_note_share(&consumer->holds, &thread->held);
        end_weights(consumer, thread, 0);
        end_wall(consumer, thread);
    }
    delays_settle(&consumer->delays, &consumer->population, consumer->followed_at, true);
    for (size_t i = 0; i < population->process_count; i++)
        if (!population->processes[i].ended)
            consumer_give_up(consumer, &population->processes[i]);
    control_count(consumer->control, COUNTER_POOLED_NS,
                  short_lived_end_all(&consumer->short_lived, consumer->profile, consumer->idle,
                                      &consumer->unattributed));
    if (consumer->unattributed.ns < CLOCK_STEPS_NS)
        return;
    atomic_store(&consumer->control->counts[COUNTER_UNATTRIBUTED_NS], consumer->unattributed.ns);
    unattributed_store(&consumer->unattributed, consumer->modules, consumer->profile,
                       consumer->idle);
}

struct consumer_counts consumer_counts(const struct consumer *consumer)
{
    struct consumer_counts counts = consumer->counts;
    counts.processes = consumer->facts.count;
    counts.held_share = consumer->holds.share;
    return counts;
}

const struct run_process *consumer_processes(const struct consumer *consumer)
{
    return consumer->facts.list;
}

void consumer_held(struct consumer *consumer, int64_t *worst, int64_t *sum)
{
    *worst = *sum = 0;
    for (size_t i = 0; i < consumer->population.thread_count; i++) {
        int64_t held = holds_since_last(&consumer->population.threads[i].held);
        *worst = held > *worst ? held : *worst;
        *sum += held;
    }
}

bool consumer_worst_cut(const struct consumer *consumer, const struct module **module,
                        enum unwind_end *why)
{
    const struct cut *worst = cuts_worst(&consumer->keeper.cuts);
    if (!worst)
        return false;
    *module = modules_get(consumer->modules, worst->module);
    *why = worst->why;
    return true;
}
