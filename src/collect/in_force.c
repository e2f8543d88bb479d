// SPDX-License-Identifier: MIT
#include "collect/in_force.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/memory_room.h"
#include "process/procfs.h"
#include "sample/priority.h"
#include "sample/sampler.h"
#include "sample/tracer.h"
#include "symbol/headers.h"
#include "symbol/worker.h"
#include "unwind/walker.h"

#define RING_BYTES 4096
// Time that a process has to drop the rights that it does not need.
#define GIVING_UP_NS (2ll * NS_PER_S)

static uint64_t limit_of(pid_t pid, const char *name)
{
    AUTO_BUF struct buf text = {0};
    const char *line = procfs_read(&text, "/proc/%d/limits", pid) == RC_OK
                           ? strstr(text.data, name)
                           : NULL;
    char *end;
    uint64_t soft = line ? strtoull(line + strlen(name), &end, 10) : 0;
    return line && end != line + strlen(name) ? soft : UINT64_MAX;
}

static void look(struct in_force_process *process, pid_t pid)
{
    AUTO_BUF struct buf status = {0}, score = {0};
    struct proc_status parsed = {0};
    process->known = procfs_read(&status, "/proc/%d/status", pid) == RC_OK &&
                     proc_status_parse(status.data, &parsed) &&
                     procfs_read(&score, "/proc/%d/oom_score_adj", pid) == RC_OK;
    if (!process->known)
        return;
    process->capabilities = parsed.effective_caps;
    process->seccomp = parsed.seccomp;
    process->no_new_privileges = strstr(status.data, "\nNoNewPrivs:\t1") != NULL;
    process->oom_score = atoi(score.data);
    process->data_bytes = limit_of(pid, "Max data size");
    process->core_bytes = limit_of(pid, "Max core file size");
    process->policy = sched_getscheduler(pid) & ~SCHED_RESET_ON_FORK;
    process->nice = getpriority(PRIO_PROCESS, (id_t)pid);
}

// Runs as a sampler without a target. It keeps what it needs to start threads.
static void idle(struct control *control, const void *argument)
{
    (void)argument;
    struct priority priority = priority_raise();
    atomic_store(&control->counts[COUNTER_SHORT_SLICE], priority.short_slice);
    atomic_store(&control->ended, 1);
    while (!atomic_load(&control->stop))
        tracer_sleep(clock_now() + NS_PER_S);
}

static enum rc look_at_sampler(struct in_force *force, struct err *err)
{
    pid_t pid;
    struct control *control = control_new(RING_BYTES, err);
    enum rc rc = control ? sampler_fork(control, idle, NULL, &pid, err) : RC_FAIL;
    int64_t deadline = clock_now() + GIVING_UP_NS;
    if (rc == RC_OK) {
        while (!atomic_load(&control->ended) && clock_now() < deadline)
            usleep(1000);
        look(&force->processes[IN_FORCE_SAMPLER], pid);
        force->short_slice = atomic_load(&control->counts[COUNTER_SHORT_SLICE]);
        sampler_stop(control, pid);
    }
    control_free(control);
    return rc;
}

static void ignore(void *context)
{
    (void)context;
}

// Waits until a process without rights is ready. It says nothing before it is asked, but its filter
// of system calls, which it sets up last, shows it.
static void await(struct in_force_process *process, pid_t pid)
{
    int64_t deadline = clock_now() + GIVING_UP_NS;
    while (pid && process->seccomp != 2 && clock_now() < deadline) {
        usleep(1000);
        look(process, pid);
    }
}

static void look_at_readers(struct in_force_process *processes)
{
    static const struct wire_sink sink;
    struct roots roots = {0};
    struct worker *worker = worker_new(&sink, ignore, &roots);
    struct walker *walker = walker_new(1);
    worker_isolate(worker);
    headers_isolate();
    await(&processes[IN_FORCE_UNWIND], walker_pid(walker));
    await(&processes[IN_FORCE_HEADERS], headers_pid());
    await(&processes[IN_FORCE_NAMES], worker_start(worker) == RC_OK ? worker_pid(worker) : 0);
    headers_end();
    walker_free(walker);
    worker_free(worker);
}

enum rc in_force_find(struct in_force *force, struct err *err)
{
    struct timespec tick = {0};
    *force = (struct in_force){
        .processes = {[IN_FORCE_MAIN] = {.name = "main process"},
                      [IN_FORCE_SAMPLER] = {.name = "sampler"},
                      [IN_FORCE_UNWIND] = {.name = "unwinding process"},
                      [IN_FORCE_HEADERS] = {.name = "header process"},
                      [IN_FORCE_NAMES] = {.name = "symbol process"}},
        .room = memory_room(""),
    };
    clock_getres(CLOCK_MONOTONIC, &tick);
    force->tick_ns = tick.tv_nsec;
    look(&force->processes[IN_FORCE_MAIN], getpid());
    look_at_readers(force->processes);
    return look_at_sampler(force, err);
}
