// SPDX-License-Identifier: MIT
#include "sample/announce.h"

#include "sample/report.h"

#define HANGS_TOLERATED 1 // of samplers, on one thread

bool announce_process(struct control *control, struct watched *process)
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

bool announce_thread(struct control *control, const struct thread_filter *threads,
                     struct thread *thread)
{
    if (!announce_process(control, thread->process))
        return false;
    if (!thread->announced)
        announce(control, thread);
    return thread->announced && !thread->skipped && thread_filter_matches(threads, thread->comm);
}
