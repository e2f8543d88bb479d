// SPDX-License-Identifier: MIT
#include "sample/look.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "sample/report.h"
#include "target/memory.h"

#define SPIN_NS (20 * NS_PER_US)      // longer, and we would starve a thread queued on our CPU
#define ANSWERED_NS (200 * NS_PER_US) // who takes longer had not been running
#define DISPLACED_NS (20 * NS_PER_US) // our own switch onto the CPU, and the clock read after it
#define STACK_FIRST (64u << 10) // of a thread of which nothing is known yet
#define STACK_MAX (1u << 20)
#define ALTERNATE_MAX (1u << 20) // bytes of an alternate signal stack that are in use
#define LIVE_PCS_MAX 4096
#define ALLOWANCE_NS (NS_PER_S / 4) // time in which an unused stop budget may be spent at once

// The kernel's own results of a system call that a stop broke off; user code sees only EINTR.
#define RESULT_RESTARTSYS (-512)
#define RESULT_RESTARTNOHAND (-514)
#define RESULT_RESTART_RESTARTBLOCK (-516)

struct held {
    struct thread *thread;
    struct tracer_hold hold;
    struct user_regs_struct regs;
    int64_t since; // CLOCK_MONOTONIC ns
};

// Calls that give EINTR to their caller after a stop without any signal. Of others EINTR is
// genuine.
static bool fails_when_stopped(long number)
{
    static const long calls[] = {
        SYS_epoll_wait, SYS_epoll_pwait, SYS_epoll_pwait2, SYS_semop,    SYS_semtimedop,
        SYS_rt_sigtimedwait, SYS_select, SYS_recvfrom,     SYS_recvmsg,  SYS_accept,
        SYS_accept4,    SYS_connect,     SYS_sendto,       SYS_sendmsg,  SYS_io_getevents,
        SYS_io_uring_enter,
    };
    for (size_t i = 0; i < ARRAY_LENGTH(calls); i++)
        if (calls[i] == number)
            return true;
    return false;
}

static bool in_syscall(const struct held *held)
{
    return (long)held->regs.orig_rax >= 0;
}

// Whether the system call was asleep when the stop came: the thread is on its way back into it.
static bool was_asleep(const struct held *held)
{
    long result = (long)held->regs.rax;
    return result == -EINTR || (result <= RESULT_RESTARTSYS && result >= RESULT_RESTARTNOHAND) ||
           result == RESULT_RESTART_RESTARTBLOCK;
}

// It blocked between our check and our stop, so the call would fail for our sake: let the kernel
// restart it unless a real signal comes. Likewise a call that would go on through restart_syscall,
// which a seccomp filter may punish by death. Its timeout begins again: it is microseconds old.
static void repair(struct look *look, const struct held *held)
{
    long result = (long)held->regs.rax;
    bool fails = result == -EINTR && fails_when_stopped((long)held->regs.orig_rax);
    if (!in_syscall(held) || (!fails && result != RESULT_RESTART_RESTARTBLOCK))
        return;
    tracer_set_result(&held->hold, RESULT_RESTARTNOHAND);
    if (fails)
        atomic_fetch_add(&look->control->repaired, 1);
}

// A sample stands for a thread that was on a CPU when its round began. Not so one that waited for
// its turn, woken or preempted: it would count the longer it waits. One that was displaced since
// then does: mostly by ourselves.
static bool was_on_cpu(const struct held *held)
{
    struct schedstat now;
    const struct thread *thread = held->thread;
    if (thread_read(held->thread, &now) != RC_OK)
        return false;
    if (now.switches == thread->at_request.switches)
        return true;
    if (in_syscall(held) && was_asleep(held))
        return false;
    int64_t queued_since = clock_now() - (int64_t)(now.wait_ns - thread->at_request.wait_ns);
    return queued_since >= thread->asked_round - DISPLACED_NS;
}

static uint32_t stack_wanted(const struct look *look, const struct thread *thread)
{
    uint32_t hint = atomic_load_explicit(
        &look->control->stack_hint[thread->number % STACK_HINTS], memory_order_relaxed);
    return !hint ? STACK_FIRST : hint < STACK_MAX ? hint : STACK_MAX;
}

static void copy_stack(const struct held *held, struct capture *capture, uint32_t wanted)
{
    capture->stack_asked = wanted;
    capture->stack_length =
        (uint32_t)memory_read_some(held->hold.tid, held->regs.rsp, capture->stack, wanted);
}

// Handlers on an alternate signal stack: the kernel puts their frame at the same place each time,
// and where that is is known from a capture that ended there. Costs nothing for other threads.
static uint64_t second_sp(const struct look *look, const struct held *held)
{
    uint64_t sp, at = atomic_load_explicit(
        &look->control->second_at[held->thread->number % STACK_HINTS], memory_order_relaxed);
    bool on_alternate = at > held->regs.rsp && at - held->regs.rsp < ALTERNATE_MAX;
    return on_alternate && memory_read(held->hold.tid, at, &sp, sizeof sp) ? sp : 0;
}

static void copy_second(const struct held *held, struct capture *capture, uint64_t sp,
                        uint32_t wanted)
{
    capture->flags |= CAPTURE_SECOND;
    capture->second_sp = sp;
    capture->second_asked = wanted;
    capture->second_length = (uint32_t)memory_read_some(
        held->hold.tid, sp, capture->stack + capture->stack_length, wanted);
}

static void unwind_live(const struct look *look, const struct held *held, struct capture *capture)
{
    uint32_t end;
    size_t count =
        look->unwind_live(held->hold.tid, (uint64_t *)(void *)capture->stack, LIVE_PCS_MAX, &end);
    capture->stack_asked = capture->stack_length = (uint32_t)(count * sizeof(uint64_t));
    capture->flags |= CAPTURE_UNWOUND | end << CAPTURE_LIVE_END_SHIFT;
}

static void fill(const struct look *look, const struct held *held, struct capture *capture,
                 uint32_t wanted, uint64_t second)
{
    capture->time = held->since;
    capture->thread = held->thread->number;
    capture->flags = in_syscall(held) ? CAPTURE_IN_SYSCALL : 0;
    capture->syscall = (int32_t)held->regs.orig_rax;
    capture->regs = held->regs;
    if (look->unwind_live)
        unwind_live(look, held, capture);
    else
        copy_stack(held, capture, wanted);
    if (second)
        copy_second(held, capture, second, wanted);
}

static int64_t let_go(struct look *look, const struct held *held)
{
    struct thread *thread = held->thread;
    thread->interrupted = !tracer_release(&held->hold);
    int64_t lasted = clock_now() - held->since;
    thread->held_ns += lasted;
    thread->allowance -= lasted;
    histogram_add(&look->control->held, (uint64_t)lasted);
    atomic_fetch_add(&look->control->stops, 1);
    return lasted;
}

// Its CPU time is exact now: the stop made the kernel charge it.
static void settle_time(struct thread *thread)
{
    struct schedstat now;
    if (thread_read(thread, &now) == RC_OK)
        thread_note(thread, &now, &thread->process->read_ns);
}

static void commit(struct look *look, struct thread *thread, struct record_capture *record)
{
    if (!watched_same_image(thread->process)) { // taken of the old image or the new one?
        atomic_fetch_add(&look->control->failed, 1);
        thread->process->untold = RECORD_EXEC;
        return;
    }
    bool all_used = record->capture.stack_length == record->capture.stack_asked;
    uint32_t second =
        record->capture.flags & CAPTURE_SECOND ? record->capture.second_length : 0;
    ring_commit(&look->control->ring, &record->record, RECORD_CAPTURE,
                sizeof *record + record->capture.stack_length + second);
    // How much of a stack this thread needs is to be known before its next sample.
    if (all_used && record->capture.stack_asked >= STACK_FIRST)
        eventfd_write(look->control->wake_fd, 1);
}

static void sample(struct look *look, struct held *held)
{
    struct thread *thread = held->thread;
    struct record_capture *record = NULL;
    uint32_t wanted = look->unwind_live ? LIVE_PCS_MAX * sizeof(uint64_t)
                                        : stack_wanted(look, thread);
    enum rc rc = tracer_regs(&held->hold, &held->regs);
    bool on_cpu = rc == RC_OK && was_on_cpu(held);
    if (on_cpu) {
        uint64_t second = look->unwind_live ? 0 : second_sp(look, held);
        record = (struct record_capture *)ring_reserve(
            &look->control->ring, sizeof *record + wanted + (second ? wanted : 0));
        if (record)
            fill(look, held, &record->capture, wanted, second);
    }
    if (rc == RC_OK)
        repair(look, held);
    int64_t lasted = let_go(look, held);
    settle_time(thread);
    if (rc == RC_FORMAT)
        thread->skipped = true;
    if (rc != RC_OK)
        atomic_fetch_add(&look->control->failed, 1);
    else if (!on_cpu)
        atomic_fetch_add(&look->control->queued, 1);
    else if (!record)
        atomic_fetch_add(&look->control->dropped, 1);
    else {
        record->capture.held_ns = (uint32_t)lasted;
        commit(look, thread, record);
    }
}

// The watchdog ends us when this stays unrenewed while a thread may be held.
static void sign_of_life(struct look *look, pid_t tid)
{
    atomic_store(&look->control->busy_with, tid);
    atomic_store(&look->control->busy_since, clock_now());
}

// The budget fills with time and empties by holds. Below half of it, samples are left out at
// random: a pause after each stop would always miss what the thread does then.
static bool may_hold(const struct look *look, struct thread *thread, int64_t now, double chance)
{
    int64_t elapsed = now - thread->allowed_at;
    int64_t most = (int64_t)(look->max_stop * ALLOWANCE_NS);
    if (elapsed > ALLOWANCE_NS)
        elapsed = ALLOWANCE_NS;
    thread->allowance += (int64_t)(look->max_stop * (double)elapsed);
    if (thread->allowance > most)
        thread->allowance = most;
    thread->allowed_at = now;
    return (double)thread->allowance * 2 >= chance * (double)most;
}

// After an exec by a thread that was not the first, the thread goes by the number of its process,
// and is still ours. The thread that had this number before is gone.
static void follow_exec(struct thread *thread)
{
    pid_t pid = thread->process->pid;
    thread->interrupted = thread->tid != pid && tracer_interrupt(pid);
    thread->tid = pid;
}

// Looks after an interrupted thread, which may have been stopped since then.
static void deal_with(struct look *look, struct thread *thread, int64_t spin_ns, int64_t since)
{
    struct held held = {.thread = thread, .since = since};
    sign_of_life(look, thread->tid);
    switch (tracer_wait(thread->tid, spin_ns, &held.hold)) {
    case TRACER_STOPPED:
        if (thread->gone)
            let_go(look, &held);
        else
            sample(look, &held);
        break;
    case TRACER_GONE:
        thread_end(thread);
        follow_exec(thread);
        break;
    case TRACER_RUNNING:
        break;
    }
}

static void rest(struct look *look)
{
    if (!look->interrupted_count)
        atomic_store(&look->control->busy_since, 0);
}

void look_at(struct look *look, struct thread *thread, double chance)
{
    int64_t now = clock_now();
    if (!may_hold(look, thread, now, chance)) {
        atomic_store(&look->control->rate_lowered, 1);
        return;
    }
    // Too many, gone, or somebody else traces it just now.
    if (look->interrupted_count == INTERRUPTED_MAX || tracer_seize(thread->tid) != RC_OK) {
        atomic_fetch_add(&look->control->failed, 1);
        return;
    }
    thread->asked_round = look->round_began;
    thread->asked_at = clock_now();
    thread->interrupted = true;
    sign_of_life(look, thread->tid);
    tracer_interrupt(thread->tid); // not ours any more: the wait will tell
    deal_with(look, thread, SPIN_NS, thread->asked_at);
    if (thread->interrupted)
        look->interrupted[look->interrupted_count++] = thread;
    rest(look);
}

void look_collect(struct look *look, int64_t since)
{
    size_t kept = 0;
    for (size_t i = 0; i < look->interrupted_count; i++) {
        struct thread *thread = look->interrupted[i];
        bool prompt = since - thread->asked_at < ANSWERED_NS;
        deal_with(look, thread, 0, prompt ? thread->asked_at : since);
        if (thread->interrupted)
            look->interrupted[kept++] = thread;
    }
    look->interrupted_count = kept;
    rest(look);
}
