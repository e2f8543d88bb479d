// SPDX-License-Identifier: MIT
// Makes samples from captures.
#include "base/clock.h"
#include "collect/consumer_state.h"
#include "sample/record.h"

// Records are read at once for this time after a library took another's place.
#define CHANGES_NS (10 * (int64_t)NS_PER_S)

void consumer_hint(struct consumer *consumer, const struct account *thread)
{
    struct stack_plan plan;
    stack_hint_plan(&thread->hint, &plan);
    stack_hints_tell(&consumer->control->stacks, thread->number, &plan);
}

void consumer_want_promptly(struct consumer *consumer, int64_t ns)
{
    atomic_store(&consumer->control->prompt_until, clock_now() + ns);
}

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
    consumer_hint(consumer, thread);
}

static void count_asleep(struct consumer *consumer, const struct account *thread,
                         uint64_t times)
{
    control_count(consumer->control, COUNTER_ASLEEP, times);
    consumer->counts.asleep_cut += thread->asleep_cut ? times : 0;
}

// Returns the thread that owns the lock that a thread waits for, 0 if that is not known.
static pid_t owner_of(const struct consumer *consumer, const struct process *process,
                      const struct account *thread, const struct capture *capture)
{
    const struct population *population = &consumer->population;
    pid_t owner = thread->delays.lock ? locks_owner(&consumer->delays.spots.locks,
                                                    thread->delays.lock, capture) : 0;
    if (!owner || !process->nested)
        return owner;
    for (const struct account *other = NULL;
         (other = population_next(population, process, other));)
        if (other->delays.inner_tid == owner)
            return other->tid;
    return 0;
}

// Keeps the stack of a blocked thread. It is not a sample of the CPU profile.
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
    if (!consumer->idle)
        return;
    uint32_t wait = consumer->waits_rate > 0
                        ? delays_blocked(&consumer->delays, process, thread, capture, node) : 0;
    if (capture->flags & CAPTURE_SAME_WAIT)
        wall_same_wait(&thread->wall, node, wait);
    else
        wall_wait(&thread->wall, node, wait);
    consumer_record_look(consumer, thread, capture, &(struct recorder_look){
        .state = STATE_BLOCKED, .stack = node, .wait = wait,
        .owner = owner_of(consumer, process, thread, capture)});
}

void consumer_take_asleep(struct consumer *consumer, const void *data)
{
    const struct record_asleep *record = data;
    struct account *thread = population_thread(&consumer->population, record->thread);
    if (!thread)
        return;
    count_asleep(consumer, thread, record->times);
    if (consumer->idle)
        wall_again(&thread->wall, record->times);
    consumer_record_asleep(consumer, thread);
}

// Has records read at once for a while, because libraries are being mapped in the place of others.
static void be_pressed(struct consumer *consumer)
{
    consumer_want_promptly(consumer, CHANGES_NS);
    consumer->pressed_until = clock_now() + CHANGES_NS;
}

// Asks in one question for the stacks of this capture and of those right behind it in the ring that
// are of the same process.
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

static void count_thread(struct consumer *consumer, struct account *thread, int64_t time)
{
    if (thread->since)
        return;
    thread->since = time;
    control_count(consumer->control, COUNTER_THREADS_SAMPLED, 1);
    consumer->counts.threads_asleep -= thread->seen_asleep;
}

// How much running time a sample stands for, ns.
static uint64_t time_between(const struct consumer *consumer)
{
    uint32_t slowdown = atomic_load(&consumer->control->slowdown);
    return (uint64_t)(NS_PER_S / consumer->waits_rate) * (slowdown ? slowdown : 1) *
           thinning_times(&consumer->thinning);
}

static void take_sample(struct consumer *consumer, struct process *process,
                        struct account *thread, const struct capture *capture,
                        const struct unwind_result *stack)
{
    struct space *space = process->image.space;
    holds_add_capture(&consumer->holds, &thread->held, thread->profile_thread, capture);
    if (stack->end != UNWIND_BOTTOM) {
        control_count(consumer->control, COUNTER_CUT, 1);
        stack_keeper_note_cut(&consumer->keeper, space, stack);
    }
    control_count(consumer->control, COUNTER_FRAME_POINTERS, stack->frame_pointer_steps > 0);
    if (!(capture->flags & CAPTURE_UNWOUND))
        learn_stack(consumer, process, thread, capture, stack);
    count_thread(consumer, thread, capture->time);
    uint32_t node = stack_keeper_keep(&consumer->keeper, space, capture, stack);
    uint32_t value =
        profile_value_at(consumer->profile, node, thread->profile_thread, STATE_CPU);
    weights_sample(&thread->weights, consumer->profile, value,
                   thinning_times(&consumer->thinning));
    process->sampled = (struct weighed){value, process->sampled.times + 1};
    if (consumer->idle)
        wall_look(&thread->wall, node, STATE_RUNNING);
    if (consumer->idle && consumer->waits_rate > 0)
        delays_ran(&consumer->delays, process, thread, capture, node, time_between(consumer));
    consumer_record_look(consumer, thread, capture, &(struct recorder_look){
        .state = STATE_RUNNING, .stack = node});
    control_count(consumer->control, COUNTER_SAMPLES, 1);
}

void consumer_take_capture(struct consumer *consumer, const void *data)
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
    struct unwind_result stack;
    if (!thinning_is_at_work(&consumer->thinning)) // otherwise many of them would be left out
        look_ahead(consumer, process, data);
    bool known = process_image_walk(&process->image, thread->tid, capture, &stack);
    if (process->image.changed_at > capture->time)
        be_pressed(consumer);
    if (!known)
        control_count(consumer->control, COUNTER_FAILED, 1);
    else if ((capture->flags & (CAPTURE_IN_PLACE | CAPTURE_ON_CPU)) == CAPTURE_IN_PLACE)
        take_stack_in_place(consumer, process, thread, capture, &stack);
    else
        take_sample(consumer, process, thread, capture, &stack);
}
