// SPDX-License-Identifier: MIT
#include "sample/round.h"

#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/random.h"
#include "sample/priority.h"
#include "sample/report.h"
#include "sample/tracer.h"

#define READS_A_SECOND 3000 // of cold threads: 0.7 % of a CPU where none is in its caches
#define READS_A_ROUND 16    // and no fewer than that
#define READS_EACH 5        // times that each cold thread is read in a second, within these two
#define FIRST_A_SECOND 8000 // of threads that no survey has met yet: 10,000 within two seconds
#define SHORTFALL_NS (8 * NS_PER_MS) // two scheduler ticks: clocks of others move in such steps
#define SWEEP_NS (250 * NS_PER_MS)   // least time between two reads of all threads for a shortfall
#define CLOCK_SHARE 500              // reading clocks takes at most one part in so many of our time
#define SWEEP_SHARE 500              // and such reads of all threads one part in so many
#define ROOM_NS NS_PER_S // in all that the last report waits for room in the ring
#define COLLECT_NS (100 * NS_PER_US) // a thread that stops during a round waits so long
#define LIST_NS (100 * NS_PER_MS)    // the same at the candidates of a large process
#define ROUNDS_MAX 100.0             // a second, where samplers take all samples,
#define ROUNDS_IDLE 25.0             // and while no thread runs

// The kernel charges CPU time at every scheduler tick, but for CPUs that run without ticks.
static int64_t off_cpu_after(const struct cpu_samplers *samplers)
{
    struct timespec tick;
    if (cpu_samplers_lack_ticks(samplers) || clock_getres(CLOCK_MONOTONIC_COARSE, &tick) != 0)
        return INT64_MAX;
    return 3 * ((int64_t)tick.tv_sec * NS_PER_S + tick.tv_nsec);
}

void round_init(struct round *round, struct control *control)
{
    round->control = control;
    round->random = (uint64_t)clock_now() | 1;
    roster_init(&round->roster, control);
    look_init(&round->look, control, 0);
    round->look.elsewhere = true;
    cpu_samplers_init(&round->samplers);
    round->off_cpu_ns = off_cpu_after(&round->samplers);
}

static void be_urgent(struct round *round, bool urgent)
{
    if (urgent != round->urgent)
        priority_urgent(urgent);
    round->urgent = urgent;
}

void round_await(struct round *round, int64_t until)
{
    look_await(&round->look, until);
    if (!round->look.stops.count)
        be_urgent(round, false);
}

static void collect_now_and_then(struct round *round)
{
    if (!round->look.stops.count || clock_now() - round->collected_at <= COLLECT_NS)
        return;
    round_await(round, clock_now() + COLLECT_NS);
    round->collected_at = clock_now();
}

// --- threads ---

static bool is_wanted(const struct round *round, const struct thread *thread)
{
    return thread_filter_matches(round->threads, thread->comm);
}

// Several threads are read before the first of them is stopped: a CPU that a stop leaves free is
// taken by a thread that had been waiting, which would then seem to have been running.
static void take_samples(struct round *round)
{
    if (atomic_load(&round->control->stop_nobody.is_so))
        round->running_count = 0;
    be_urgent(round, round->urgent || round->running_count);
    for (size_t i = 0; i < round->running_count; i++)
        if (claim_take(round->running[i], 1)) {
            (void)look_had_to_wait(&round->look, round->running[i]); // its sample may skid anyway
            look_ask(&round->look, round->running[i], random_share(&round->random));
        }
    if (round->running_count)
        round_await(round, clock_now() + COLLECT_NS);
    round->running_count = 0;
}

static bool may_be_sampled(const struct round *round, struct thread *thread)
{
    return report_known_thread(round->control, round->threads, thread);
}

static void survey(struct round *round, struct thread *thread, const struct schedstat *stat,
                   bool rarely)
{
    if (may_be_sampled(round, thread) && !thread->gone)
        survey_visit(&round->survey, &round->look, thread, stat, rarely);
}

// No sampler can be where this thread runs, or its process is newborn and may have ended before a
// sampler finds it.
static bool is_out_of_reach(struct round *round, struct thread *thread)
{
    if (thread->process->born_watched && !thread->told_elsewhere) {
        thread->told_elsewhere = true;
        return true;
    }
    return reach_lacks(&round->reach, &round->samplers, thread);
}

static void note_running(struct round *round, struct thread *thread, const struct schedstat *before)
{
    if (thread->blocked || !may_be_sampled(round, thread))
        return;
    thread->claim.before = *before;
    round->running[round->running_count++] = thread;
    if (round->running_count == RUNNING_MAX)
        take_samples(round);
}

enum activity { // of a thread, as far as its schedstat tells
    STILL_BLOCKED,
    OFF_CPU,      // it sleeps or waits for a CPU: on one, its clock would have moved
    IN_REACH,     // it may run where a sampler is,
    OUT_OF_REACH, // or where none is
};

static enum activity activity_of(struct round *round, struct thread *thread, bool moved,
                                 int64_t now)
{
    if (thread->blocked && !moved)
        return STILL_BLOCKED;
    if (now - thread->unmoved_since > round->off_cpu_ns)
        return OFF_CPU;
    return is_out_of_reach(round, thread) ? OUT_OF_REACH : IN_REACH;
}

// Reads one thread; no more than its schedstat if it has not run since it was seen blocked.
static void visit(struct round *round, struct thread *thread, int64_t now)
{
    struct schedstat before;
    collect_now_and_then(round);
    if (thread->gone || thread_read(thread, &before) != RC_OK)
        return;
    bool moved = before.switches != thread->last.switches, surveyed = round->survey.number;
    thread_note(thread, &before, &thread->process->cpu.read);
    enum activity activity = activity_of(round, thread, moved, now);
    if (activity == OFF_CPU || activity == OUT_OF_REACH || (activity == IN_REACH && surveyed))
        thread->blocked = !thread_is_running(thread);
    if (thread->blocked && surveyed)
        survey(round, thread, &before, !thread->hot);
    if (activity == STILL_BLOCKED || activity == OFF_CPU)
        return;
    cpu_sampler_rouse(&round->samplers.orders, now);
    roster_make_hot(&round->roster, thread, now);
    if (activity == OUT_OF_REACH)
        note_running(round, thread, &before);
}

static void visit_cold(struct round *round, struct watched *process, size_t most, int64_t now)
{
    if (most > process->count)
        most = process->count;
    for (size_t i = 0; i < most; i++) {
        struct thread *thread = process->threads[process->next_cold++ % process->count];
        if (!thread->hot)
            visit(round, thread, now);
    }
    process->done.surveyed += most;
    take_samples(round);
}

// Returns how many threads to read in a round: all of a small process. Those of a large one are
// read in turn, each some times a second up to READS_A_SECOND in all; one that begins to run in a
// larger process is found by its shortfall. A survey that begins is to meet all of them soon.
static size_t cold_share(const struct round *round, const struct watched *process)
{
    bool first = round->survey.number && process->done.surveyed < process->count;
    double most = (first ? FIRST_A_SECOND : READS_A_SECOND) / round->rate;
    double wanted = (double)process->count * READS_EACH / round->rate;
    size_t share = (size_t)(wanted < most ? wanted : most);
    return share > READS_A_ROUND ? share : READS_A_ROUND;
}

static void visit_hot(struct round *round, int64_t now)
{
    size_t count = round->roster.hot_count;
    size_t start = count ? random_next(&round->random) % count : 0;
    for (size_t i = 0; i < count; i++)
        visit(round, round->roster.hot[(start + i) % count], now);
    take_samples(round);
}

// Threads that have not run lately are no longer looked at in every round.
static void drop_cold(struct roster *roster, int64_t now)
{
    size_t kept = 0;
    for (size_t i = 0; i < roster->hot_count; i++) {
        struct thread *thread = roster->hot[i];
        thread->hot = now < thread->hot_until || atomic_load(&thread->claim.by);
        if (thread->hot)
            roster->hot[kept++] = thread;
    }
    roster->hot_count = kept;
}

// The kernel adds up all threads of a process at each read of its clock.
static void read_clock(struct watched *process, int64_t now)
{
    uint64_t cpu_ns;
    int64_t before = clock_now();
    if (!watched_cpu(process, &cpu_ns))
        return;
    process->cpu.cost = clock_now() - before;
    process->cpu.read_at = now;
    process->cpu.shortfall += cpu_ns - process->cpu.last;
    process->cpu.shortfall -= process->cpu.read < process->cpu.shortfall ? process->cpu.read
                                                                : process->cpu.shortfall;
    process->cpu.last = cpu_ns;
    process->cpu.read = 0;
}

// The process used more than the threads read account for: some other thread began to run.
static void follow_shortfall(struct round *round, struct watched *process, int64_t now)
{
    if (now - process->cpu.read_at >= process->cpu.cost * CLOCK_SHARE)
        read_clock(process, now);
    int64_t wait = process->done.sweep_cost * SWEEP_SHARE;
    if (process->cpu.shortfall < SHORTFALL_NS ||
        now - process->done.swept_at < (wait > SWEEP_NS ? wait : SWEEP_NS))
        return;
    int64_t began = clock_now();
    process->done.swept_at = now;
    process->cpu.shortfall = 0;
    process->incomplete = true;
    visit_cold(round, process, process->count, now);
    process->done.sweep_cost = clock_now() - began;
}

// --- reports ---

// Returns whether a thread that has used no CPU time has wall time to report.
static bool has_slept(const struct round *round, const struct thread *thread)
{
    return round->survey.number && thread->noted_at != thread->report.at;
}

static void report_threads(struct round *round, struct watched *process)
{
    if (!report_known_process(round->control, process))
        return;
    for (size_t i = 0; i < process->count; i++) {
        struct thread *thread = process->threads[i];
        bool ran = thread->last.run_ns != thread->report.run;
        if (!thread->announced || (!ran && !has_slept(round, thread)))
            continue;
        collect_now_and_then(round);
        if (ran) // else it has not renamed itself
            report_thread_name(round->control, thread);
        if (!is_wanted(round, thread))
            continue;
        report_asleep(round->control, thread);
        report_thread_time(round->control, RECORD_THREAD_TIME, thread);
    }
}

static void report_times(struct round *round, struct watched *process, int64_t now)
{
    report_threads(round, process);
    // With a choice of threads most of its CPU time was spent by others that nobody asked for.
    if (round->threads || process->to_report)
        return;
    read_clock(process, now);
    if (round->children && !process->children.accounted)
        child_time_read(process);
    report_process_time(round->control, process);
}

static void report_ended_threads(struct round *round, struct watched *process)
{
    for (size_t i = 0; i < process->count; i++) {
        struct thread *thread = process->threads[i];
        if (!thread->announced || !(thread->gone || process->gone))
            continue;
        if (process->gone && thread->noted_at < process->done.alive_at)
            thread->noted_at = process->done.alive_at; // as far as is known it slept up to then
        if (is_wanted(round, thread)) {
            report_asleep(round->control, thread);
            report_thread_time(round->control, RECORD_THREAD_END, thread);
        }
        // CPU time that found no room in the ring cannot be told any more.
        process->cpu.ended += thread->report.run - thread->report.base_run;
        thread->announced = false;
    }
}

static void report_end(struct round *round, struct watched *process, int64_t now)
{
    report_ended_threads(round, process);
    if (!process->gone || process->end_reported)
        return;
    report_times(round, process, now);
    process->end_reported = report_process(round->control, RECORD_PROCESS_END, process);
    handover_forget(&round->control->handover, process->pid);
}

static void clear_up(struct round *round, int64_t now)
{
    bool any = false, ended = false;
    for (size_t i = 0; i < round->roster.count; i++) {
        any |= round->roster.processes[i]->has_gone_threads;
        ended |= round->roster.processes[i]->gone;
    }
    if (!any && !ended)
        return;
    if (round->children && ended)
        child_time_account(&round->roster);
    for (size_t i = 0; i < round->roster.count; i++)
        if (round->roster.processes[i]->gone || round->roster.processes[i]->has_gone_threads)
            report_end(round, round->roster.processes[i], now);
    roster_sweep(&round->roster);
}

static void list_candidates(struct round *round, int64_t now)
{
    const struct roster *roster = &round->roster;
    if (!roster_is_small(roster) && roster->hot_count == round->listed_hot &&
        now - round->listed_at < LIST_NS)
        return;
    round->listed_at = now;
    round->listed_hot = roster->hot_count;
    struct candidates *list = candidates_new(roster, round->threads);
    if (candidates_are_same(list, atomic_load(&round->samplers.orders.candidates)))
        free(list);
    else
        cpu_samplers_look_among(&round->samplers, list);
}

// --- rounds ---

static void find_children(struct round *round, int64_t now)
{
    if (!round->children || !family_look(&round->family, &round->roster, now))
        return;
    child_time_begin(&round->roster);
    reach_forget_clocks(&round->samplers);
}

// New ones are stopped before anything else is read: what they use meanwhile no sample takes.
static void meet_children(struct round *round, int64_t now)
{
    size_t before = round->roster.count;
    find_children(round, now);
    for (size_t i = before; i < round->roster.count; i++)
        visit_cold(round, round->roster.processes[i], READS_A_ROUND, now);
}

void round_begin(struct round *round)
{
    if (round->children)
        family_init(&round->family);
    find_children(round, clock_now());
    child_time_begin(&round->roster);
    for (size_t i = 0; i < round->roster.count; i++)
        report_known_process(round->control, round->roster.processes[i]);
    reach_check(&round->reach, &round->roster, &round->samplers, clock_now());
    list_candidates(round, clock_now());
}

// Samplers have seen that the process runs another image: no capture counts before that is told.
static void follow_exec(struct round *round, struct watched *process)
{
    if (!atomic_load(&process->replaced) || !watched_open_image(process))
        return;
    if (report_process(round->control, RECORD_EXEC, process)) {
        process->to_report = 0;
        atomic_store(&process->replaced, false);
    }
}

static void visit_process(struct round *round, struct watched *process, int64_t now)
{
    follow_exec(round, process);
    report_known_process(round->control, process);
    roster_scan(&round->roster, process, now);
    if (process->gone)
        return;
    visit_cold(round, process, cold_share(round, process), now);
    follow_shortfall(round, process, now);
    if (report_is_due(round->control, now))
        report_times(round, process, now);
}

void round_make(struct round *round, int64_t now)
{
    round->look.woke_at = now;
    round->look.until = now + COLLECT_NS;
    if (survey_advance(&round->survey, &round->roster, round->rate))
        for (size_t i = 0; i < round->roster.count; i++)
            report_threads(round, round->roster.processes[i]);
    meet_children(round, now);
    visit_hot(round, now);
    for (size_t i = 0; i < round->roster.count; i++)
        visit_process(round, round->roster.processes[i], now);
    clear_up(round, now);
    if (report_is_due(round->control, now)) { // what ended threads used has been told too
        report_second(round->control, now);
        drop_cold(&round->roster, now);
    }
    reach_check(&round->reach, &round->roster, &round->samplers, now);
    list_candidates(round, now);
    cpu_samplers_reclaim(&round->samplers, &round->roster.retired);
}

double round_rate(const struct round *round, int64_t now)
{
    bool idle = now >= atomic_load(&round->samplers.orders.active_until);
    if (round->survey.number || round->children || !round->reach.covered ||
        round->reach.has_realtime)
        return round->rate;
    double most = idle ? ROUNDS_IDLE : ROUNDS_MAX;
    return round->rate < most ? round->rate : most;
}

// A thread that still sleeps where it did is met once more, and one that no survey has met is read.
static void survey_last(struct round *round, struct thread *thread, const struct schedstat *stat,
                        bool moved)
{
    if (moved || !thread->blocked)
        thread->blocked = !thread_is_running(thread);
    if (thread->blocked)
        survey(round, thread, stat, !thread->asleep.known);
}

// Where thousands were not met before, the main process has to keep up with what comes at once.
static void await_room(const struct ring *ring, int64_t until)
{
    while (ring_is_half_full(ring) && clock_now() < until)
        tracer_sleep(clock_now() + NS_PER_MS);
}

static void read_last(struct round *round, struct thread *thread, int64_t until)
{
    struct schedstat stat;
    await_room(&round->control->ring, until);
    bool surveyed = round->survey.number;
    if ((!thread->announced && !surveyed) || thread_read(thread, &stat) != RC_OK)
        return;
    bool moved = stat.switches != thread->last.switches;
    thread_note(thread, &stat, &thread->process->cpu.read);
    if (surveyed)
        survey_last(round, thread, &stat, moved);
}

void round_report(struct round *round)
{
    int64_t until = clock_now() + ROOM_NS;
    if (round->children)
        child_time_account(&round->roster);
    survey_end(&round->survey);
    for (size_t i = 0; i < round->roster.count; i++) {
        struct watched *process = round->roster.processes[i];
        for (size_t k = 0; k < process->count; k++)
            read_last(round, process->threads[k], until);
        report_times(round, process, clock_now());
    }
    atomic_store(&round->control->at.reported, clock_now());
}

void round_tell(struct round *round)
{
    struct schedstat stat;
    for (size_t i = 0; i < round->roster.count; i++) {
        struct watched *process = round->roster.processes[i];
        for (size_t k = 0; k < process->count; k++)
            if (process->threads[k]->announced && thread_read(process->threads[k], &stat) == RC_OK)
                thread_note(process->threads[k], &stat, &process->cpu.read);
        report_threads(round, process);
        read_clock(process, clock_now());
        report_process_time(round->control, process);
    }
}

void round_finish(struct round *round)
{
    cpu_samplers_stop(&round->samplers);
    round_await(round, clock_now() + STOPS_DRAIN_NS);
    round_report(round);
}
