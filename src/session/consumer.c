// SPDX-License-Identifier: MIT
#include "session/consumer.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "profile/wall.h"
#include "sample/record.h"
#include "session/cuts.h"
#include "session/facts.h"
#include "session/process_image.h"
#include "session/stack_hint.h"

#define NONE UINT32_MAX
// The clocks of a thread and of its process differ by as much without any CPU time being unknown.
#define CLOCK_STEPS_NS (8 * NS_PER_MS)

struct process {
    struct process_image image;
    uint32_t facts; // number of the pid's facts
    uint64_t cpu_ns;
};

struct thread {
    uint32_t number;
    uint32_t process; // number
    uint32_t profile_thread;
    pid_t tid;
    struct stack_hint hint;
    uint64_t held_ns;
    uint64_t held_before; // as of the last consumer_held
    int64_t since;     // first sample, CLOCK_MONOTONIC ns
    bool met_asleep, asleep_cut; // the newest stack it slept in
    bool ended;        // its place is free
};

struct consumer {
    struct control *control;
    struct modules *modules;
    struct profile *profile;
    struct weights *weights;
    struct wall *wall; // NULL unless control->idle
    int idle;          // control->idle, when it was made
    size_t max_depth;
    void (*began)(void *context, pid_t pid); // NULL: nobody wants to know
    void *watcher;
    struct map process_index; // number -> index
    struct process *processes;
    size_t process_count, process_capacity;
    uint32_t *free_processes; // indices to use again
    size_t free_process_count, free_process_capacity;
    struct facts facts;
    struct map thread_index; // number -> index
    struct thread *threads;
    size_t thread_count, thread_capacity;
    uint32_t *free_threads; // indices to use again
    size_t free_count, free_capacity;
    uint32_t *locations; // of the stack at hand, leaf first
    const struct mapping *kernel, *unknown, *truncated;
    struct consumer_counts counts;
    struct cuts cuts;
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
    for (size_t i = 0; i < consumer->process_count; i++)
        process_image_fini(&consumer->processes[i].image);
    weights_free(consumer->weights);
    wall_free(consumer->wall);
    map_fini(&consumer->thread_index);
    map_fini(&consumer->process_index);
    free(consumer->free_processes);
    free(consumer->processes);
    facts_fini(&consumer->facts);
    free(consumer->threads);
    free(consumer->free_threads);
    free(consumer->locations);
    cuts_fini(&consumer->cuts);
    free(consumer);
}

// --- processes and threads ---

static struct process *process_of(struct consumer *consumer, uint32_t number)
{
    uint32_t index = map_get(&consumer->process_index, number, NONE);
    return index == NONE ? NULL : &consumer->processes[index];
}

static struct process *new_process(struct consumer *consumer, uint32_t number)
{
    uint32_t index = (uint32_t)consumer->process_count;
    if (consumer->free_process_count)
        index = consumer->free_processes[--consumer->free_process_count];
    else {
        ARRAY_RESERVE(consumer->processes, consumer->process_count, consumer->process_capacity);
        consumer->process_count++;
    }
    consumer->processes[index] = (struct process){.facts = NONE};
    map_put(&consumer->process_index, number, index);
    return &consumer->processes[index];
}

// Its number never comes again.
static void forget_process(struct consumer *consumer, uint32_t number)
{
    uint32_t index = map_get(&consumer->process_index, number, NONE);
    process_image_fini(&consumer->processes[index].image);
    weights_process_end(consumer->weights, number);
    map_remove(&consumer->process_index, number);
    ARRAY_RESERVE(consumer->free_processes, consumer->free_process_count,
                  consumer->free_process_capacity);
    consumer->free_processes[consumer->free_process_count++] = index;
}

static struct thread *thread_of(struct consumer *consumer, uint32_t number)
{
    uint32_t index = map_get(&consumer->thread_index, number, NONE);
    return index == NONE ? NULL : &consumer->threads[index];
}

static void hint_stack(struct consumer *consumer, const struct thread *thread)
{
    struct control *control = consumer->control;
    uint32_t slot = thread->number % STACK_HINTS;
    const struct stack_hint *hint = &thread->hint;
    atomic_store_explicit(&control->stack_hint[slot], hint->bytes, memory_order_relaxed);
    atomic_store_explicit(&control->stack_reach[slot], stack_hint_reach(hint),
                          memory_order_relaxed);
    atomic_store_explicit(&control->stack_root[slot], stack_hint_root(hint), memory_order_relaxed);
}

// How deep the stacks of the image before were tells nothing of the one after it.
static void forget_stacks(struct consumer *consumer, uint32_t process)
{
    for (size_t i = 0; i < consumer->thread_count; i++) {
        struct thread *thread = &consumer->threads[i];
        if (thread->ended || thread->process != process)
            continue;
        thread->hint = (struct stack_hint){0};
        hint_stack(consumer, thread);
    }
}

static void take_process(struct consumer *consumer, const void *data)
{
    const struct record_process *record = data;
    struct process *process = process_of(consumer, record->process);
    if (!process)
        process = new_process(consumer, record->process);
    process->facts = facts_of(&consumer->facts, record->pid);
    struct run_process *facts = &consumer->facts.list[process->facts];
    if (*record->comm) // gone, it has no name any more
        memcpy(facts->comm, record->comm, sizeof facts->comm);
    if (record->record.kind == RECORD_PROCESS_END) {
        facts->ended = true;
        forget_process(consumer, record->process);
        return;
    }
    process_image_load(&process->image, consumer->modules, record->pid, consumer->max_depth);
    if (consumer->began)
        consumer->began(consumer->watcher, record->pid);
    if (record->record.kind == RECORD_EXEC) {
        facts->execs++;
        forget_stacks(consumer, record->process);
    }
}

static uint32_t fresh_thread(struct consumer *consumer)
{
    if (consumer->free_count)
        return consumer->free_threads[--consumer->free_count];
    ARRAY_RESERVE(consumer->threads, consumer->thread_count, consumer->thread_capacity);
    return (uint32_t)consumer->thread_count++;
}

// Its number never comes again.
static void forget_thread(struct consumer *consumer, uint32_t number)
{
    uint32_t index = map_get(&consumer->thread_index, number, NONE);
    consumer->threads[index].ended = true;
    profile_thread_end(consumer->profile, consumer->threads[index].profile_thread);
    wall_end(consumer->wall, number);
    map_remove(&consumer->thread_index, number);
    ARRAY_RESERVE(consumer->free_threads, consumer->free_count, consumer->free_capacity);
    consumer->free_threads[consumer->free_count++] = index;
}

static void take_thread(struct consumer *consumer, const void *data)
{
    const struct record_thread *record = data;
    struct thread *thread = thread_of(consumer, record->thread);
    if (thread) {
        profile_thread_rename(consumer->profile, thread->profile_thread, record->comm);
        return;
    }
    const struct process *process = process_of(consumer, record->process);
    if (!process)
        return; // told before its process: not by a sampler of ours
    uint32_t index = fresh_thread(consumer);
    map_put(&consumer->thread_index, record->thread, index);
    thread = &consumer->threads[index];
    const struct run_process *facts = &consumer->facts.list[process->facts];
    *thread = (struct thread){record->thread, record->process, .tid = record->tid};
    hint_stack(consumer, thread); // another thread may have had its place
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
    wall_share(consumer->wall, record->thread, thread->profile_thread,
               (struct wall_period){record->elapsed_ns, record->cpu_ns, record->queued_ns});
    if (record->record.kind == RECORD_THREAD_END)
        forget_thread(consumer, record->thread);
}

static void take_process_time(struct consumer *consumer, const void *data)
{
    const struct record_process_time *record = data;
    struct process *process = process_of(consumer, record->process);
    if (!process)
        return;
    consumer->counts.cpu_ns += record->cpu_ns - process->cpu_ns;
    process->cpu_ns = record->cpu_ns;
    weights_process_time(consumer->weights, record->process, record->cpu_ns,
                         record->threads_cpu_ns);
}

// --- captures ---

static uint32_t location_of(struct consumer *consumer, struct space *space,
                            const struct unwind_frame *frame)
{
    uint64_t pc = frame->interrupted ? frame->pc : frame->pc - 1;
    const struct area *area = space_find(space, pc);
    if (!area)
        return profile_location(consumer->profile, consumer->unknown->id, pc);
    const struct mapping *mapping = space_mapping(space, area, pc);
    uint64_t offset = mapping->module->kind == MODULE_ANON ? pc
                                                           : pc - area->start + mapping->offset;
    return profile_location(consumer->profile, mapping->id, offset);
}

static void note_cut(struct consumer *consumer, const struct space *space,
                      const struct unwind_result *stack)
{
    const struct area *area = space_find(space, stack->frames[stack->count - 1].pc);
    const struct mapping *mapping = area ? area->mapping : consumer->unknown;
    cuts_add(&consumer->cuts, mapping->module->id, stack->end);
}

static uint32_t keep_stack(struct consumer *consumer, struct space *space,
                           const struct capture *capture, const struct unwind_result *stack)
{
    size_t count = 0;
    if (capture->flags & CAPTURE_IN_SYSCALL)
        consumer->locations[count++] = profile_location(
            consumer->profile, consumer->kernel->id, (uint64_t)capture->syscall);
    for (size_t i = 0; i < stack->count; i++)
        consumer->locations[count++] = location_of(consumer, space, &stack->frames[i]);
    if (stack->end != UNWIND_BOTTOM)
        consumer->locations[count++] =
            profile_location(consumer->profile, consumer->truncated->id, stack->end);
    return profile_stack(consumer->profile, consumer->locations, count);
}

static void learn_stack(struct consumer *consumer, struct thread *thread,
                        const struct capture *capture, const struct unwind_result *stack)
{
    stack_hint_learn(&thread->hint, capture->regs.rsp, stack);
    hint_stack(consumer, thread);
}

static void count_asleep(struct consumer *consumer, const struct thread *thread, uint64_t times)
{
    consumer->counts.asleep += times;
    consumer->counts.asleep_cut += thread->asleep_cut ? times : 0;
}

// Where a thread sleeps. Not a sample of the CPU profile.
static void take_stack_in_place(struct consumer *consumer, struct space *space,
                                struct thread *thread, const struct capture *capture,
                                const struct unwind_result *stack)
{
    learn_stack(consumer, thread, capture, stack);
    consumer->counts.threads_asleep += !thread->since && !thread->met_asleep;
    thread->met_asleep = true;
    thread->asleep_cut = stack->end != UNWIND_BOTTOM;
    count_asleep(consumer, thread, 1);
    if (thread->asleep_cut)
        note_cut(consumer, space, stack);
    wall_look(consumer->wall, capture->thread, keep_stack(consumer, space, capture, stack),
              STATE_BLOCKED);
}

static void take_asleep(struct consumer *consumer, const void *data)
{
    const struct record_asleep *record = data;
    const struct thread *thread = thread_of(consumer, record->thread);
    if (thread)
        count_asleep(consumer, thread, record->times);
    wall_again(consumer->wall, record->thread, record->times);
}

static void take_capture(struct consumer *consumer, const void *data)
{
    const struct capture *capture = &((const struct record_capture *)data)->capture;
    struct thread *thread = thread_of(consumer, capture->thread);
    struct process *process = thread ? process_of(consumer, thread->process) : NULL;
    if (!process || !process->image.space)
        return;
    struct space *space = process->image.space;
    struct unwind_result stack = process_image_walk(&process->image, thread->tid, capture);
    if (capture->flags & CAPTURE_IN_PLACE) {
        take_stack_in_place(consumer, space, thread, capture, &stack);
        return;
    }
    if (stack.end != UNWIND_BOTTOM) {
        consumer->counts.cut++;
        note_cut(consumer, space, &stack);
    }
    consumer->counts.frame_pointers += stack.frame_pointer_steps > 0;
    if (stack.second_at) // and how much of that stack is needed, nobody knows yet
        atomic_store_explicit(&consumer->control->second_at[capture->thread % STACK_HINTS],
                              stack.second_at, memory_order_relaxed);
    else if (!(capture->flags & CAPTURE_UNWOUND))
        learn_stack(consumer, thread, capture, &stack);
    if (!thread->since) {
        thread->since = capture->time;
        consumer->counts.threads++;
        consumer->counts.threads_asleep -= thread->met_asleep;
    }
    uint32_t node = keep_stack(consumer, space, capture, &stack);
    uint32_t value =
        profile_value_at(consumer->profile, node, thread->profile_thread, STATE_CPU);
    weights_sample(consumer->weights, thread->process, capture->thread, value);
    wall_look(consumer->wall, capture->thread, node, STATE_RUNNING);
    consumer->counts.samples++;
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
    wall_reset(consumer->wall);
}

static void begin_or_end_wall(struct consumer *consumer)
{
    int idle = atomic_load(&consumer->control->idle);
    if (idle == consumer->idle)
        return;
    wall_free(consumer->wall);
    consumer->wall = idle ? wall_new(consumer->profile) : NULL;
    consumer->idle = idle;
}

void consumer_drain(struct consumer *consumer)
{
    begin_or_end_wall(consumer);
    struct ring *ring = &consumer->control->ring;
    for (const struct record *record; (record = ring_peek(ring)); ring_release(ring, record))
        if (record->kind < ARRAY_LENGTH(takers) && takers[record->kind])
            takers[record->kind](consumer, record);
}

bool consumer_bound(struct consumer *consumer, const struct compact_bounds *bounds)
{
    struct compact_numbers numbers;
    if (!compact_is_due(consumer->profile, bounds))
        return false;
    compact(consumer->profile, bounds, &numbers);
    weights_renumber(consumer->weights, numbers.values);
    for (size_t i = 0; i < consumer->thread_count; i++)
        if (!consumer->threads[i].ended)
            consumer->threads[i].profile_thread =
                numbers.threads[consumer->threads[i].profile_thread];
    wall_renumber(consumer->wall, numbers.stacks);
    compact_numbers_fini(&numbers);
    return true;
}

void consumer_finish(struct consumer *consumer)
{
    for (size_t i = 0; i < consumer->process_count; i++)
        if (consumer->processes[i].image.space)
            space_settle(consumer->processes[i].image.space);
    uint64_t unattributed = weights_finish(consumer->weights);
    if (unattributed < CLOCK_STEPS_NS)
        return;
    consumer->counts.unattributed_ns = unattributed;
    const struct mapping *mapping =
        modules_special(consumer->modules, MODULE_SPECIAL, "[unattributed]");
    static const struct run_process nobody;
    const struct run_process *first = consumer->facts.count ? consumer->facts.list : &nobody;
    uint32_t location = profile_location(consumer->profile, mapping->id, 0);
    uint32_t thread =
        profile_thread_add(consumer->profile, first->pid, 0, mapping->module->path, first->comm);
    uint32_t stack = profile_stack(consumer->profile, &location, 1);
    enum profile_state last = consumer->wall ? STATE_RUNNING : STATE_CPU;
    for (enum profile_state state = STATE_CPU; state <= last; state++)
        profile_add(consumer->profile, profile_value_at(consumer->profile, stack, thread, state), 0,
                    unattributed);
}

struct consumer_counts consumer_counts(const struct consumer *consumer)
{
    struct consumer_counts counts = consumer->counts;
    counts.processes = consumer->facts.count;
    return counts;
}

const struct run_process *consumer_processes(const struct consumer *consumer)
{
    return consumer->facts.list;
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
    const struct cut *worst = cuts_worst(&consumer->cuts);
    if (!worst)
        return false;
    *module = modules_get(consumer->modules, worst->module);
    *why = worst->why;
    return true;
}
