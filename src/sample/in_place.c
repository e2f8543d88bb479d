// SPDX-License-Identifier: MIT
#include "sample/in_place.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "sample/stack_capture.h"
#include "sample/task_file.h"

#define TEXT_MAX 1024

static bool read_file(int task_fd, pid_t tid, const char *name, char text[TEXT_MAX])
{
    AUTO_FD int fd = task_file_open(task_fd, tid, name);
    return task_file_read(fd, text, TEXT_MAX);
}

bool in_place_schedstat(int task_fd, pid_t tid, struct schedstat *stat)
{
    char text[TEXT_MAX];
    return read_file(task_fd, tid, "schedstat", text) && schedstat_parse(text, stat);
}

static bool read_stat(int task_fd, pid_t tid, struct in_place_thread *thread, int *cpu)
{
    char text[TEXT_MAX];
    struct proc_stat stat;
    if (!read_file(task_fd, tid, "stat", text) || !proc_stat_parse(text, &stat))
        return false;
    memcpy(thread->comm, stat.comm, sizeof thread->comm);
    thread->state = stat.state;
    *cpu = proc_stat_cpu(text);
    return true;
}

void in_place_copy(pid_t tid, const struct proc_syscall *call, const struct stack_request *request,
                   struct capture *capture)
{
    *capture = (struct capture){
        .time = clock_now(),
        .flags = CAPTURE_IN_PLACE | (call->number >= 0 ? CAPTURE_IN_SYSCALL : 0),
        .syscall = (int32_t)call->number,
        .regs = registers_in_call(call->pc, call->sp, call->args),
    };
    if (call->sp && request->room)
        stack_capture(tid, request, capture);
}

enum in_place in_place_read(int task_fd, pid_t tid, struct sleep_clock *sleep,
                            struct in_place_thread *thread, struct capture *capture,
                            const struct stack_request *request)
{
    char text[TEXT_MAX];
    struct schedstat after;
    int cpu;
    *thread = (struct in_place_thread){.tid = tid};
    AUTO_FD int schedstat_fd = task_file_open(task_fd, tid, "schedstat");
    if (!task_file_read(schedstat_fd, text, sizeof text) ||
        !schedstat_parse(text, &thread->stat) || !read_stat(task_fd, tid, thread, &cpu))
        return IN_PLACE_GONE;
    AUTO_FD int syscall_fd = task_file_open(task_fd, tid, "syscall");
    if (!task_file_read(syscall_fd, text, sizeof text))
        return errno == EACCES || errno == EPERM ? IN_PLACE_DENIED : IN_PLACE_GONE;
    if (!proc_syscall_parse(text, &thread->call))
        return IN_PLACE_RUNNING;
    in_place_copy(tid, &thread->call, request, capture);
    if (sleep && read_file(task_fd, tid, "sched", text))
        thread->asleep_since = sleep_clock_since(sleep, cpu, text);
    if (!task_file_read(schedstat_fd, text, sizeof text) || !schedstat_parse(text, &after))
        return IN_PLACE_GONE;
    return after.switches == thread->stat.switches ? IN_PLACE_READ : IN_PLACE_MOVED;
}
