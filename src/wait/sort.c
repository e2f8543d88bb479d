// SPDX-License-Identifier: MIT
#include "wait/sort.h"

#include <string.h>

#include "base/mem.h"
#include "wait/descriptor.h"
#include "wait/finder.h"
#include "wait/restart.h"
#include "wait/syscall_form.h"

#define OUTSIDE (-1) // number in task/TID/syscall of a thread outside of a system call

static enum wait_kind kind_by_descriptor(const struct finder *finder,
                                         const struct wait_thread *thread,
                                         const struct syscall_form *form)
{
    for (size_t i = 0; i < SYSCALL_ARGUMENTS && form->arguments[i]; i++)
        if (form->arguments[i] == ARG_FD)
            return descriptor_kind(finder, (int)thread->call.args[i]);
    return WAIT_DISK; // a path of a file system
}

// Calls that wait for any of several things, for a client, or for a signal. A server in them has
// nothing to do; but one that waits for a single descriptor waits for an answer.
static const struct {
    const char *begins, *label;
    enum wait_idle idle;
} servers[] = {
    {"accept", "socket", WAIT_IDLE_ALWAYS}, {"epoll", "epoll", WAIT_IDLE_LOOP},
    {"select", "select", WAIT_IDLE_LOOP},   {"pselect", "select", WAIT_IDLE_LOOP},
    {"poll", "poll", WAIT_IDLE_LOOP},       {"ppoll", "poll", WAIT_IDLE_LOOP},
    {"semop", "semaphore", WAIT_IDLE_POOL}, {"semtimedop", "semaphore", WAIT_IDLE_POOL},
    {"pause", "signal", WAIT_IDLE_LOOP},    {"rt_sig", "signal", WAIT_IDLE_LOOP},
};

static void sort_server(const struct wait_thread *thread, const char *name, struct wait_sort *sort)
{
    for (size_t i = 0; i < ARRAY_LENGTH(servers); i++) {
        if (strncmp(name, servers[i].begins, strlen(servers[i].begins)) != 0)
            continue;
        bool one = strcmp(servers[i].label, "poll") == 0 && thread->call.args[1] <= 1;
        sort->label = servers[i].label;
        sort->idle = one ? WAIT_IDLE_NEVER : servers[i].idle;
    }
}

static void sort_call(const struct finder *finder, const struct wait_thread *thread,
                      const char *name, struct wait_sort *sort)
{
    const struct syscall_form *form = name ? syscall_form_find(name) : NULL;
    sort->kind = form ? form->kind : WAIT_OTHER;
    if (form && form->kind == WAIT_FILE)
        sort->kind = kind_by_descriptor(finder, thread, form);
    // The state is of a moment later, when the thread may wait elsewhere: the call counts.
    if (thread->state == 'D' && sort->kind == WAIT_OTHER)
        sort->kind = WAIT_DISK;
    sort->label = wait_kind_names[sort->kind];
    if (name && sort->kind != WAIT_DISK)
        sort_server(thread, name, sort);
}

static void sort_lock(const struct finder *finder, const struct wait_thread *thread,
                      const char *name, struct wait_sort *sort)
{
    struct lock lock;
    lock_find(finder, thread, name, &lock);
    sort->kind = lock.kind;
    sort->label = wait_kind_names[lock.kind];
    sort->object = lock.object;
    sort->object_name = finder_name_object(finder, lock.object);
    if (lock.kind == WAIT_LOCK && !lock.object) // it is not known where the lock is, but which kind
        sort->object_name = xstrdup(lock.object_kind);
    sort->owner_at = lock.kind == WAIT_LOCK ? lock.owner_at : 0;
    sort->scanned = lock.kind == WAIT_LOCK ? lock.scanned : 0;
    sort->futex = lock.futex;
    if (lock.kind == WAIT_CONDITION || lock.kind == WAIT_SEMAPHORE || lock.kind == WAIT_FUTEX)
        sort->idle = WAIT_IDLE_POOL;
}

static void sort_one(struct finder *finder, const struct wait_thread *thread,
                     struct wait_sort *sort)
{
    *sort = (struct wait_sort){.kind = WAIT_OTHER, .label = wait_kind_names[WAIT_OTHER]};
    finder->asking = thread;
    if (thread->call.number == OUTSIDE) {
        sort->kind = WAIT_FAULT;
        sort->label = "page fault";
    }
    if (thread->call.number < 0)
        return;
    const char *name = restart_name(thread);
    if (name && strncmp(name, "futex", 5) == 0)
        sort_lock(finder, thread, name, sort);
    else
        sort_call(finder, thread, name, sort);
}

void wait_sort(const struct wait_process *process, size_t first, struct wait_sort *sorts)
{
    struct finder finder;
    finder_init(&finder, process);
    for (size_t i = first; i < process->count; i++)
        sort_one(&finder, &process->threads[i], &sorts[i - first]);
    finder_fini(&finder);
}
