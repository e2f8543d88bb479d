// SPDX-License-Identifier: MIT
#include "wait/wait.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "wait/call_text.h"
#include "wait/holder.h"
#include "wait/restart.h"

#define NO_CALL (-1) // number in task/TID/syscall of a thread outside of a system call

const char *const wait_kind_names[] = {
    [WAIT_NONE] = "none",           [WAIT_CPU] = "cpu",
    [WAIT_LOCK] = "lock",           [WAIT_CONDITION] = "condition",
    [WAIT_SEMAPHORE] = "semaphore", [WAIT_BARRIER] = "barrier",
    [WAIT_JOIN] = "join",           [WAIT_FUTEX] = "futex",
    [WAIT_POLL] = "poll",           [WAIT_SOCKET] = "socket",
    [WAIT_PIPE] = "pipe",           [WAIT_FILE] = "file",
    [WAIT_SLEEP] = "sleep",         [WAIT_FAULT] = "fault",
    [WAIT_DISK] = "disk",           [WAIT_CHILD] = "child",
    [WAIT_SIGNAL] = "signal",       [WAIT_STOPPED] = "stopped",
    [WAIT_OTHER] = "other",
};

// Gives kind and text to the wait, and leaves `text` empty.
static void tell(struct wait *wait, enum wait_kind kind, struct buf *text)
{
    wait->kind = kind;
    wait->text = text->data ? text->data : xstrdup("");
    *text = (struct buf){0};
}

static void tell_words(struct wait *wait, enum wait_kind kind, const char *words)
{
    wait->kind = kind;
    wait->text = xstrdup(words);
}

static void tell_stopped(const struct finder *finder, const struct wait_thread *thread,
                         struct wait *wait)
{
    AUTO_BUF struct buf status = {0}, text = {0};
    struct proc_status parsed = {0};
    if (thread->state == 'T') {
        tell_words(wait, WAIT_STOPPED, "stopped by a signal");
        return;
    }
    buf_puts(&text, "stopped by its tracer");
    if (procfs_read(&status, "%s/%d/task/%d/status", finder->proc, finder->process->pid,
                    thread->tid) == RC_OK &&
        proc_status_parse(status.data, &parsed) && parsed.tracer > 0) {
        buf_putc(&text, ' ');
        finder_put_process(finder, parsed.tracer, &text);
    }
    tell(wait, WAIT_STOPPED, &text);
}

static void tell_fault(const struct finder *finder, const struct wait_thread *thread,
                       struct wait *wait)
{
    const struct wait_process *process = finder->process;
    const char *file = process->file ? process->file(process->context, thread->call.pc) : NULL;
    struct buf text = {0};
    buf_puts(&text, "a page fault");
    if (file)
        buf_printf(&text, " in the code of %s", file);
    tell(wait, WAIT_FAULT, &text);
}

static const struct {
    const char *name, *text; // how its name begins
} workers[] = {
    {"iou-", "a thread of the kernel for io_uring: no user code"},
    {"vhost-", "a thread of the kernel for vhost: no user code"},
};

// Returns what to say of a thread that the kernel runs in the process, NULL for any other. The name
// is checked first, because reading the stat file of every thread would cost too much.
static const char *worker_text(const struct finder *finder, const struct wait_thread *thread)
{
    AUTO_BUF struct buf text = {0};
    struct proc_stat stat;
    size_t i = 0;
    while (i < ARRAY_LENGTH(workers) &&
           strncmp(thread->comm, workers[i].name, strlen(workers[i].name)) != 0)
        i++;
    bool is_worker = i < ARRAY_LENGTH(workers) &&
                     procfs_read(&text, "%s/%d/task/%d/stat", finder->proc, finder->process->pid,
                                 thread->tid) == RC_OK &&
                     proc_stat_parse(text.data, &stat) && proc_stat_is_worker(&stat);
    return is_worker ? workers[i].text : NULL;
}

// Handles the states that need no look at the system call. Returns false for the others.
static bool tell_state(const struct finder *finder, const struct wait_thread *thread,
                       struct wait *wait)
{
    const char *worker;
    if (thread->state == 'Z' || thread->state == 'X')
        tell_words(wait, WAIT_OTHER, "ended");
    else if (thread->state == 'T' || thread->state == 't')
        tell_stopped(finder, thread, wait);
    else if ((worker = worker_text(finder, thread)))
        tell_words(wait, WAIT_OTHER, worker);
    else if (finder->frozen && !thread->running)
        tell_words(wait, WAIT_STOPPED, "frozen with its control group");
    else if (thread->running && thread->starved)
        tell_words(wait, WAIT_CPU, "a CPU: runnable, and not run");
    else if (thread->running)
        tell_words(wait, WAIT_NONE, "running");
    else if (thread->call.number == NO_CALL)
        tell_fault(finder, thread, wait);
    else if (thread->call.number == WAIT_CALL_UNKNOWN)
        return true;
    else
        return false;
    return true;
}

static void put_object(const struct wait *wait, struct buf *out)
{
    const char *kind = wait->object_kind ? wait->object_kind : "futex";
    buf_puts(out, kind);
    if (wait->object_name)
        buf_printf(out, " %s", wait->object_name);
    else if (wait->object)
        buf_printf(out, " %#" PRIx64, wait->object);
}

static void put_owner(const struct finder *finder, const struct wait *wait, size_t self,
                      const struct lock *lock, struct buf *out)
{
    const char *perhaps = wait->probable ? "probably " : "";
    if (lock->readers)
        buf_printf(out, ", held by %u reader%s", lock->readers, lock->readers == 1 ? "" : "s");
    if (wait->owner == self) {
        buf_puts(out, ", held by itself");
    } else if (wait->owner != WAIT_NOBODY) {
        buf_printf(out, lock->readers ? ", %s" : ", %sheld by ", perhaps);
        finder_put_thread(finder, wait->owner, out);
        if (wait->rivals)
            buf_printf(out, " or one of %zu other%s", wait->rivals, wait->rivals == 1 ? "" : "s");
    } else if (wait->owner_tid && lock->shared) {
        buf_puts(out, ", held by ");
        finder_put_process(finder, wait->owner_tid, out);
        buf_puts(out, finder_has_ended(finder, wait->owner_tid) ? ", which has ended"
                                                                : " of another process");
    } else if (wait->owner_tid) {
        buf_printf(out, ", held by %d, which is no thread of this process", wait->owner_tid);
    }
    if (lock->owner_died)
        buf_puts(out, ", whose owner died");
    if (lock->missing)
        buf_printf(out, ", %u more to come", lock->missing);
}

static void tell_lock(const struct finder *finder, size_t self, const struct call_text *call,
                      struct wait *wait)
{
    struct buf text = {0};
    const struct lock *lock = &finder->locks[self];
    if (lock->kind == WAIT_JOIN && wait->owner != WAIT_NOBODY) {
        buf_puts(&text, "the end of ");
        wait->holder_at = text.length;
        finder_put_thread(finder, wait->owner, &text);
        wait->holder_length = text.length - wait->holder_at;
    } else {
        put_object(wait, &text);
        wait->holder_at = text.length;
        put_owner(finder, wait, self, lock, &text);
        wait->holder_length = text.length - wait->holder_at;
    }
    if (call->text.length)
        buf_puts(&text, call->text.data);
    tell(wait, lock->kind, &text);
}

// The owner of a recursive or error-checking mutex cannot wait for it: such data is out of date.
static bool may_own_itself(const struct lock *lock)
{
    return lock->object_kind && (strcmp(lock->object_kind, "mutex") == 0 ||
                                 strcmp(lock->object_kind, "adaptive mutex") == 0 ||
                                 strcmp(lock->object_kind, "robust mutex") == 0);
}

static void find_owner(const struct finder *finder, size_t self, struct holder holder,
                       struct wait *wait)
{
    const struct lock *lock = &finder->locks[self];
    size_t owner = lock->owner ? finder_thread(finder, lock->owner) : WAIT_NOBODY;
    // In memory shared with another container, the tid may be that of a thread over there.
    bool doubtful = lock->shared && lock->kind == WAIT_LOCK && finder->nested;
    if (owner == self && (doubtful || !may_own_itself(lock)))
        return;
    wait->owner = owner;
    if (owner != WAIT_NOBODY) {
        wait->owner_tid = finder->process->threads[owner].tid;
        wait->probable = doubtful;
    } else if (lock->owner && finder->same_namespace) {
        wait->owner_tid = (pid_t)lock->owner;
    } else if (!lock->owner && holder.thread != WAIT_NOBODY) {
        wait->owner = holder.thread;
        wait->owner_tid = finder->process->threads[holder.thread].tid;
        wait->owner_frame = holder.frame;
        wait->rivals = lock->readers ? 0 : holder.rivals;
        wait->probable = true;
    }
}

static void tell_call(const struct wait_thread *thread, struct call_text *call,
                      struct wait *wait)
{
    bool disk = thread->state == 'D' && call->kind != WAIT_CHILD;
    if (!call->text.length)
        buf_puts(&call->text, wait->syscall);
    if (disk)
        buf_puts(&call->text, ", uninterruptible");
    tell(wait, disk ? WAIT_DISK : call->kind, &call->text);
}

static void find_one(struct finder *finder, size_t index, const struct holders *holders,
                     struct wait *wait)
{
    const struct wait_thread *thread = &finder->process->threads[index];
    const struct lock *lock = &finder->locks[index];
    if (!thread->running && thread->call.number >= 0)
        wait->syscall = restart_name(thread);
    finder->asking = thread;
    if (tell_state(finder, thread, wait))
        return;
    struct call_text call;
    call_text_make(finder, thread, wait->syscall, &call);
    wait->timed = call.timed;
    if (lock->futex) {
        wait->object = lock->object;
        wait->object_kind = lock->object_kind;
        wait->object_name = finder_name_object(finder, wait->object);
        find_owner(finder, index, holders_get(holders, lock->scanned), wait);
        tell_lock(finder, index, &call, wait);
        buf_fini(&call.text);
    } else {
        tell_call(thread, &call, wait);
    }
}

static void find_locks(struct finder *finder)
{
    for (size_t i = 0; i < finder->process->count; i++) {
        const struct wait_thread *thread = &finder->process->threads[i];
        const char *name = thread->running || thread->call.number < 0 ? NULL : restart_name(thread);
        if (name)
            lock_find(finder, thread, name, &finder->locks[i]);
    }
}

void wait_find_all(const struct wait_process *process, struct wait *waits)
{
    struct finder finder;
    finder_init(&finder, process);
    finder_look_around(&finder);
    find_locks(&finder);
    struct holders *holders = holders_new(&finder);
    for (size_t i = 0; i < process->count; i++) {
        waits[i] = (struct wait){.owner = WAIT_NOBODY, .owner_frame = WAIT_NOBODY};
        find_one(&finder, i, holders, &waits[i]);
    }
    holders_free(holders);
    finder_fini(&finder);
}

void wait_forget_owner(struct wait *wait)
{
    const char *rest = wait->text + wait->holder_at + wait->holder_length;
    const char *instead = wait->kind == WAIT_JOIN && wait->holder_length ? "a thread" : "";
    AUTO_FREE char *old = wait->text;
    wait->text = xasprintf("%.*s%s%s", (int)wait->holder_at, old, instead, rest);
    wait->owner = wait->owner_frame = WAIT_NOBODY;
    wait->owner_tid = 0;
    wait->rivals = 0;
    wait->probable = false;
    wait->holder_length = 0;
}

void wait_fini(struct wait *wait)
{
    free(wait->text);
    free(wait->object_name);
    *wait = (struct wait){.owner = WAIT_NOBODY, .owner_frame = WAIT_NOBODY};
}
