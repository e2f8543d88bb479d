// SPDX-License-Identifier: MIT
#include "sample/report.h"

#include <string.h>
#include <sys/eventfd.h>

#include "base/clock.h"
#include "sample/child_time.h"

#define HANGS_TOLERATED 1 // of samplers, on one thread

// A report that finds no room is as lost as a capture; the CPU time in it goes into the next one.
static void *reserve(struct control *control, size_t length)
{
    struct record *record = ring_reserve(&control->ring, length);
    if (!record)
        control_count(control, COUNTER_DROPPED, 1);
    return record;
}

bool report_process(struct control *control, enum record_kind kind, struct watched *process)
{
    // Nothing may wait between reserve and commit: nobody reads what lies behind.
    uint64_t image = watched_image(process);
    if (kind == RECORD_EXEC && !image)
        return false; // exec is still at work: whose maps would be read is not known
    watched_name(process);
    struct record_process *report = reserve(control, sizeof *report);
    if (!report)
        return false;
    report->process = process->number;
    report->pid = process->pid;
    report->parent = process->born_watched ? process->children.parent : 0;
    report->image = image;
    memcpy(report->comm, process->comm, sizeof report->comm);
    ring_commit(&report->record, kind);
    atomic_store(&process->told_image, image);
    eventfd_write(control->wake_fd, 1); // the maps are to be read while they are true
    return true;
}

void report_thread_name(struct control *control, struct thread *thread)
{
    char comm[COMM_MAX];
    if (procfs_comm(thread->process->pid, thread->tid, comm) != RC_OK)
        memcpy(comm, thread->comm, sizeof comm);
    if (thread->announced && strcmp(comm, thread->comm) == 0)
        return;
    struct record_thread *report = reserve(control, sizeof *report);
    if (!report)
        return;
    memcpy(thread->comm, comm, sizeof comm);
    report->thread = thread->number;
    report->process = thread->process->number;
    report->tid = thread->tid;
    memcpy(report->comm, comm, sizeof comm);
    ring_commit(&report->record, RECORD_THREAD);
    thread->announced = true;
}

bool report_known_process(struct control *control, struct watched *process)
{
    if (process->to_report && report_process(control, process->to_report, process))
        process->to_report = 0;
    return !process->to_report;
}

static void announce(struct control *control, struct thread *thread)
{
    for (unsigned i = 0; i < control->hang_count; i++)
        if (control->hangs[i].tid == thread->tid && control->hangs[i].times > HANGS_TOLERATED)
            thread->skipped = true;
    report_thread_name(control, thread);
}

bool report_known_thread(struct control *control, const struct thread_filter *threads,
                         struct thread *thread)
{
    if (!report_known_process(control, thread->process))
        return false;
    if (!thread->announced)
        announce(control, thread);
    return thread->announced && !thread->skipped && thread_filter_matches(threads, thread->comm);
}

// Returns how long it is since the last report; 0: that is not known.
static uint64_t elapsed_of(const struct thread *thread)
{
    int64_t since = thread->report.at;
    return since && thread->noted_at > since ? (uint64_t)(thread->noted_at - since) : 0;
}

void report_thread_time(struct control *control, enum record_kind kind, struct thread *thread)
{
    struct record_thread_time *report =
        thread->announced ? reserve(control, sizeof *report) : NULL;
    if (!report)
        return;
    report->thread = thread->number;
    report->time = thread->noted_at;
    report->cpu_ns = thread->last.run_ns - thread->report.run;
    report->queued_ns = thread->last.wait_ns - thread->report.wait;
    report->elapsed_ns = elapsed_of(thread);
    report->held_ns = atomic_exchange(&thread->claim.cost_ns, 0);
    report->stops = atomic_exchange(&thread->claim.stops, 0);
    report->unsampled = atomic_load(&control->stop_nobody.is_so);
    ring_commit(&report->record, kind);
    thread->busy_ns = thread->last.run_ns - thread->report.run;
    thread->report.run = thread->last.run_ns;
    thread->report.wait = thread->last.wait_ns;
    thread->report.at = atomic_load(&control->idle) ? thread->noted_at : 0;
}

void report_asleep(struct control *control, struct thread *thread)
{
    if (!thread->asleep.times)
        return;
    struct record_asleep *report = reserve(control, sizeof *report);
    if (!report)
        return;
    report->thread = thread->number;
    report->times = thread->asleep.times;
    ring_commit(&report->record, RECORD_ASLEEP);
    thread->asleep.times = 0;
}

bool report_is_due(const struct control *control, int64_t now)
{
    return now - atomic_load(&control->at.second) >= NS_PER_S;
}

void report_second(struct control *control, int64_t now)
{
    int64_t last = atomic_load(&control->at.second), second = now - (now - last) % NS_PER_S;
    struct record_second *report = reserve(control, sizeof *report);
    if (!report)
        return; // then all that was told is told again in the next round
    report->time = second;
    ring_commit(&report->record, RECORD_SECOND);
    // If seconds have begun anew meanwhile, they have not ended.
    atomic_compare_exchange_strong(&control->at.second, &last, second);
}

static uint64_t cpu_of_announced(const struct watched *process)
{
    uint64_t cpu_ns = process->cpu.ended;
    for (size_t i = 0; i < process->count; i++) {
        const struct thread *thread = process->threads[i];
        if (thread->announced)
            cpu_ns += thread->last.run_ns - thread->report.base_run;
    }
    return cpu_ns;
}

void report_process_time(struct control *control, struct watched *process)
{
    struct record_process_time *report = reserve(control, sizeof *report);
    if (!report)
        return;
    report->process = process->number;
    report->time = clock_now();
    report->cpu_ns = process->cpu.last - process->cpu.base;
    report->threads_cpu_ns = cpu_of_announced(process);
    report->children_ns = child_time_unwatched(process);
    report->unsampled = atomic_load(&control->stop_nobody.is_so);
    ring_commit(&report->record, RECORD_PROCESS_TIME);
    handover_note(&control->handover, process->pid, process->cpu.last);
}
