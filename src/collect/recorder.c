// SPDX-License-Identifier: MIT
#include "collect/recorder.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "collect/recorder_state.h"

#define LATE_NS NS_PER_S // in which the first switch of a thread is told

// A CPU goes from one thread to the next in less than that. The kernel charges the switch to who
// comes, and records that at its end.
#define HAND_OVER_NS (2 * NS_PER_US)

#define LOCKED(recorder) pthread_mutex_lock(&(recorder)->lock)
#define UNLOCKED(recorder) pthread_mutex_unlock(&(recorder)->lock)

// --- events ---

struct timeline_event *recorder_event(const struct recorder *recorder,
                                      struct recorded_thread *thread, int64_t number)
{
    struct recorded *there = event_file_at(&recorder->file, number);
    if (there)
        return &there->event;
    return number >= 0 && thread->old_number == number ? &thread->old : NULL;
}

int64_t recorder_before(const struct recorder *recorder, int64_t number)
{
    const struct recorded *there = event_file_at(&recorder->file, number);
    return there ? there->previous : -1;
}

void recorder_append(struct recorder *recorder, struct recorded_thread *thread,
                     struct timeline_event event)
{
    event.thread = (uint32_t)(thread - recorder->threads);
    const struct recorded recorded = {event, thread->newest};
    thread->newest = event_file_append(&recorder->file, &recorded);
}

static struct timeline_event *newest(const struct recorder *recorder,
                                     struct recorded_thread *thread)
{
    return recorder_event(recorder, thread, thread->newest);
}

static void close_event(struct recorder *recorder, struct recorded_thread *thread, int64_t time)
{
    struct timeline_event *event = thread->open ? newest(recorder, thread) : NULL;
    if (event)
        event->duration = time > event->time ? time - event->time : 0;
    thread->open = thread->guessed = false;
}

// Ends what the thread did and begins another state. Records of different CPUs may come late: no
// event ends before it began.
static void change(struct recorder *recorder, struct recorded_thread *thread, int64_t time,
                   enum profile_state state, uint32_t cpu)
{
    const struct timeline_event *last = newest(recorder, thread);
    close_event(recorder, thread, time);
    if (last && time < last->time + last->duration)
        time = last->time + last->duration;
    recorder_append(recorder, thread, (struct timeline_event){
        .time = time,
        .state = state,
        .cpu = cpu,
        .woken_by = TIMELINE_NONE,
    });
    thread->open = true;
}

// --- threads ---

struct recorded_thread *recorder_thread(struct recorder *recorder, pid_t tid)
{
    uint32_t number = map_get(&recorder->tids, (uint64_t)tid, TIMELINE_NONE);
    return number == TIMELINE_NONE ? NULL : &recorder->threads[number];
}

static void note_ended(struct recorder *recorder, uint32_t number)
{
    if (recorder->ended.first > recorder->ended.count / 2) {
        recorder->ended.count -= recorder->ended.first;
        memmove(recorder->ended.list, recorder->ended.list + recorder->ended.first,
                recorder->ended.count * sizeof *recorder->ended.list);
        recorder->ended.first = 0;
    }
    ARRAY_RESERVE(recorder->ended.list, recorder->ended.count, recorder->ended.capacity);
    recorder->ended.list[recorder->ended.count++] = number;
}

// Returns the number of the thread that ended first if all of its events have given way, else a new
// one: so the memory for threads that come and go is bound by that for events.
static uint32_t new_number(struct recorder *recorder)
{
    const struct recorded *oldest = event_file_at(&recorder->file, recorder->file.first);
    if (recorder->ended.first < recorder->ended.count && recorder->file.first) {
        uint32_t number = recorder->ended.list[recorder->ended.first];
        struct recorded_thread *thread = &recorder->threads[number];
        if (thread->newest < recorder->file.first && thread->ended_at <= oldest->event.time) {
            recorder->ended.first++;
            if (recorder_thread(recorder, thread->tid) == thread)
                map_remove(&recorder->tids, (uint64_t)thread->tid);
            recorder_forget_ticks(thread);
            return number;
        }
    }
    ARRAY_RESERVE(recorder->threads, recorder->thread_count, recorder->thread_capacity);
    return (uint32_t)recorder->thread_count++;
}

static struct recorded_thread *add_thread(struct recorder *recorder, pid_t pid, pid_t tid)
{
    uint32_t number = new_number(recorder);
    struct recorded_thread *thread = &recorder->threads[number];
    *thread = (struct recorded_thread){.pid = pid, .tid = tid, .newest = -1, .old_number = -1};
    map_put(&recorder->tids, (uint64_t)tid, number);
    return thread;
}

// Returns the thread that lives, added if need be.
static struct recorded_thread *living(struct recorder *recorder, pid_t pid, pid_t tid)
{
    struct recorded_thread *thread = recorder_thread(recorder, tid);
    return thread && !thread->ended ? thread : add_thread(recorder, pid, tid);
}

static void set_name(struct recorder *recorder, struct recorded_thread *thread, const char *comm)
{
    thread->comm = plain_text(recorder->timeline->profile, comm);
}

void recorder_meet(struct recorder *recorder, pid_t pid, pid_t tid, const char *comm)
{
    LOCKED(recorder);
    struct recorded_thread *thread = recorder_thread(recorder, tid);
    // What the switches say of its end is known before or after what the sampler says of it.
    if (!thread || (thread->ended && !thread->listed))
        thread = add_thread(recorder, pid, tid);
    thread->met_at = thread->met_at ? thread->met_at : clock_now();
    set_name(recorder, thread, comm);
    UNLOCKED(recorder);
}

// Looks that were kept for a period are of a thread with switches now.
static void wait_for_switches(struct recorder *recorder, struct recorded_thread *thread)
{
    struct ticks *ticks = thread->ticks;
    for (size_t i = 0; ticks && i < ticks->count; i++) {
        ARRAY_RESERVE(recorder->waiting, recorder->waiting_count, recorder->waiting_capacity);
        recorder->waiting[recorder->waiting_count++] = ticks->looks[i];
    }
    if (ticks)
        ticks->count = 0;
}

void recorder_list(struct recorder *recorder, pid_t pid, pid_t tid, bool sleeps, int64_t time)
{
    LOCKED(recorder);
    struct recorded_thread *thread = living(recorder, pid, tid);
    if (!thread->listed) {
        wait_for_switches(recorder, thread);
        change(recorder, thread, time, sleeps ? STATE_BLOCKED : STATE_RUNNING, TIMELINE_NONE);
        thread->listed = thread->guessed = true;
        thread->sleeps = sleeps;
    }
    UNLOCKED(recorder);
}

void recorder_expect(struct recorder *recorder, bool expects)
{
    LOCKED(recorder);
    recorder->expects = expects;
    UNLOCKED(recorder);
}

void recorder_miss(struct recorder *recorder, pid_t tid)
{
    LOCKED(recorder);
    struct recorded_thread *thread = recorder_thread(recorder, tid);
    if (thread)
        thread->unheard = true;
    UNLOCKED(recorder);
}

bool recorder_is_listed(struct recorder *recorder, pid_t tid)
{
    LOCKED(recorder);
    const struct recorded_thread *thread = recorder_thread(recorder, tid);
    bool listed = thread && thread->listed && !thread->ended;
    UNLOCKED(recorder);
    return listed;
}

// --- switches ---

static struct recorded_cpu *cpu_of(struct recorder *recorder, uint32_t cpu)
{
    while (recorder->cpu_count <= cpu) {
        ARRAY_RESERVE(recorder->cpus, recorder->cpu_count, recorder->cpu_capacity);
        recorder->cpus[recorder->cpu_count++] =
            (struct recorded_cpu){.running = TIMELINE_NONE, .left_by = TIMELINE_NONE};
    }
    return &recorder->cpus[cpu];
}

// A thread that was the last to come onto this CPU has left it, even if that record was lost.
static void leave_cpu(struct recorder *recorder, uint32_t cpu, int64_t time)
{
    uint32_t *running = &cpu_of(recorder, cpu)->running;
    if (*running == TIMELINE_NONE)
        return;
    struct recorded_thread *thread = &recorder->threads[*running];
    const struct timeline_event *event = thread->open ? newest(recorder, thread) : NULL;
    if (event && event->state == STATE_RUNNING && event->cpu == cpu)
        change(recorder, thread, time, STATE_BLOCKED, TIMELINE_NONE);
    *running = TIMELINE_NONE;
}

// The first switch of a thread says what it did before.
static void resolve_guess(struct recorder *recorder, struct recorded_thread *thread,
                          const struct recorder_turn *turn)
{
    struct timeline_event *event = newest(recorder, thread);
    thread->guessed = false;
    recorder_forget_ticks(thread);
    if (!event)
        return;
    if (turn->time < event->time)
        event->time = turn->time;
    if (turn->state == STATE_RUNNING)
        event->state = thread->sleeps ? STATE_BLOCKED : STATE_QUEUED;
    else {
        event->state = STATE_RUNNING;
        event->cpu = turn->cpu;
    }
}

// Returns whether the turn says something new. Events that were opened twice for a thread, because
// it was being born, tell all twice.
static bool is_news(const struct recorder *recorder, struct recorded_thread *thread,
                    const struct recorder_turn *turn)
{
    const struct timeline_event *event = thread->open ? newest(recorder, thread) : NULL;
    if (!event || thread->guessed)
        return true;
    if (turn->state == STATE_RUNNING)
        return event->state != STATE_RUNNING || event->cpu != turn->cpu;
    return event->state == STATE_RUNNING;
}

static void take_turn(struct recorder *recorder, struct recorded_thread *thread,
                      const struct recorder_turn *turn)
{
    const bool runs = turn->state == STATE_RUNNING;
    const uint32_t number = (uint32_t)(thread - recorder->threads);
    thread->listed = true;
    if (!is_news(recorder, thread, turn))
        return;
    if (thread->guessed)
        resolve_guess(recorder, thread, turn);
    struct recorded_cpu *cpu = cpu_of(recorder, turn->cpu);
    if (cpu->running != number) // it has another name since it executed
        leave_cpu(recorder, turn->cpu, turn->time);
    bool handed_over = runs && cpu->left_by != TIMELINE_NONE && cpu->left_by != number &&
                       turn->time - cpu->left_at < HAND_OVER_NS;
    change(recorder, thread, handed_over ? cpu->left_at : turn->time, turn->state,
           runs ? turn->cpu : TIMELINE_NONE);
    cpu->running = runs ? number : TIMELINE_NONE;
    if (!runs) {
        cpu->left_by = number;
        cpu->left_at = turn->time;
    }
}

void recorder_turn(struct recorder *recorder, const struct recorder_turn *turn)
{
    LOCKED(recorder);
    struct recorded_thread *thread = recorder_thread(recorder, turn->tid);
    if (!thread || (thread->ended && turn->time > thread->ended_at))
        thread = add_thread(recorder, turn->pid, turn->tid);
    if (!thread->ended)
        take_turn(recorder, thread, turn);
    UNLOCKED(recorder);
}

static void end_thread(struct recorder *recorder, struct recorded_thread *thread, int64_t time)
{
    close_event(recorder, thread, time);
    note_ended(recorder, (uint32_t)(thread - recorder->threads));
    thread->ended = true;
    thread->ended_at = time;
}

static bool began_later(const struct recorder *recorder, struct recorded_thread *thread,
                        int64_t time)
{
    const struct timeline_event *event = newest(recorder, thread);
    return event && event->time >= time;
}

// Until its first turn a thread waits for it.
void recorder_birth(struct recorder *recorder, pid_t pid, pid_t tid, pid_t parent, int64_t time)
{
    LOCKED(recorder);
    struct recorded_thread *thread = recorder_thread(recorder, tid);
    if (thread && thread->listed && began_later(recorder, thread, time)) {
        UNLOCKED(recorder); // it was found in /proc before this record was read, or told twice
        return;
    }
    if (thread && thread->listed && !thread->ended) // the record of its end was lost
        end_thread(recorder, thread, time);
    thread = living(recorder, pid, tid);
    const struct recorded_thread *creator = recorder_thread(recorder, parent);
    if (!thread->comm && creator)
        thread->comm = creator->comm;
    thread->listed = true;
    wait_for_switches(recorder, thread);
    change(recorder, thread, time, STATE_QUEUED, TIMELINE_NONE);
    UNLOCKED(recorder);
}

void recorder_end(struct recorder *recorder, pid_t tid, int64_t time)
{
    LOCKED(recorder);
    struct recorded_thread *thread = recorder_thread(recorder, tid);
    if (thread && !thread->ended)
        end_thread(recorder, thread, time);
    UNLOCKED(recorder);
}

void recorder_name(struct recorder *recorder, pid_t pid, pid_t tid, const char *comm)
{
    LOCKED(recorder);
    set_name(recorder, living(recorder, pid, tid), comm);
    UNLOCKED(recorder);
}

void recorder_exec(struct recorder *recorder, pid_t pid, uint32_t cpu, int64_t time)
{
    const struct recorder_turn turn = {pid, pid, time, cpu, STATE_RUNNING};
    LOCKED(recorder);
    for (size_t i = 0; i < recorder->thread_count; i++) {
        struct recorded_thread *thread = &recorder->threads[i];
        bool other = thread->pid == pid && thread->tid != pid;
        if (other && thread->listed && !thread->ended) // else it is one that the new program starts
            end_thread(recorder, thread, time);
    }
    take_turn(recorder, living(recorder, pid, pid), &turn);
    UNLOCKED(recorder);
}

// --- looks ---

void recorder_told_until(struct recorder *recorder, int64_t time)
{
    size_t kept = 0;
    LOCKED(recorder);
    recorder->told_until = time;
    for (size_t i = 0; i < recorder->waiting_count; i++) {
        if (recorder->waiting[i].time < time)
            recorder_place(recorder, &recorder->waiting[i]);
        else
            recorder->waiting[kept++] = recorder->waiting[i];
    }
    recorder->waiting_count = kept;
    UNLOCKED(recorder);
}

void recorder_look(struct recorder *recorder, const struct recorder_look *look)
{
    LOCKED(recorder);
    struct recorded_thread *thread = recorder_thread(recorder, look->tid);
    if (thread && !thread->listed)
        recorder_tick(thread, look);
    else if (look->time < recorder->told_until)
        recorder_place(recorder, look);
    else {
        ARRAY_RESERVE(recorder->waiting, recorder->waiting_count, recorder->waiting_capacity);
        recorder->waiting[recorder->waiting_count++] = *look;
    }
    UNLOCKED(recorder);
}

// The sampler knows a thread before or after its first switch is told. A thread that was started by
// one without events has none.
static bool is_unheard(const struct recorder *recorder, const struct recorded_thread *thread,
                       int64_t now)
{
    return !thread->listed &&
           (!recorder->expects || thread->unheard || now > thread->met_at + LATE_NS);
}

void recorder_period(struct recorder *recorder, const struct recorder_period *period)
{
    LOCKED(recorder);
    struct recorded_thread *thread = recorder_thread(recorder, period->tid);
    if (thread && is_unheard(recorder, thread, period->time)) {
        recorder_share(recorder, thread, period);
        if (period->ended) {
            end_thread(recorder, thread, period->time);
            recorder_forget_ticks(thread);
        }
    }
    UNLOCKED(recorder);
}

void recorder_asleep(struct recorder *recorder, pid_t tid)
{
    LOCKED(recorder);
    struct recorded_thread *thread = recorder_thread(recorder, tid);
    if (thread && thread->ticks && thread->ticks->asleep.time)
        recorder_still(recorder, thread);
    UNLOCKED(recorder);
}
