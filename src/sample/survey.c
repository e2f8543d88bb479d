// SPDX-License-Identifier: MIT
#include "sample/survey.h"

#include "base/clock.h"
#include "sample/report.h"

#define COPIES_A_SECOND 500 // of threads that move: with unwinding, 2 % of a CPU

// Threads that slept when they were read last, which may be long ago, are taken to sleep still:
// what is counted from now on begins now.
static void begin(struct roster *roster)
{
    int64_t now = clock_now();
    for (size_t i = 0; i < roster->count; i++) {
        struct watched *process = roster->processes[i];
        process->done.surveyed = 0;
        for (size_t k = 0; k < process->count; k++) {
            struct thread *thread = process->threads[k];
            bool told = thread->known && thread->last.run_ns == thread->report.run;
            thread->asleep.known = false;
            thread->asleep.times = 0;
            thread->report.at = told ? now : 0;
            if (told)
                thread->report.wait = thread->last.wait_ns;
        }
    }
}

bool survey_advance(struct survey *survey, struct roster *roster, double rate)
{
    int idle = atomic_load(&roster->control->idle);
    bool begins = idle && idle != survey->idle;
    survey->now = false;
    if (idle != survey->idle) {
        *survey = (struct survey){.idle = idle, .later = survey->later};
        if (survey->later) // otherwise all threads begin now
            begin(roster);
    }
    survey->later = true;
    if (!idle || (survey->number && survey->rounds_left-- > 0))
        return begins;
    survey->now = true;
    survey->number++;
    survey->rounds_left = (uint32_t)(rate * (double)roster->hot_count / COPIES_A_SECOND);
    return begins;
}

void survey_end(struct survey *survey)
{
    survey->now = false;
    survey->number += survey->number > 0;
}

void survey_visit(struct survey *survey, struct look *look, struct thread *thread,
                 const struct schedstat *stat, bool rarely)
{
    uint32_t version = stack_hints_version(&look->control->stacks, thread->number);
    bool same = thread->asleep.switches == stat->switches && thread->asleep.plan == version;
    if (thread->asleep.known && same) {
        thread->asleep.times += survey->number - thread->asleep.survey;
        thread->asleep.survey = survey->number;
        return;
    }
    // Nobody knows what the thread did in earlier surveys if it was not read then.
    bool seen = thread->asleep.known && thread->asleep.survey == survey->number;
    if ((!survey->now && !rarely) || seen || ring_is_half_full(&look->control->ring))
        return; // it will sleep there later too
    bool sleeps_on = thread->asleep.known && thread->asleep.switches == stat->switches;
    report_asleep(look->control, thread);
    thread->asleep.plan = version;
    thread->asleep.known =
        look_in_place(look, thread, stat, sleeps_on ? CAPTURE_SAME_WAIT : 0);
    thread->asleep.switches = stat->switches;
    thread->asleep.survey = survey->number;
}
