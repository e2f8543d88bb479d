// SPDX-License-Identifier: MIT
#include "serve/finder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/map.h"
#include "base/mem.h"
#include "process/procfs.h"

// A mark is what the schedstat of a process said, in 31 bits, of which the last one is set.
#define NOT_KNOWN 0u        // whether it has run
#define ABSENT UINT32_MAX

struct process_finder {
    struct map marks; // pid -> mark
    struct map newer; // the same of a look that goes on
    void (*visit)(void *context, pid_t pid);
    void *context;
};

struct process_finder *finder_new(void)
{
    return xcalloc(1, sizeof(struct process_finder));
}

void finder_free(struct process_finder *finder)
{
    if (!finder)
        return;
    map_fini(&finder->marks);
    map_fini(&finder->newer);
    free(finder);
}

// Of the main thread. All three numbers count, so that a later process of this pid is another one.
static uint32_t mark_of(pid_t pid)
{
    char path[64], text[128];
    snprintf(path, sizeof path, "/proc/%d/schedstat", (int)pid);
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd >= 0 ? read(fd, text, sizeof text - 1) : 0;
    if (length <= 0)
        return NOT_KNOWN;
    text[length] = '\0';
    return (uint32_t)(map_hash_text(text) >> 33) | 1;
}

static void look_at(void *context, pid_t pid)
{
    struct process_finder *finder = context;
    uint32_t mark = mark_of(pid);
    map_put(&finder->newer, (uint64_t)pid, mark);
    if (mark == NOT_KNOWN || map_get(&finder->marks, (uint64_t)pid, NOT_KNOWN) != mark)
        finder->visit(finder->context, pid);
}

enum rc finder_look(struct process_finder *finder, void (*visit)(void *, pid_t), void *context,
                    struct err *err)
{
    AUTO_FD int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (proc < 0)
        return limits_sys(err, RC_FAIL, errno, "cannot look for processes in /proc");
    finder->visit = visit;
    finder->context = context;
    map_clear(&finder->newer);
    if (procfs_each_number(proc, look_at, finder) != RC_OK)
        return err_sys(err, RC_FAIL, errno, "cannot look for processes in /proc");
    struct map older = finder->marks;
    finder->marks = finder->newer;
    finder->newer = older;
    return RC_OK;
}

bool finder_has_seen(const struct process_finder *finder, pid_t pid)
{
    return map_get(&finder->marks, (uint64_t)pid, ABSENT) != ABSENT;
}

void finder_forget(struct process_finder *finder, pid_t pid)
{
    if (finder_has_seen(finder, pid))
        map_put(&finder->marks, (uint64_t)pid, NOT_KNOWN);
}
