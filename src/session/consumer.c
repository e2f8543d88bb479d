// SPDX-License-Identifier: MIT
#include "session/consumer.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "sample/record.h"
#include "unwind/space_unwinder.h"

#define NONE UINT32_MAX
#define REFRESH_NS (100 * NS_PER_MS) // least time between two reads of maps for unknown pcs
// The clocks of a thread and of its process differ by as much without any CPU time being unknown.
#define CLOCK_STEPS_NS (8 * NS_PER_MS)
#define STACK_LEAST (4u << 10)
#define STACK_MARGIN (2u << 10)
#define STACK_MOST (1u << 20)

struct process { // one image of it; index = number of the process
    struct space *space;
    struct unwinder *unwinder;
    int64_t refreshed_at;
    uint32_t facts; // index in consumer->facts
    uint64_t cpu_ns;
};

struct thread {
    uint32_t process; // number
    uint32_t profile_thread;
    pid_t tid;
    uint32_t hint;     // bytes of stack to copy
    uint64_t held_ns;
    uint64_t held_before; // as of the last consumer_held
    int64_t since;     // first capture, CLOCK_MONOTONIC ns
};

struct cut { // stacks that broke off in a module for a reason
    uint64_t key;
    uint64_t count;
};

struct consumer {
    struct control *control;
    struct modules *modules;
    struct profile *profile;
    struct weights *weights;
    size_t max_depth;
    struct process *processes;
    size_t process_count, process_capacity;
    struct run_process *facts; // [one for each pid]
    size_t fact_count, fact_capacity;
    struct map thread_index; // number -> index
    struct thread *threads;
    size_t thread_count, thread_capacity;
    uint32_t *locations; // of the stack at hand, leaf first
    const struct mapping *kernel, *unknown, *truncated;
    struct consumer_counts counts;
    struct cut *cuts;
    size_t cut_count, cut_capacity;
};

struct consumer *consumer_new(struct control *control, struct modules *modules,
                              struct profile *profile, size_t max_depth)
{
    struct consumer *consumer = xcalloc(1, sizeof *consumer);
    consumer->control = control;
    consumer->modules = modules;
    consumer->profile = profile;
    consumer->weights = weights_new(profile);
    consumer->max_depth = max_depth;
    consumer->locations = xcalloc(max_depth + 2, sizeof *consumer->locations);
    consumer->kernel = modules_special(modules, MODULE_KERNEL, "[kernel]");
    consumer->unknown = modules_special(modules, MODULE_ANON, "[unknown]");
    consumer->truncated = modules_special(modules, MODULE_SPECIAL, "[truncated]");
    return consumer;
}

static void image_fini(struct process *process)
{
    unwinder_free(process->unwinder);
    space_free(process->space);
    process->unwinder = NULL;
    process->space = NULL;
}

void consumer_free(struct consumer *consumer)
{
    if (!consumer)
        return;
    for (size_t i = 0; i < consumer->process_count; i++)
        image_fini(&consumer->processes[i]);
    weights_free(consumer->weights);
    map_fini(&consumer->thread_index);
    free(consumer->processes);
    free(consumer->facts);
    free(consumer->threads);
    free(consumer->locations);
    free(consumer->cuts);
    free(consumer);
}

// --- processes and threads ---

static struct process *process_at(struct consumer *consumer, uint32_t number)
{
    while (consumer->process_count <= number) {
        ARRAY_RESERVE(consumer->processes, consumer->process_count, consumer->process_capacity);
        consumer->processes[consumer->process_count++] = (struct process){.facts = NONE};
    }
    return &consumer->processes[number];
}

static uint32_t facts_of(struct consumer *consumer, pid_t pid)
{
    for (size_t i = 0; i < consumer->fact_count; i++)
        if (consumer->facts[i].pid == pid && !consumer->facts[i].ended)
            return (uint32_t)i;
    ARRAY_RESERVE(consumer->facts, consumer->fact_count, consumer->fact_capacity);
    consumer->facts[consumer->fact_count] = (struct run_process){.pid = pid};
    return (uint32_t)consumer->fact_count++;
}

static void load_image(struct consumer *consumer, struct process *process, pid_t pid)
{
    image_fini(process);
    process->space = space_new(consumer->modules, pid, pid);
    // The maps of a leader that has ended are empty: the first capture's thread will be asked.
    process->refreshed_at = space_is_empty(process->space) ? 0 : clock_now();
    process->unwinder = space_unwinder_new(process->space, consumer->max_depth);
}

static void take_process(struct consumer *consumer, const void *data)
{
    const struct record_process *record = data;
    struct process *process = process_at(consumer, record->process);
    process->facts = facts_of(consumer, record->pid);
    struct run_process *facts = &consumer->facts[process->facts];
    if (*record->comm) // gone, it has no name any more
        memcpy(facts->comm, record->comm, sizeof facts->comm);
    if (record->record.kind == RECORD_PROCESS_END) {
        facts->ended = true;
        image_fini(process);
    } else
        load_image(consumer, process, record->pid);
    if (record->record.kind == RECORD_EXEC)
        facts->execs++;
}

static struct thread *thread_of(struct consumer *consumer, uint32_t number)
{
    uint32_t index = map_get(&consumer->thread_index, number, NONE);
    return index == NONE ? NULL : &consumer->threads[index];
}

static void take_thread(struct consumer *consumer, const void *data)
{
    const struct record_thread *record = data;
    struct thread *thread = thread_of(consumer, record->thread);
    if (thread) {
        profile_thread_rename(consumer->profile, thread->profile_thread, record->comm);
        return;
    }
    const struct process *process = process_at(consumer, record->process);
    if (process->facts == NONE)
        return; // told before its process: not by a sampler of ours
    ARRAY_RESERVE(consumer->threads, consumer->thread_count, consumer->thread_capacity);
    map_put(&consumer->thread_index, record->thread, (uint32_t)consumer->thread_count);
    thread = &consumer->threads[consumer->thread_count++];
    const struct run_process *facts = &consumer->facts[process->facts];
    *thread = (struct thread){.process = record->process, .tid = record->tid};
    thread->profile_thread = profile_thread_add(consumer->profile, facts->pid, record->tid,
                                                record->comm, facts->comm);
}

static void take_thread_time(struct consumer *consumer, const void *data)
{
    const struct record_thread_time *record = data;
    struct thread *thread = thread_of(consumer, record->thread);
    if (!thread)
        return;
    consumer->counts.threads_cpu_ns += record->cpu_ns;
    (record->record.kind == RECORD_THREAD_END ? weights_thread_end : weights_thread_time)(
        consumer->weights, thread->process, record->thread, record->cpu_ns);
    thread->held_ns += (uint64_t)record->held_ns;
    profile_thread_held(consumer->profile, thread->profile_thread, record->held_ns);
    int64_t watched = clock_now() - thread->since;
    double share = thread->since && watched > 0 ? (double)thread->held_ns / (double)watched : 0;
    if (share > consumer->counts.held_share && watched >= NS_PER_S / 2)
        consumer->counts.held_share = share;
}

static void take_process_time(struct consumer *consumer, const void *data)
{
    const struct record_process_time *record = data;
    struct process *process = process_at(consumer, record->process);
    consumer->counts.cpu_ns += record->cpu_ns - process->cpu_ns;
    process->cpu_ns = record->cpu_ns;
    weights_process_time(consumer->weights, record->process, record->cpu_ns,
                         record->threads_cpu_ns);
}

// --- captures ---

static bool is_mapped(const struct process *process, const struct unwind_result *stack)
{
    const struct unwind_frame *last = &stack->frames[stack->count - 1];
    return space_find(process->space, stack->frames[0].pc) &&
           (stack->end == UNWIND_BOTTOM || space_find(process->space, last->pc));
}

// A pc that nothing is known of may belong to a library loaded since the maps were read.
static struct unwind_result unwind(struct process *process, pid_t tid,
                                   const struct capture *capture)
{
    struct unwind_result stack = unwinder_walk(process->unwinder, capture);
    bool changed;
    if (stack.end == UNWIND_BOTTOM || capture->time < process->refreshed_at)
        return stack;
    if (is_mapped(process, &stack) && clock_now() - process->refreshed_at < NS_PER_S)
        return stack;
    if (clock_now() - process->refreshed_at < REFRESH_NS)
        return stack;
    if (space_refresh(process->space, tid, &changed) == RC_OK && changed)
        unwinder_flush(process->unwinder);
    process->refreshed_at = clock_now();
    return unwinder_walk(process->unwinder, capture);
}

static uint32_t location_of(struct consumer *consumer, const struct process *process,
                            const struct unwind_frame *frame)
{
    uint64_t pc = frame->interrupted ? frame->pc : frame->pc - 1;
    const struct area *area = space_find(process->space, pc);
    if (!area)
        return profile_location(consumer->profile, consumer->unknown->id, pc);
    const struct mapping *mapping = space_mapping(process->space, area, pc);
    uint64_t offset = mapping->module->kind == MODULE_ANON ? pc
                                                           : pc - area->start + mapping->offset;
    return profile_location(consumer->profile, mapping->id, offset);
}

static void count_cut(struct consumer *consumer, const struct process *process,
                      const struct unwind_result *stack)
{
    const struct area *area = space_find(process->space, stack->frames[stack->count - 1].pc);
    uint64_t module = area ? area->mapping->module->id : consumer->unknown->module->id;
    uint64_t key = module << 8 | stack->end;
    consumer->counts.cut++;
    for (size_t i = 0; i < consumer->cut_count; i++) {
        if (consumer->cuts[i].key == key) {
            consumer->cuts[i].count++;
            return;
        }
    }
    ARRAY_RESERVE(consumer->cuts, consumer->cut_count, consumer->cut_capacity);
    consumer->cuts[consumer->cut_count++] = (struct cut){key, 1};
}

// The next copy is as long as this stack needed and some more, and all there may be of one that was
// cut.
static void hint_stack(struct consumer *consumer, uint32_t number, struct thread *thread,
                       const struct unwind_result *stack)
{
    uint32_t wanted = stack->stack_needed + stack->stack_needed / 4 + STACK_MARGIN;
    if (stack->end == UNWIND_SHORT)
        wanted = STACK_MOST;
    else if (wanted < thread->hint)
        wanted = thread->hint - (thread->hint - wanted) / 256; // forgets slowly
    if (wanted < STACK_LEAST)
        wanted = STACK_LEAST;
    if (wanted > STACK_MOST)
        wanted = STACK_MOST;
    thread->hint = wanted;
    atomic_store_explicit(&consumer->control->stack_hint[number % STACK_HINTS], wanted,
                          memory_order_relaxed);
}

static uint32_t keep_stack(struct consumer *consumer, const struct process *process,
                           const struct capture *capture, const struct unwind_result *stack)
{
    size_t count = 0;
    if (capture->flags & CAPTURE_IN_SYSCALL)
        consumer->locations[count++] = profile_location(
            consumer->profile, consumer->kernel->id, (uint64_t)capture->syscall);
    for (size_t i = 0; i < stack->count; i++)
        consumer->locations[count++] = location_of(consumer, process, &stack->frames[i]);
    if (stack->end != UNWIND_BOTTOM)
        consumer->locations[count++] =
            profile_location(consumer->profile, consumer->truncated->id, stack->end);
    return profile_stack(consumer->profile, consumer->locations, count);
}

static void take_capture(struct consumer *consumer, const void *data)
{
    const struct capture *capture = &((const struct record_capture *)data)->capture;
    struct thread *thread = thread_of(consumer, capture->thread);
    struct process *process = thread ? process_at(consumer, thread->process) : NULL;
    if (!process || !process->space)
        return;
    struct unwind_result stack = unwind(process, thread->tid, capture);
    if (stack.end != UNWIND_BOTTOM)
        count_cut(consumer, process, &stack);
    consumer->counts.frame_pointers += stack.frame_pointer_steps > 0;
    if (!(capture->flags & CAPTURE_UNWOUND))
        hint_stack(consumer, capture->thread, thread, &stack);
    if (!thread->since) {
        thread->since = capture->time;
        consumer->counts.threads++;
    }
    uint32_t node = keep_stack(consumer, process, capture, &stack);
    uint32_t value =
        profile_value_at(consumer->profile, node, thread->profile_thread, STATE_CPU);
    weights_sample(consumer->weights, thread->process, capture->thread, value);
    consumer->counts.samples++;
}

static void (*const takers[])(struct consumer *, const void *) = {
    [RECORD_CAPTURE] = take_capture,           [RECORD_PROCESS] = take_process,
    [RECORD_EXEC] = take_process,              [RECORD_PROCESS_END] = take_process,
    [RECORD_PROCESS_TIME] = take_process_time, [RECORD_THREAD] = take_thread,
    [RECORD_THREAD_TIME] = take_thread_time,   [RECORD_THREAD_END] = take_thread_time,
};

void consumer_drain(struct consumer *consumer)
{
    struct ring *ring = &consumer->control->ring;
    for (const struct record *record; (record = ring_peek(ring)); ring_release(ring, record))
        if (record->kind < ARRAY_LENGTH(takers) && takers[record->kind])
            takers[record->kind](consumer, record);
}

bool consumer_bound(struct consumer *consumer)
{
    (void)consumer;
    return false;
}

void consumer_finish(struct consumer *consumer)
{
    for (size_t i = 0; i < consumer->process_count; i++)
        if (consumer->processes[i].space)
            space_settle(consumer->processes[i].space);
    uint64_t unattributed = weights_finish(consumer->weights);
    if (unattributed < CLOCK_STEPS_NS)
        return;
    consumer->counts.unattributed_ns = unattributed;
    const struct mapping *mapping =
        modules_special(consumer->modules, MODULE_SPECIAL, "[unattributed]");
    static const struct run_process nobody;
    const struct run_process *first = consumer->fact_count ? consumer->facts : &nobody;
    uint32_t location = profile_location(consumer->profile, mapping->id, 0);
    uint32_t thread =
        profile_thread_add(consumer->profile, first->pid, 0, mapping->module->path, first->comm);
    uint32_t value = profile_value_at(consumer->profile,
                                      profile_stack(consumer->profile, &location, 1), thread,
                                      STATE_CPU);
    profile_add(consumer->profile, value, 0, unattributed);
}

struct consumer_counts consumer_counts(const struct consumer *consumer)
{
    struct consumer_counts counts = consumer->counts;
    counts.processes = consumer->fact_count;
    return counts;
}

const struct run_process *consumer_processes(const struct consumer *consumer)
{
    return consumer->facts;
}

void consumer_held(struct consumer *consumer, int64_t *worst, int64_t *sum)
{
    *worst = *sum = 0;
    for (size_t i = 0; i < consumer->thread_count; i++) {
        struct thread *thread = &consumer->threads[i];
        int64_t held = (int64_t)(thread->held_ns - thread->held_before);
        thread->held_before = thread->held_ns;
        *worst = held > *worst ? held : *worst;
        *sum += held;
    }
}

bool consumer_worst_cut(const struct consumer *consumer, const struct module **module,
                        enum unwind_end *why)
{
    const struct cut *worst = NULL;
    for (size_t i = 0; i < consumer->cut_count; i++)
        if (!worst || consumer->cuts[i].count > worst->count)
            worst = &consumer->cuts[i];
    if (!worst)
        return false;
    *module = modules_get(consumer->modules, (uint32_t)(worst->key >> 8));
    *why = (enum unwind_end)(worst->key & 0xff);
    return true;
}
