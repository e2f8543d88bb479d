// SPDX-License-Identifier: MIT
#include "collect/consumer.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "collect/facts.h"
#include "collect/population.h"
#include "collect/stack_keeper.h"
#include "collect/thinning.h"
#include "collect/unattributed.h"
#include "sample/record.h"

// The clocks of a thread and of its process differ by as much without any CPU time being unknown.
#define CLOCK_STEPS_NS (8 * NS_PER_MS)
#define YOUNG_NS NS_PER_S          // in which a process loads its libraries
#define CHANGES_NS (10 * (int64_t)NS_PER_S) // after a library took another one's place

struct consumer {
    struct control *control;
    struct modules *modules;
    struct profile *profile;
    int idle; // control->idle, as of the last drain
    struct walker *walker;
    void (*began)(void *context, pid_t pid); // NULL: nobody wants to know
    void *watcher;
    struct population population;
    struct process_facts facts;
    struct unattributed unattributed;
    struct stack_keeper keeper;
    struct holds holds;
    struct consumer_counts counts;
    struct thinning thinning;
    int64_t pressed_until; // CLOCK_MONOTONIC ns
};

struct consumer *consumer_new(struct control *control, struct modules *modules,
                              struct profile *profile, size_t max_depth)
{
    struct consumer *consumer = xcalloc(1, sizeof *consumer);
    consumer->control = control;
    consumer->modules = modules;
    consumer->profile = consumer->holds.profile = profile;
    consumer->walker = walker_new(max_depth);
    stack_keeper_init(&consumer->keeper, profile, modules, max_depth);
    return consumer;
}

void consumer_watch(struct consumer *consumer, void (*began)(void *context, pid_t pid),
                    void *context)
{
    consumer->began = began;
    consumer->watcher = context;
}

void consumer_free(struct consumer *consumer)
{
    if (!consumer)
        return;
    population_fini(&consumer->population);
    walker_free(consumer->walker);
    facts_fini(&consumer->facts);
    unattributed_fini(&consumer->unattributed);
    stack_keeper_fini(&consumer->keeper);
    free(consumer);
}

static void hint_stack(struct consumer *consumer, const struct account *thread)
{
    struct stack_plan plan;
    stack_hint_plan(&thread->hint, &plan);
    stack_hints_tell(&consumer->control->stacks, thread->number, &plan);
}

// How deep the stacks of the image before were tells nothing of the one after it.
static void forget_stacks(struct consumer *consumer, const struct process *process)
{
    const struct population *population = &consumer->population;
    for (struct account *thread = NULL; (thread = population_next(population, process, thread));) {
        thread->hint = (struct stack_hint){0};
        hint_stack(consumer, thread);
    }
}

static void forget_thread(struct consumer *consumer, struct account *thread)
{
    profile_thread_end(consumer->profile, thread->profile_thread);
    population_remove_thread(&consumer->population, thread);
}

static void give_up_children(struct consumer *consumer, struct process *process)
{
    const struct run_process *facts = &consumer->facts.list[process->facts];
    unattributed_add_children(&consumer->unattributed, facts->pid, facts->comm, process->unmet_ns);
    process->cpu_ns = process->unmet_ns = 0;
}

// What no sample could take of a process of which no more comes.
static void give_up(struct consumer *consumer, struct process *process)
{
    const struct run_process *facts = &consumer->facts.list[process->facts];
    unattributed_add(&consumer->unattributed, facts->pid, facts->comm,
                     weights_process_end(&process->weights));
    give_up_children(consumer, process);
}

static void forget_process(struct consumer *consumer, struct process *process)
{
    struct population *population = &consumer->population;
    give_up(consumer, process);
    // Those that no sampler has met since another one died: nobody told that they ended.
    for (struct account *thread = NULL;
         population->left.count && (thread = population_next(population, process, thread));)
        if (population_is_left(population, thread))
            forget_thread(consumer, thread);
    population_remove_process(population, process);
}

// The process of a record, made when it is new; NULL when its end is told and it is not known.
static struct process *process_for(struct consumer *consumer, const struct record_process *record)
{
    struct process *process = population_process(&consumer->population, record->process);
    if (process || record->record.kind == RECORD_PROCESS_END)
        return process;
    uint32_t facts = facts_of(&consumer->facts, record->pid);
    process = population_process_of(&consumer->population, facts);
    if (!process)
        return population_add_process(&consumer->population, record->process, facts);
    population_take_over(&consumer->population, consumer->profile, process, record->process);
    give_up_children(consumer, process); // the sampler counts from zero
    return process;
}

// By exec, or as the sampler saw at its end.
static void rename_process(struct consumer *consumer, const struct process *process,
                           const char comm[COMM_MAX])
{
    struct run_process *facts = &consumer->facts.list[process->facts];
    const struct population *population = &consumer->population;
    if (!*comm || strcmp(comm, facts->comm) == 0) // gone, it has no name any more
        return;
    memcpy(facts->comm, comm, sizeof facts->comm);
    for (struct account *thread = NULL; (thread = population_next(population, process, thread));)
        profile_thread_rename_process(consumer->profile, thread->profile_thread, comm);
}

// The less time lies between a sample and the reading of maps, the less may change in it.
static void want_promptly(struct consumer *consumer, int64_t ns)
{
    atomic_store(&consumer->control->prompt_until, clock_now() + ns);
}

static void take_process(struct consumer *consumer, const void *data)
{
    const struct record_process *record = data;
    struct process *process = process_for(consumer, record);
    if (!process)
        return;
    struct run_process *facts = &consumer->facts.list[process->facts];
    rename_process(consumer, process, record->comm);
    if (record->record.kind == RECORD_PROCESS_END) {
        facts->ended = true;
        forget_process(consumer, process);
        return;
    }
    process_image_load(&process->image, consumer->modules, record->pid, record->pid, record->image,
                       consumer->walker);
    want_promptly(consumer, YOUNG_NS);
    if (consumer->began)
        consumer->began(consumer->watcher, record->pid);
    if (record->record.kind == RECORD_EXEC) {
        facts->execs++;
        forget_stacks(consumer, process);
    }
}

static void take_thread(struct consumer *consumer, const void *data)
{
    const struct record_thread *record = data;
    struct population *population = &consumer->population;
    const struct process *process = population_process(population, record->process);
    struct account *thread = population_thread(population, record->thread);
    if (!process)
        return; // told before its process: not by a sampler of ours
    if (!thread)
        thread = population_meet(population, record->thread, record->process, record->tid);
    if (thread) {
        hint_stack(consumer, thread);
        profile_thread_rename(consumer->profile, thread->profile_thread, record->comm);
        return;
    }
    thread = population_add_thread(population, record->thread, record->process, record->tid);
    hint_stack(consumer, thread); // another thread may have had its place
    const struct run_process *facts = &consumer->facts.list[process->facts];
    thread->profile_thread = profile_thread_add(consumer->profile, facts->pid, record->tid,
                                                record->comm, facts->comm);
}

static void end_weights(struct consumer *consumer, struct account *thread, uint64_t cpu_ns)
{
    struct process *process = population_process(&consumer->population, thread->process);
    weights_thread_end(&thread->weights, consumer->profile, process ? &process->weights : NULL,
                       cpu_ns);
}

static void take_thread_time(struct consumer *consumer, const void *data)
{
    const struct record_thread_time *record = data;
    struct account *thread = population_thread(&consumer->population, record->thread);
    if (!thread)
        return;
    consumer->counts.threads_cpu_ns += record->cpu_ns;
    bool ended = record->record.kind == RECORD_THREAD_END;
    if (ended)
        end_weights(consumer, thread, record->cpu_ns);
    else
        weights_thread_time(&thread->weights, consumer->profile, record->cpu_ns);
    holds_add_report(&consumer->holds, &thread->held, thread->profile_thread, record->held_ns);
    if (consumer->idle)
        wall_share(&thread->wall, consumer->profile, thread->profile_thread,
                   (struct wall_period){record->elapsed_ns, record->cpu_ns, record->queued_ns});
    if (ended)
        forget_thread(consumer, thread);
}

static void take_process_time(struct consumer *consumer, const void *data)
{
    const struct record_process_time *record = data;
    struct process *process = population_process(&consumer->population, record->process);
    if (!process)
        return;
    uint64_t cpu_ns = record->cpu_ns + record->children_ns;
    // What children used may turn out less.
    control_count(consumer->control, COUNTER_CPU_NS, cpu_ns - process->cpu_ns);
    process->cpu_ns = cpu_ns;
    process->unmet_ns = record->children_ns;
    if (weights_process_lacks_samples(&process->weights))
        for (struct account *thread = NULL;
             (thread = population_next(&consumer->population, process, thread));)
            weights_process_borrow(&process->weights, &thread->weights);
    weights_process_time(&process->weights, consumer->profile, record->cpu_ns,
                         record->threads_cpu_ns);
}

// --- captures ---

static void learn_stack(struct consumer *consumer, struct process *process,
                        struct account *thread, const struct capture *capture,
                        const struct unwind_result *stack)
{
    uint64_t start, end, sp = capture_sp(capture);
    stack_hint_learn(&thread->hint, capture, stack);
    if (capture->flags & CAPTURE_PAGES_UNKNOWN &&
        stack_mappings_find(&process->image.mappings, consumer->facts.list[process->facts].pid,
                            thread->tid, sp, &start, &end))
        stack_hint_bound(&thread->hint, start, end);
    hint_stack(consumer, thread);
}

static void count_asleep(struct consumer *consumer, const struct account *thread,
                         uint64_t times)
{
    control_count(consumer->control, COUNTER_ASLEEP, times);
    consumer->counts.asleep_cut += thread->asleep_cut ? times : 0;
}

// Where a thread sleeps. Not a sample of the CPU profile.
static void take_stack_in_place(struct consumer *consumer, struct process *process,
                                struct account *thread, const struct capture *capture,
                                const struct unwind_result *stack)
{
    struct space *space = process->image.space;
    learn_stack(consumer, process, thread, capture, stack);
    consumer->counts.threads_asleep += !thread->since && !thread->seen_asleep;
    thread->seen_asleep = true;
    thread->asleep_cut = stack->end != UNWIND_BOTTOM;
    count_asleep(consumer, thread, 1);
    if (thread->asleep_cut)
        stack_keeper_note_cut(&consumer->keeper, space, stack);
    uint32_t node = stack_keeper_keep(&consumer->keeper, space, capture, stack);
    if (consumer->idle)
        wall_look(&thread->wall, node, STATE_BLOCKED);
}

static void take_asleep(struct consumer *consumer, const void *data)
{
    const struct record_asleep *record = data;
    struct account *thread = population_thread(&consumer->population, record->thread);
    if (!thread)
        return;
    count_asleep(consumer, thread, record->times);
    if (consumer->idle)
        wall_again(&thread->wall, record->times);
}

// Libraries take each other's places: for a while every sample is taken in at once.
static void be_pressed(struct consumer *consumer)
{
    want_promptly(consumer, CHANGES_NS);
    consumer->pressed_until = clock_now() + CHANGES_NS;
}

// Of this capture and those right behind it in the ring, as far as they are of the same process, the
// stacks are asked for together.
static void look_ahead(struct consumer *consumer, const struct process *process,
                       const struct record_capture *first)
{
    const struct capture *captures[WALK_AHEAD];
    const struct record *record = &first->record;
    size_t count = 0;
    if (walked_has(process->image.walked, &first->capture))
        return;
    do {
        const struct record_capture *next = (const void *)record;
        const struct capture *capture = &next->capture;
        const struct account *thread = population_thread(&consumer->population, capture->thread);
        if (!thread || thread->process != process->number)
            break;
        captures[count++] = capture;
        record = ring_next(&consumer->control->ring, record);
    } while (record && record->kind == RECORD_CAPTURE && count < WALK_AHEAD);
    walked_ahead(process->image.walked, captures, count);
}

static void take_capture(struct consumer *consumer, const void *data)
{
    const struct capture *capture = &((const struct record_capture *)data)->capture;
    struct account *thread = population_thread(&consumer->population, capture->thread);
    struct process *process =
        thread ? population_process(&consumer->population, thread->process) : NULL;
    if (!process || !process->image.space)
        return;
    if (!thinning_takes(&consumer->thinning, &consumer->control->ring, capture)) {
        control_count(consumer->control, COUNTER_DROPPED, 1);
        return;
    }
    struct space *space = process->image.space;
    struct unwind_result stack;
    if (!thinning_is_at_work(&consumer->thinning)) // else many will not be looked at
        look_ahead(consumer, process, data);
    bool known = process_image_walk(&process->image, thread->tid, capture, &stack);
    if (process->image.changed_at > capture->time)
        be_pressed(consumer);
    if (!known) {
        control_count(consumer->control, COUNTER_FAILED, 1);
        return;
    }
    if ((capture->flags & (CAPTURE_IN_PLACE | CAPTURE_ON_CPU)) == CAPTURE_IN_PLACE) {
        take_stack_in_place(consumer, process, thread, capture, &stack);
        return;
    }
    holds_add_capture(&consumer->holds, &thread->held, thread->profile_thread, capture);
    if (stack.end != UNWIND_BOTTOM) {
        control_count(consumer->control, COUNTER_CUT, 1);
        stack_keeper_note_cut(&consumer->keeper, space, &stack);
    }
    control_count(consumer->control, COUNTER_FRAME_POINTERS, stack.frame_pointer_steps > 0);
    if (!(capture->flags & CAPTURE_UNWOUND))
        learn_stack(consumer, process, thread, capture, &stack);
    if (!thread->since) {
        thread->since = capture->time;
        control_count(consumer->control, COUNTER_THREADS_SAMPLED, 1);
        consumer->counts.threads_asleep -= thread->seen_asleep;
    }
    uint32_t node = stack_keeper_keep(&consumer->keeper, space, capture, &stack);
    uint32_t value =
        profile_value_at(consumer->profile, node, thread->profile_thread, STATE_CPU);
    weights_sample(&thread->weights, consumer->profile, value,
                   thinning_times(&consumer->thinning));
    if (consumer->idle)
        wall_look(&thread->wall, node, STATE_RUNNING);
    control_count(consumer->control, COUNTER_SAMPLES, 1);
}

static void (*const takers[])(struct consumer *, const void *) = {
    [RECORD_CAPTURE] = take_capture,           [RECORD_PROCESS] = take_process,
    [RECORD_EXEC] = take_process,              [RECORD_PROCESS_END] = take_process,
    [RECORD_PROCESS_TIME] = take_process_time, [RECORD_THREAD] = take_thread,
    [RECORD_THREAD_TIME] = take_thread_time,   [RECORD_THREAD_END] = take_thread_time,
    [RECORD_ASLEEP] = take_asleep,
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
    for (size_t i = 0; i < population->process_count; i++)
        if (population->processes[i].image.space)
            space_finish(population->processes[i].image.space);
    for (struct account *thread = NULL; (thread = population_next(population, NULL, thread));) {
        holds_note_share(&consumer->holds, &thread->held);
        end_weights(consumer, thread, 0);
    }
    for (size_t i = 0; i < population->process_count; i++)
        if (!population->processes[i].ended)
            give_up(consumer, &population->processes[i]);
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
