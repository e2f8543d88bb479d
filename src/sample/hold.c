// SPDX-License-Identifier: MIT
#include "sample/hold.h"

#include "base/clock.h"
#include "sample/restart.h"

void hold_sign_of_life(struct sign_of_life *life, pid_t tid)
{
    atomic_store(&life->busy_with, tid);
    atomic_store(&life->busy_since, clock_now());
}

void hold_examine(struct hold *hold, struct control *control, bool filtered)
{
    hold->examined = tracer_regs(&hold->stop, &hold->regs);
    hold->stopped_at = clock_now();
    if (hold->examined == RC_OK && restart_repair(&hold->stop, &hold->regs, filtered))
        control_count(control, COUNTER_REPAIRED, 1);
}

bool hold_was_queued(const struct hold *hold, const struct schedstat *before,
                     const struct schedstat *now, int64_t moment)
{
    return now->switches != before->switches &&
           hold->stopped_at - (int64_t)(now->wait_ns - before->wait_ns) < moment;
}

void hold_copy(const struct hold *hold, const struct stack_request *request,
               struct capture *capture)
{
    capture->time = hold->since;
    capture->flags = restart_in_syscall(&hold->regs) ? CAPTURE_IN_SYSCALL : 0;
    capture->syscall = (int32_t)registers_call(&hold->regs);
    capture->regs = hold->regs;
    capture->window_count = capture->lock_count = 0;
    if (request)
        stack_capture(hold->stop.tid, request, capture);
}

void hold_release(struct hold *hold, struct control *control, struct capture *capture)
{
    hold->released = tracer_release(&hold->stop);
    hold->released_at = clock_now();
    control_count(control, COUNTER_STOPS, 1);
    if (!capture)
        return;
    capture->held_ns = (uint32_t)(hold->released_at - hold->since);
    histogram_add(&control->held, (uint64_t)(hold->released_at - hold->since));
}

bool hold_undo(const struct tracer_hold *stop, struct control *control, bool filtered)
{
    struct hold hold = {.stop = *stop};
    hold_examine(&hold, control, filtered);
    return tracer_release(&hold.stop);
}
