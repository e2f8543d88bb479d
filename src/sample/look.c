// SPDX-License-Identifier: MIT
#include "sample/look.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "process/memory.h"
#include "sample/refusal.h"
#include "sample/report.h"
#include "sample/restart.h"
#include "sample/stack_capture.h"
#include "sample/watched.h"

#define DISPLACED_NS (20 * NS_PER_US) // our own switch onto the CPU, and the clock read after it
#define RAN_ON_NS (5 * NS_PER_US)     // the same, where it may not be taken for less
#define LIVE_PCS_MAX 4096
#define IN_PLACE_NS (500 * NS_PER_MS) // that a read of a sleeping thread may take, and more
#define ALLOWANCE_NS (NS_PER_S / 4) // time in which an unused stop budget may be spent at once
#define LOCKED_NS (100 * NS_PER_US)   // that memory was locked for, if it can be read so late
#define SIGN_NS (10 * NS_PER_MS)    // a sign of life while a thread is asked to stop
#define ROOM_LEAST (128u << 10)     // bytes for stacks: more than nearly all threads ever need
#define PAGE 4096u

struct held {
    struct thread *thread;
    struct tracer_hold hold;
    struct user_regs_struct regs;
    struct schedstat now; // read while it is held
    bool timed, released; // `now` could be read; it is not ours any more
    int64_t since;        // CLOCK_MONOTONIC ns
    int64_t stopped_at;   // at most: when its registers were read
    int64_t released_at;
};

static void repair(struct look *look, const struct held *held)
{
    if (restart_repair(&held->hold, &held->regs, true)) // a timeout is microseconds old
        control_count(look->control, COUNTER_REPAIRED, 1);
}

static int64_t queued_ns(const struct held *held)
{
    return (int64_t)(held->now.wait_ns - held->thread->claim.before.wait_ns);
}

// A sample stands for a thread that was on a CPU at its moment. Not so one that waited for its
// turn, woken or preempted: it would count the longer it waits. One that was displaced since then
// does: mostly by ourselves.
static bool was_on_cpu(const struct look *look, const struct held *held)
{
    const struct claim *claim = &held->thread->claim;
    if (!held->timed || held->now.switches == claim->before.switches)
        return true;
    if (restart_was_asleep(&held->regs)) // displaced in the kernel, it got as far as its sleep
        return !look->elsewhere;
    return held->stopped_at - queued_ns(held) >= claim->moment - DISPLACED_NS;
}

// It ran on after its moment and before it was asked to stop: on another CPU.
static bool has_skidded(const struct look *look, const struct held *held)
{
    const struct claim *claim = &held->thread->claim;
    return look->elsewhere || !held->timed || held->now.switches == claim->before.switches ||
           claim->moment + queued_ns(held) < claim->asked_at - RAN_ON_NS;
}

static void copy_stack(const struct look *look, const struct thread *thread,
                       struct capture *capture)
{
    struct stack_plan plan;
    const struct stack_pages pages = {.fd = thread->process->pages_fd};
    stack_hints_get(&look->control->stacks, thread->number, &plan);
    stack_capture(thread->tid, &pages, &plan, capture, look->copy_warm - sizeof *capture);
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
    capture->time = held->since;
    capture->thread = held->thread->number;
    capture->flags = restart_in_syscall(&held->regs) ? CAPTURE_IN_SYSCALL : 0;
    capture->syscall = (int32_t)held->regs.orig_rax;
    capture->regs = held->regs;
    capture->window_count = 0;
    if (look->unwind_live)
        unwind_live(look, held, capture);
    else
        copy_stack(look, held->thread, capture);
}

// The process runs another image since, or began to: of which one the copy was taken nobody knows,
// and the main process must hear of the new one first.
static bool image_is_told(struct watched *process)
{
    if (!atomic_load(&process->replaced) && !watched_same_image(process) &&
        !watched_has_ended(process))
        atomic_store(&process->replaced, true);
    return !atomic_load(&process->replaced);
}

// A copy that counts goes into the ring; not while the thread is held, for the ring's memory is in
// nobody's cache. RC_LIMIT: there is no room. RC_GONE: it is of an image that is gone.
static enum rc put(struct look *look, struct thread *thread)
{
    size_t stacks = stack_capture_bytes(look->copy);
    if (!image_is_told(thread->process))
        return RC_GONE;
    struct record_capture *record = (struct record_capture *)ring_reserve(
        &look->control->ring, sizeof *record + stacks);
    if (!record)
        return RC_LIMIT;
    memcpy(&record->capture, look->copy, sizeof *look->copy + stacks);
    bool soon = !stack_hints_learnt(&look->control->stacks, thread->number);
    ring_commit(&record->record, RECORD_CAPTURE);
    // How much of a stack this thread needs is to be known before its next sample.
    soon |= look->copy->time < atomic_load_explicit(&look->control->prompt_until,
                                                    memory_order_relaxed);
    if (soon)
        eventfd_write(look->control->wake_fd, 1);
    return RC_OK;
}

static void keep(struct look *look, struct thread *thread)
{
    enum rc rc = put(look, thread);
    if (rc != RC_OK)
        control_count(look->control, rc == RC_LIMIT ? COUNTER_DROPPED : COUNTER_FAILED, 1);
}

// --- what looking costs the thread ---

// The budget fills with time and empties by looks. Below half of it, samples are left out at
// random: a pause after each stop would always miss what the thread does then.
static bool may_look(const struct look *look, struct claim *claim, int64_t now, double chance)
{
    int64_t elapsed = now - claim->allowed_at;
    int64_t most = (int64_t)(look->max_stop * ALLOWANCE_NS);
    if (elapsed > ALLOWANCE_NS)
        elapsed = ALLOWANCE_NS;
    claim->allowance += (int64_t)(look->max_stop * (double)elapsed);
    if (claim->allowance > most)
        claim->allowance = most;
    claim->allowed_at = now;
    return (double)claim->allowance * 2 >= chance * (double)most;
}

static void charge(struct look *look, struct claim *claim, int64_t cost_ns)
{
    look->cost_ns += cost_ns;
    claim->allowance -= cost_ns;
    atomic_fetch_add(&claim->cost_ns, cost_ns);
}

// Looking for it and what comes after its release cost the thread its CPU.
static void charge_displaced(struct look *look, struct claim *claim, int64_t cost_ns)
{
    if (look->elsewhere || cost_ns < 0)
        return;
    histogram_add(&look->control->displaced, (uint64_t)cost_ns);
    charge(look, claim, cost_ns);
}

// --- one thread ---

static void sign_of_life(struct look *look, pid_t tid)
{
    atomic_store(&look->life->busy_with, tid);
    atomic_store(&look->life->busy_since, clock_now());
}

static void rest(struct look *look)
{
    if (!look->pending_count)
        atomic_store(&look->life->busy_since, 0);
}

// It was waiting for its turn until then, or in the middle of a system call: who waits or runs is
// not held. How long it ran is known to the nanosecond only if it has come off this CPU twice.
static void date_hold(const struct look *look, struct held *held)
{
    const struct claim *claim = &held->thread->claim;
    int64_t came_off = claim->moment + (held->timed ? queued_ns(held) : 0);
    if (held->timed && !look->elsewhere)
        came_off += (int64_t)(held->now.run_ns - claim->before.run_ns);
    held->since = came_off > claim->asked_at ? came_off : claim->asked_at;
    if (held->since > held->stopped_at) // to the precision with which its moment is known
        held->since = held->stopped_at;
}

static void let_go(struct look *look, struct held *held)
{
    struct claim *claim = &held->thread->claim;
    held->released = tracer_release(&held->hold);
    held->released_at = clock_now();
    claim->exact = held->now;
    claim->exact_at = held->timed ? held->released_at : 0;
    int64_t lasted = held->released_at - held->since;
    look->copy->held_ns = (uint32_t)lasted;
    charge(look, claim, lasted);
    histogram_add(&look->control->held, (uint64_t)lasted);
    control_count(look->control, COUNTER_STOPS, 1);
}

// First of all the repair: reading a stack may hang until the watchdog ends us.
static enum rc examine(struct look *look, struct held *held)
{
    enum rc rc = tracer_regs(&held->hold, &held->regs);
    held->stopped_at = clock_now();
    if (rc == RC_OK)
        repair(look, held);
    held->timed = claim_read(held->thread, &held->now);
    date_hold(look, held);
    return rc;
}

static void sample(struct look *look, struct held *held)
{
    struct thread *thread = held->thread;
    enum rc rc = examine(look, held);
    bool counts = rc == RC_OK && was_on_cpu(look, held) && !thread->gone;
    if (counts)
        fill(look, held);
    let_go(look, held);
    if (rc == RC_FORMAT)
        atomic_store(&thread->skipped, true);
    if (rc != RC_OK)
        control_count(look->control, COUNTER_FAILED, 1);
    else if (!counts)
        control_count(look->control, COUNTER_QUEUED, !thread->gone);
    else {
        control_count(look->control, COUNTER_ELSEWHERE, has_skidded(look, held));
        keep(look, thread);
    }
}

static void finish(struct look *look, size_t place)
{
    struct thread *thread = look->pending[place];
    look->pending[place] = look->pending[--look->pending_count];
    claim_release(thread);
    rest(look);
}

// After an exec by a thread that was not the first, the thread goes by the number of its process,
// and is still ours. The thread that had this number before is gone.
static size_t find_pending(const struct look *look, pid_t tid)
{
    size_t place = 0;
    while (place < look->pending_count && look->pending[place]->tid != tid)
        place++;
    if (place < look->pending_count)
        return place;
    for (place = 0; place < look->pending_count; place++)
        if (look->pending[place]->process->pid == tid)
            break;
    return place;
}

static void deal_with_stopped(struct look *look, const struct tracer_hold *hold)
{
    size_t place = find_pending(look, hold->tid);
    struct held held = {.hold = *hold};
    if (place == look->pending_count) { // not asked for, as far as we know
        if (tracer_regs(hold, &held.regs) == RC_OK)
            repair(look, &held);
        tracer_release(hold);
        return;
    }
    held.thread = look->pending[place];
    sign_of_life(look, hold->tid);
    sample(look, &held);
    struct claim *claim = &held.thread->claim;
    if (!held.released) // it was killed: its end will be seen
        return;
    charge_displaced(look, claim, claim->asked_at - claim->moment + clock_now() - held.released_at);
    finish(look, place);
}

static void deal_with_gone(struct look *look, const struct tracer_hold *hold)
{
    size_t place = find_pending(look, hold->tid);
    if (!hold->tid) // none is ours
        place = 0;
    if (place == look->pending_count)
        return;
    if (hold->tid)
        thread_end(look->pending[place]);
    finish(look, place);
}

void look_init(struct look *look, struct control *control, int number)
{
    size_t size = sizeof *look->copy + STACK_ROOM;
    look->control = control;
    look->number = number;
    look->life = &control->lives[number];
    look->copy = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (look->copy == MAP_FAILED) {
        atomic_store(&control->counts[COUNTER_LIMIT], ENOMEM);
        _exit(1);
    }
    look->copy_warm = 0;
}

void look_fini(struct look *look)
{
    // The kernel lets go whom this thread has asked to stop, when the thread ends.
    atomic_store(&look->life->busy_since, 0);
    munmap(look->copy, sizeof *look->copy + STACK_ROOM);
}

// No page of the copy is to be missing while the thread is held.
static void warm(struct look *look, const struct thread *thread)
{
    struct stack_plan plan;
    stack_hints_get(&look->control->stacks, thread->number, &plan);
    size_t wanted = stack_plan_room(&plan);
    wanted = sizeof *look->copy + (wanted < ROOM_LEAST ? ROOM_LEAST : wanted);
    for (; look->copy_warm < wanted; look->copy_warm += PAGE)
        ((volatile unsigned char *)look->copy)[look->copy_warm] = 0;
}

static void guard(struct look *look, int64_t until)
{
    if (until != look->guard_at)
        tracer_guard(until);
    look->guard_at = until;
}

static bool ask(struct look *look, struct thread *thread)
{
    struct claim *claim = &thread->claim;
    int64_t patience = clock_now() + SIGN_NS;
    warm(look, thread);
    sign_of_life(look, thread->tid);
    guard(look, patience < look->until ? patience : look->until);
    enum rc rc = tracer_attach(thread->tid);
    claim->asked_at = clock_now();
    if (rc == RC_DENIED)
        refusal_count(look->control, thread);
    if (rc != RC_OK)
        return false;
    if (look->elsewhere)
        claim->moment = look->woke_at;
    return true;
}

bool look_ask(struct look *look, struct thread *thread, double chance)
{
    bool may = may_look(look, &thread->claim, clock_now(), chance);
    look->refused = !may;
    if (!may)
        atomic_store(&look->control->counts[COUNTER_RATE_LOWERED], 1);
    if (may && look->pending_count < PENDING_MAX && ask(look, thread)) {
        look->pending[look->pending_count++] = thread;
        return true;
    }
    charge_displaced(look, &thread->claim, clock_now() - look->woke_at);
    claim_release(thread);
    rest(look);
    return false;
}

static bool read_stat(const struct look *look, struct thread *thread, struct schedstat *stat)
{
    return look->elsewhere ? thread_read(thread, stat) == RC_OK : claim_read(thread, stat);
}

static bool read_call(const struct look *look, struct thread *thread, struct proc_syscall *call)
{
    return look->elsewhere ? thread_call(thread, call) : claim_call(thread, call);
}

// Where that is not for us to know, the copy is empty.
static bool fill_in_place(const struct look *look, struct thread *thread)
{
    struct capture *capture = look->copy;
    struct proc_syscall call = {.number = -1};
    bool hidden = thread->process->no_syscall;
    if (!hidden && (!read_call(look, thread, &call) || !call.pc)) // a zombie has no pc
        return false;
    *capture = (struct capture){
        .time = clock_now(),
        .thread = thread->number,
        .flags = CAPTURE_IN_PLACE | (call.number >= 0 ? CAPTURE_IN_SYSCALL : 0),
        .syscall = (int32_t)call.number,
        .regs = {.rsp = call.sp, .rip = call.pc},
    };
    if (!hidden)
        copy_stack(look, thread, capture);
    return true;
}

// What may wait for somebody else. If nobody is held meanwhile the watchdog may be more patient.
static void begin_read(struct look *look, const struct thread *thread)
{
    atomic_store(&look->life->only_reads, !look->pending_count);
    sign_of_life(look, thread->tid);
    if (!look->pending_count)
        atomic_store(&look->life->busy_since, clock_now() + IN_PLACE_NS);
}

static void end_read(struct look *look)
{
    rest(look);
    atomic_store(&look->life->only_reads, 0);
}

bool look_had_to_wait(struct look *look, const struct thread *thread)
{
    int64_t began = clock_now();
    begin_read(look, thread);
    memory_await(thread->tid);
    end_read(look);
    return clock_now() - began > LOCKED_NS;
}

bool look_in_place(struct look *look, struct thread *thread, const struct schedstat *before,
                   uint32_t flags)
{
    struct schedstat after;
    warm(look, thread);
    begin_read(look, thread); // memory may come from a page that somebody has to deliver
    bool filled = fill_in_place(look, thread);
    end_read(look);
    if (filled)
        look->copy->flags |= flags;
    return filled && read_stat(look, thread, &after) && after.switches == before->switches &&
           put(look, thread) == RC_OK;
}

static void renew_signs(struct look *look)
{
    if (look->pending_count)
        sign_of_life(look, look->pending[0]->tid);
}

void look_await(struct look *look, int64_t until)
{
    struct tracer_hold hold;
    bool over = false;
    while (look->pending_count && !over) {
        int64_t now = clock_now(), sign = now + SIGN_NS, at = sign < until ? sign : until;
        bool guarded = look->guard_at > now && look->guard_at <= at;
        over = now >= until; // who stopped long ago is let go all the same
        if (!over)
            guard(look, guarded ? look->guard_at : at);
        switch (tracer_await(over ? until : look->guard_at, &hold)) {
        case TRACER_STOPPED:
            over = false;
            deal_with_stopped(look, &hold);
            break;
        case TRACER_GONE:
            over = false;
            deal_with_gone(look, &hold);
            break;
        case TRACER_RUNNING:
            renew_signs(look);
            break;
        }
    }
    guard(look, 0);
}
