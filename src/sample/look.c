// SPDX-License-Identifier: MIT
#include "sample/look.h"

#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "sample/report.h"
#include "sample/restart.h"
#include "target/memory.h"

// Nine of ten that run on another CPU answer within 7 us (measured in a virtual machine). Who waits
// for our own CPU cannot, as long as we spin.
#define SPIN_NS (12 * NS_PER_US)
#define ANSWERED_NS (200 * NS_PER_US) // who takes longer had not been running
#define DISPLACED_NS (20 * NS_PER_US) // our own switch onto the CPU, and the clock read after it
#define ROOT_MARGIN 128u // what the unwinder may look at above the root's frame
#define ALTERNATE_MAX (1u << 20) // bytes of an alternate signal stack that are in use
#define LIVE_PCS_MAX 4096
#define IN_PLACE_NS (500 * NS_PER_MS) // that a read of a sleeping thread may take, and more
#define ALLOWANCE_NS (NS_PER_S / 4) // time in which an unused stop budget may be spent at once

struct held {
    struct thread *thread;
    struct tracer_hold hold;
    struct user_regs_struct regs;
    int64_t since;      // CLOCK_MONOTONIC ns
    int64_t stopped_at; // at most: when its registers were read
};

static void repair(struct look *look, const struct held *held)
{
    if (restart_repair(&held->hold, &held->regs, true)) // a timeout is microseconds old
        atomic_fetch_add(&look->control->repaired, 1);
}

// A sample stands for a thread that was on a CPU when its round began. Not so one that waited for
// its turn, woken or preempted: it would count the longer it waits. One that was displaced since
// then does: mostly by ourselves. What is read after its release may know of one switch more, the
// one that the release led to: which had not to wait long.
static bool was_on_cpu(const struct held *held, const struct schedstat *now)
{
    const struct thread *thread = held->thread;
    if (now->switches == thread->at_request.switches)
        return true;
    if (restart_was_asleep(&held->regs))
        return false;
    int64_t queued_ns = (int64_t)(now->wait_ns - thread->at_request.wait_ns);
    return held->stopped_at - queued_ns >= thread->asked_round - DISPLACED_NS;
}

static uint64_t stack_root(const struct look *look, const struct thread *thread)
{
    return atomic_load_explicit(&look->control->stack_root[thread->number % STACK_HINTS],
                                memory_order_relaxed);
}

// Bytes from sp up to the root of the stack; where that is not known, or sp is not below it as
// usual, as many as were needed lately.
static uint32_t stack_wanted(const struct look *look, const struct thread *thread, uint64_t sp)
{
    const struct control *control = look->control;
    uint32_t slot = thread->number % STACK_HINTS;
    uint32_t hint = atomic_load_explicit(&control->stack_hint[slot], memory_order_relaxed);
    uint32_t reach = atomic_load_explicit(&control->stack_reach[slot], memory_order_relaxed);
    uint64_t root = stack_root(look, thread);
    if (!hint)
        hint = STACK_FIRST;
    if (root && root - sp < (hint > reach ? hint : reach))
        hint = (uint32_t)(root - sp) + ROOT_MARGIN;
    return hint < STACK_MAX ? hint : STACK_MAX;
}

static void copy_stack(const struct look *look, const struct held *held, struct capture *capture)
{
    uint64_t sp = held->regs.rsp;
    capture->stack_asked = stack_wanted(look, held->thread, sp);
    capture->stack_length = (uint32_t)memory_read_some(held->hold.tid, sp, capture->stack,
                                                       capture->stack_asked);
}

// Handlers on an alternate signal stack: the kernel puts their frame at the same place each time,
// and where that is is known from a capture that ended there. So is what a call on another stack
// leaves of the one that it came from. Costs nothing for other threads.
static uint64_t second_sp(const struct look *look, const struct held *held)
{
    const struct control *control = look->control;
    uint32_t slot = held->thread->number % STACK_HINTS;
    uint64_t sp, at = atomic_load_explicit(&control->second_at[slot], memory_order_relaxed);
    int32_t hop = atomic_load_explicit(&control->second_hop[slot], memory_order_relaxed);
    bool on_other = at > held->regs.rsp && at - held->regs.rsp < ALTERNATE_MAX;
    if (!on_other || !memory_read(held->hold.tid, at, &sp, sizeof sp))
        return 0;
    return !hop || memory_read(held->hold.tid, sp + (uint64_t)(int64_t)hop, &sp, sizeof sp) ? sp
                                                                                          : 0;
}

static void copy_second(const struct look *look, const struct held *held, struct capture *capture,
                        uint64_t sp)
{
    capture->flags |= CAPTURE_SECOND;
    capture->second_sp = sp;
    capture->second_asked = stack_wanted(look, held->thread, sp);
    capture->second_length = (uint32_t)memory_read_some(
        held->hold.tid, sp, capture->stack + capture->stack_length, capture->second_asked);
}

static void unwind_live(const struct look *look, const struct held *held, struct capture *capture)
{
    uint32_t end;
    size_t count =
        look->unwind_live(held->hold.tid, (uint64_t *)(void *)capture->stack, LIVE_PCS_MAX, &end);
    capture->stack_asked = capture->stack_length = (uint32_t)(count * sizeof(uint64_t));
    capture->flags |= CAPTURE_UNWOUND | end << CAPTURE_LIVE_END_SHIFT;
}

static void fill(const struct look *look, const struct held *held)
{
    struct capture *capture = look->copy;
    uint64_t second = look->unwind_live ? 0 : second_sp(look, held);
    capture->time = held->since;
    capture->thread = held->thread->number;
    capture->flags = restart_in_syscall(&held->regs) ? CAPTURE_IN_SYSCALL : 0;
    capture->syscall = (int32_t)held->regs.orig_rax;
    capture->regs = held->regs;
    if (look->unwind_live)
        unwind_live(look, held, capture);
    else
        copy_stack(look, held, capture);
    if (second)
        copy_second(look, held, capture, second);
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

static size_t stack_bytes(const struct capture *capture)
{
    uint32_t second = capture->flags & CAPTURE_SECOND ? capture->second_length : 0;
    return (size_t)capture->stack_length + second;
}

// A copy that counts goes into the ring; not while the thread is held, for the ring's memory is in
// nobody's cache. RC_LIMIT: there is no room. RC_GONE: the process runs another image by now, so
// that of which one the copy was taken nobody knows.
static enum rc put(struct look *look, struct thread *thread)
{
    size_t stacks = stack_bytes(look->copy);
    struct record_capture *record = (struct record_capture *)ring_reserve(
        &look->control->ring, sizeof *record + stacks);
    if (!record)
        return RC_LIMIT;
    memcpy(&record->capture, look->copy, sizeof *look->copy + stacks);
    if (!watched_same_image(thread->process)) {
        thread->process->untold = RECORD_EXEC;
        return RC_GONE;
    }
    bool all_used = record->capture.stack_length == record->capture.stack_asked &&
                    !stack_root(look, thread);
    ring_commit(&look->control->ring, &record->record, RECORD_CAPTURE, sizeof *record + stacks);
    // How much of a stack this thread needs is to be known before its next sample.
    if (all_used && record->capture.stack_asked >= STACK_FIRST)
        eventfd_write(look->control->wake_fd, 1);
    return RC_OK;
}

static void keep(struct look *look, struct thread *thread)
{
    enum rc rc = put(look, thread);
    if (rc != RC_OK)
        atomic_fetch_add(rc == RC_LIMIT ? &look->control->dropped : &look->control->failed, 1);
}

// A woken thread is still inside its system call: whether it had run is to be known before it goes
// on. Of all others the read after their release tells it as well, and costs them nothing.
static bool may_count(const struct held *held)
{
    struct schedstat now;
    return !restart_in_syscall(&held->regs) ||
           (thread_read(held->thread, &now) == RC_OK && was_on_cpu(held, &now));
}

// Its CPU time is exact now: the stop made the kernel charge it. One that is gone by now ran.
static bool settle(struct held *held)
{
    struct schedstat now;
    struct thread *thread = held->thread;
    if (thread_read(thread, &now) != RC_OK)
        return true;
    thread_note(thread, &now, &thread->process->read_ns);
    return restart_in_syscall(&held->regs) || was_on_cpu(held, &now);
}

static void sample(struct look *look, struct held *held)
{
    struct thread *thread = held->thread;
    enum rc rc = tracer_regs(&held->hold, &held->regs);
    held->stopped_at = clock_now();
    if (rc == RC_OK) // first of all: reading a stack may hang until the watchdog ends us
        repair(look, held);
    bool counts = rc == RC_OK && may_count(held);
    if (counts)
        fill(look, held);
    look->copy->held_ns = (uint32_t)let_go(look, held);
    counts = settle(held) && counts;
    if (rc == RC_FORMAT)
        thread->skipped = true;
    if (rc != RC_OK)
        atomic_fetch_add(&look->control->failed, 1);
    else if (!counts)
        atomic_fetch_add(&look->control->queued, 1);
    else
        keep(look, thread);
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
        if (thread->gone) {
            if (tracer_regs(&held.hold, &held.regs) == RC_OK)
                repair(look, &held);
            let_go(look, &held);
        }
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

void look_init(struct look *look, struct roster *roster, struct control *control)
{
    size_t size = sizeof *look->copy + 2 * STACK_MAX; // the second one is rarely there
    look->roster = roster;
    look->control = control;
    look->copy = xmalloc(size);
    memset(look->copy, 0, size); // no page of it is to be missing while a thread is held
}

void look_at(struct look *look, struct thread *thread, double chance)
{
    int64_t now = clock_now();
    if (!may_hold(look, thread, now, chance)) {
        atomic_store(&look->control->rate_lowered, 1);
        return;
    }
    // Too many, gone, or somebody else traces it just now.
    if (look->interrupted_count == INTERRUPTED_MAX ||
        tracer_seize(thread->tid, look->interrupted_count > 0) != RC_OK) {
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

// Where that is not for us to know, the copy is empty.
static bool fill_in_place(const struct look *look, struct thread *thread)
{
    struct capture *capture = look->copy;
    struct proc_syscall call = {.number = -1};
    bool hidden = thread->process->no_syscall;
    if (!hidden && (!thread_call(thread, &call) || !call.pc)) // a zombie has no pc
        return false;
    *capture = (struct capture){
        .time = clock_now(),
        .thread = thread->number,
        .flags = CAPTURE_IN_PLACE | (call.number >= 0 ? CAPTURE_IN_SYSCALL : 0),
        .syscall = (int32_t)call.number,
        .stack_asked = hidden ? 0 : stack_wanted(look, thread, call.sp),
        .regs = {.rsp = call.sp, .rip = call.pc},
    };
    capture->stack_length = (uint32_t)memory_read_some(thread->tid, call.sp, capture->stack,
                                                       capture->stack_asked);
    return true;
}

bool look_in_place(struct look *look, struct thread *thread, const struct schedstat *before)
{
    struct schedstat after;
    sign_of_life(look, thread->tid); // memory may come from a page that somebody has to deliver
    if (!look->interrupted_count)    // nobody is held meanwhile: the watchdog may be more patient
        atomic_store(&look->control->busy_since, clock_now() + IN_PLACE_NS);
    bool filled = fill_in_place(look, thread);
    rest(look);
    return filled && thread_read(thread, &after) == RC_OK &&
           after.switches == before->switches && put(look, thread) == RC_OK;
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
