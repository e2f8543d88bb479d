// SPDX-License-Identifier: MIT
#include "sample/look.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "process/maps.h"
#include "process/memory.h"
#include "sample/hold.h"
#include "sample/in_place.h"
#include "sample/refusal.h"
#include "sample/report.h"
#include "sample/restart.h"
#include "sample/watched.h"

#define DISPLACED_NS (20 * NS_PER_US) // our own switch onto the CPU, and the clock read after it
#define RAN_ON_NS (5 * NS_PER_US)     // the same, where it may not be taken for less
#define LIVE_PCS_MAX 4096
#define ALLOWANCE_NS (NS_PER_S / 4) // time in which an unused stop budget may be spent at once
// Below this part of a stop budget samples are left out at random: a pause after each stop would
// always miss what the thread does then.
#define SCARCE 0.25
#define LOCKED_NS (100 * NS_PER_US)   // that memory was locked for, if it can be read so late
#define ROOM_LEAST (128u << 10)     // bytes for stacks: more than nearly all threads ever need
#define PAGE 4096u

struct held {
    struct thread *thread;
    struct hold hold;
    struct schedstat now; // read while it is held
    bool timed;           // `now` could be read
};

static int64_t queued_ns(const struct held *held)
{
    return (int64_t)(held->now.wait_ns - held->thread->claim.before.wait_ns);
}

// A sample stands for a thread that was on a CPU at its moment. A thread that waited for its turn,
// woken or preempted, was not: it would count the more the longer it waits. A thread that was
// displaced since then, mostly by ourselves, was.
static bool was_on_cpu(const struct look *look, const struct held *held)
{
    const struct claim *claim = &held->thread->claim;
    if (!held->timed || held->now.switches == claim->before.switches)
        return true;
    if (restart_was_asleep(&held->hold.regs)) // displaced in the kernel, it got as far as its sleep
        return !look->elsewhere;
    return !hold_was_queued(&held->hold, &claim->before, &held->now, claim->moment - DISPLACED_NS);
}

// The thread ran on after its moment and before it was asked to stop: on another CPU.
static bool has_skidded(const struct look *look, const struct held *held)
{
    const struct claim *claim = &held->thread->claim;
    return look->elsewhere || !held->timed || held->now.switches == claim->before.switches ||
           claim->moment + queued_ns(held) < held->hold.asked->asked_at - RAN_ON_NS;
}

static struct stack_request request_of(const struct look *look, const struct thread *thread,
                                       struct stack_plan *plan)
{
    stack_hints_get(&look->control->stacks, thread->number, plan);
    return (struct stack_request){
        plan, {.fd = thread->process->pages_fd}, look->copy_warm - sizeof *look->copy};
}

static void unwind_live(const struct look *look, const struct held *held, struct capture *capture)
{
    uint32_t end;
    size_t count = look->unwind_live(held->hold.stop.tid, (uint64_t *)(void *)capture->stack,
                                     LIVE_PCS_MAX, &end);
    capture->stack_asked = capture->stack_length = (uint32_t)(count * sizeof(uint64_t));
    capture->flags |= CAPTURE_UNWOUND | end << CAPTURE_LIVE_END_SHIFT;
}

static void fill(const struct look *look, const struct held *held)
{
    struct stack_plan plan;
    const struct stack_request request = request_of(look, held->thread, &plan);
    hold_copy(&held->hold, look->unwind_live ? NULL : &request, look->copy);
    look->copy->thread = held->thread->number;
    lock_watch_copy(&look->locks, held->thread->process->number, held->thread->tid, look->copy);
    if (look->unwind_live)
        unwind_live(look, held, look->copy);
}

// While anybody is in the middle of reading the memory of an image, it lives on, though the process
// runs another one: then nothing but where its thread keeps its robust list tells that at once. Of
// its threads only the one whose number is the process's survives exec.
static bool is_told_image(struct thread *thread)
{
    struct watched *process = thread->process;
    void *list;
    size_t length;
    if (!maps_file_is_current(process->maps_fd))
        return watched_has_ended(process);
    if (thread->tid != process->pid || syscall(SYS_get_robust_list, thread->tid, &list, &length) ||
        (uintptr_t)list == atomic_load(&thread->claim.robust_list))
        return true;
    uint64_t told = atomic_load(&process->told_image);
    if (told && maps_image_number(process->pid, thread->tid) != told)
        return watched_has_ended(process);
    atomic_store(&thread->claim.robust_list, (uintptr_t)list);
    return true;
}

// If the process runs another image since, or began to, nobody knows of which one the copy was
// taken, and the main process must be told of the new one first.
static bool image_is_told(struct thread *thread)
{
    struct watched *process = thread->process;
    if (!atomic_load(&process->replaced) && !is_told_image(thread))
        atomic_store(&process->replaced, true);
    return !atomic_load(&process->replaced);
}

// Puts a copy that counts into the ring. This is not done while the thread is held, for the ring's
// memory is in nobody's cache. RC_LIMIT: there is no room. RC_GONE: it is of an image that is gone.
static enum rc put(struct look *look, struct thread *thread)
{
    size_t stacks = stack_capture_bytes(look->copy);
    if (!image_is_told(thread))
        return RC_GONE;
    struct record_capture *record = (struct record_capture *)ring_reserve(
        &look->control->ring, sizeof *record + stacks);
    if (!record)
        return RC_LIMIT;
    memcpy(&record->capture, look->copy, sizeof *look->copy + stacks);
    bool soon = !stack_hints_learnt(&look->control->stacks, thread->number);
    ring_commit(&record->record, RECORD_CAPTURE);
    // The plan of this thread's stack is to be there before its next sample.
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

// The stop budget fills with time and is spent by stops and searches. Returns what part of it is
// left: at most 1, and below 0 when something took longer than it may.
static double budget_left(const struct look *look, struct claim *claim, int64_t now)
{
    int64_t elapsed = now - claim->allowed_at;
    int64_t most = (int64_t)(look->max_stop * ALLOWANCE_NS);
    if (elapsed > ALLOWANCE_NS)
        elapsed = ALLOWANCE_NS;
    claim->allowance += (int64_t)(look->max_stop * (double)elapsed);
    if (claim->allowance > most)
        claim->allowance = most;
    claim->allowed_at = now;
    return (double)claim->allowance / (double)most;
}

static void charge(struct claim *claim, int64_t cost_ns)
{
    claim->allowance -= cost_ns;
    atomic_fetch_add(&claim->cost_ns, cost_ns);
}

// The search for the thread and what comes after its release cost it its CPU.
static void charge_displaced(struct look *look, struct claim *claim, int64_t cost_ns)
{
    if (look->elsewhere || cost_ns < 0)
        return;
    histogram_add(&look->control->displaced, (uint64_t)cost_ns);
    charge(claim, cost_ns);
}

// --- one thread ---

// A thread is not held while it still waits for its turn, or runs in a system call. How long it ran
// is known to the nanosecond only if it has come off this CPU twice.
static void date_hold(const struct look *look, struct held *held)
{
    const struct claim *claim = &held->thread->claim;
    struct hold *hold = &held->hold;
    int64_t came_off = claim->moment + (held->timed ? queued_ns(held) : 0);
    int64_t asked_at = hold->asked->asked_at;
    if (held->timed && !look->elsewhere)
        came_off += (int64_t)(held->now.run_ns - claim->before.run_ns);
    hold->since = came_off > asked_at ? came_off : asked_at;
    if (hold->since > hold->stopped_at) // the moment is not known better than that
        hold->since = hold->stopped_at;
}

static void let_go(struct look *look, struct held *held)
{
    struct claim *claim = &held->thread->claim;
    hold_release(&held->hold, look->control, look->copy);
    claim->exact = held->now;
    claim->exact_at = held->timed ? held->hold.released_at : 0;
    charge(claim, held->hold.released_at - held->hold.since);
    atomic_fetch_add(&claim->stops, 1);
}

static void sample(struct look *look, struct held *held)
{
    struct thread *thread = held->thread;
    held->timed = claim_read(held->thread, &held->now);
    date_hold(look, held);
    enum rc rc = held->hold.examined;
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
    if (held->hold.released)
        charge_displaced(look, &thread->claim, held->hold.asked->asked_at - thread->claim.moment +
                                                   clock_now() - held->hold.released_at);
}

void look_init(struct look *look, struct control *control, int number)
{
    size_t size = sizeof *look->copy + STACK_ROOM;
    look->control = control;
    // Filtered or not: a timeout that begins again is microseconds old.
    stops_init(&look->stops, control, &control->lives[number], true, STOPS_MOST);
    look->copy = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (look->copy == MAP_FAILED) {
        atomic_store(&control->counts[COUNTER_LIMIT], ENOMEM);
        _exit(1);
    }
    look->copy_warm = 0;
}

void look_fini(struct look *look)
{
    stops_fini(&look->stops);
    munmap(look->copy, sizeof *look->copy + STACK_ROOM);
}

// No page of the copy is to be missing while the thread is held, and none asked for.
static void warm(struct look *look, const struct thread *thread)
{
    struct stack_plan plan;
    stack_hints_get(&look->control->stacks, thread->number, &plan);
    size_t wanted = stack_plan_room(&plan);
    wanted = sizeof *look->copy + (wanted < ROOM_LEAST ? ROOM_LEAST : wanted);
    for (; look->copy_warm < wanted; look->copy_warm += PAGE)
        ((volatile unsigned char *)look->copy)[look->copy_warm] = 0;
    lock_watch_plan(&look->control->locks, thread->process->number,
                    &(struct stack_request){&plan, {.fd = thread->process->pages_fd}, 0},
                    &look->locks);
}

static bool ask(struct look *look, struct thread *thread)
{
    struct stop stop = {.tid = thread->tid, .pid = thread->process->pid, .owner = thread};
    warm(look, thread);
    enum rc rc = stops_ask(&look->stops, &stop, look->until);
    if (rc == RC_DENIED)
        refusal_count(look->control, thread);
    if (rc == RC_OK && look->elsewhere)
        thread->claim.moment = look->woke_at;
    return rc == RC_OK;
}

bool look_ask(struct look *look, struct thread *thread, double chance)
{
    look->left = budget_left(look, &thread->claim, clock_now());
    bool may = look->left >= chance * SCARCE;
    if (!may)
        atomic_store(&look->control->counts[COUNTER_RATE_LOWERED], 1);
    if (may && ask(look, thread))
        return true;
    charge_displaced(look, &thread->claim, clock_now() - look->woke_at);
    claim_release(thread);
    stops_rest(&look->stops);
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

// Where we have no right to know where the thread sleeps, the copy is empty.
static bool fill_in_place(const struct look *look, struct thread *thread)
{
    struct proc_syscall call = {.number = -1};
    struct stack_plan plan;
    bool hidden = thread->process->no_syscall;
    if (!hidden && (!read_call(look, thread, &call) || !call.pc)) // a zombie has no pc
        return false;
    const struct stack_request request = request_of(look, thread, &plan);
    in_place_copy(thread->tid, &call, &request, look->copy);
    look->copy->thread = thread->number;
    if (!hidden)
        lock_watch_copy(&look->locks, thread->process->number, thread->tid, look->copy);
    return true;
}

bool look_had_to_wait(struct look *look, const struct thread *thread)
{
    int64_t began = clock_now();
    stops_begin_read(&look->stops, thread->tid);
    memory_await(thread->tid);
    stops_end_read(&look->stops);
    return clock_now() - began > LOCKED_NS;
}

bool look_in_place(struct look *look, struct thread *thread, const struct schedstat *before,
                   uint32_t flags)
{
    struct schedstat after;
    warm(look, thread);
    // Memory may come from a page that somebody has to deliver.
    stops_begin_read(&look->stops, thread->tid);
    bool filled = fill_in_place(look, thread);
    stops_end_read(&look->stops);
    if (filled)
        look->copy->flags |= flags;
    return filled && read_stat(look, thread, &after) && after.switches == before->switches &&
           put(look, thread) == RC_OK;
}

void look_await(struct look *look, int64_t until)
{
    struct held held = {0};
    enum tracer_wait now;
    while ((now = stops_await(&look->stops, until, &held.hold)) != TRACER_RUNNING) {
        held.thread = held.hold.asked->owner;
        if (now == TRACER_STOPPED)
            sample(look, &held);
        if (now == TRACER_STOPPED && !held.hold.released)
            continue; // it was killed: its end will be seen
        if (now == TRACER_GONE && held.hold.stop.tid)
            thread_end(held.thread);
        stops_remove(&look->stops, held.hold.asked);
        claim_release(held.thread);
    }
}
