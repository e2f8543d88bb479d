// SPDX-License-Identifier: MIT
#include "sample/family.h"

#include <fcntl.h>
#include <linux/kcmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "sample/task_file.h"

#define INTERVAL_NS (20 * NS_PER_MS) // of listings, when there is no other way
#define LIST_NS NS_PER_S             // and when there is, to be safe
#define NEW_MAX 256                  // numbers to look at one by one

void family_forget(struct family *family)
{
    map_clear(&family->seen);
    family->newest = family->checked = 0;
    family->list_at = 0;
}

void family_init(struct family *family)
{
    *family = (struct family){
        .proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC),
        .loadavg_fd = open("/proc/loadavg", O_RDONLY | O_CLOEXEC),
    };
}

static pid_t newest_pid(const struct family *family)
{
    char text[128];
    (void)task_file_read(family->loadavg_fd, text, sizeof text);
    const char *last = strrchr(text, ' ');
    return last ? (pid_t)strtol(last, NULL, 10) : 0;
}

// Between vfork and exec a child runs in its parent's memory: what it is cannot be seen yet.
static bool shares_memory(pid_t child, pid_t parent)
{
    return syscall(SYS_kcmp, child, parent, KCMP_VM, 0, 0) == 0;
}

// A number may be that of a thread. There are descriptors only of processes, and old kernels have
// none; the status takes ten times as long.
static bool is_process(pid_t pid)
{
    struct proc_status status;
    AUTO_FD int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    return fd >= 0 || (procfs_status(pid, &status) == RC_OK && status.tgid == pid);
}

// Returns whether it was added.
static bool look_at(struct family *family, struct roster *roster, pid_t pid, struct map *seen)
{
    struct proc_stat stat;
    bool born_watched = family->seen.count > 0;
    if (procfs_stat(pid, pid, &stat) != RC_OK)
        return false; // it has ended, or is not quite there yet
    bool child = !roster_has(roster, pid) && roster_has(roster, stat.parent) && is_process(pid);
    if (child && shares_memory(pid, stat.parent)) {
        family->young = true;
        return false;
    }
    map_put(seen, (uint64_t)pid, 1);
    return child && roster_add(roster, pid, stat.start_time, born_watched) == RC_OK;
}

struct child_sighting {
    struct family *family;
    struct roster *roster;
    bool added;
    struct map now; // all pids there are: those that end are forgotten with the old map
};

static void see(void *context, pid_t pid)
{
    struct child_sighting *sighting = context;
    if (map_get(&sighting->family->seen, (uint64_t)pid, 0))
        map_put(&sighting->now, (uint64_t)pid, 1);
    else if (look_at(sighting->family, sighting->roster, pid, &sighting->now))
        sighting->added = true;
}

// Where PIDs have wrapped a parent can have a higher one than its child: this lists until nothing
// new is found.
static bool list_all(struct family *family, struct roster *roster)
{
    struct map now_there = {0};
    bool any = false;
    for (;;) {
        struct child_sighting sighting = {.family = family, .roster = roster};
        enum rc rc = procfs_each_number(family->proc_fd, see, &sighting);
        map_fini(&now_there);
        now_there = sighting.now;
        any |= sighting.added;
        if (rc != RC_OK || !sighting.added)
            break;
    }
    map_fini(&family->seen);
    family->seen = now_there;
    return any;
}

// The kernel gives PIDs in order: a new process has one that was given since the last look.
static bool look_at_newest(struct family *family, struct roster *roster, pid_t newest)
{
    bool any = false;
    for (pid_t pid = family->checked + 1; pid <= newest; pid++)
        if (!map_get(&family->seen, (uint64_t)pid, 0))
            any |= look_at(family, roster, pid, &family->seen);
    return any;
}

bool family_look(struct family *family, struct roster *roster, int64_t now)
{
    pid_t newest = newest_pid(family), before = family->newest;
    bool nothing_new = newest && newest == before && newest == family->checked;
    bool in_order = before && newest >= before && newest - family->checked <= NEW_MAX;
    bool list = now >= family->list_at;
    if (nothing_new || (!in_order && !list))
        return false;
    family->young = false;
    bool any = list ? list_all(family, roster) : look_at_newest(family, roster, newest);
    if (list)
        family->list_at = now + (in_order ? LIST_NS : INTERVAL_NS);
    family->newest = newest;
    // A process that began just before the last look may not have been in /proc then.
    if (!family->young)
        family->checked = before && before <= newest ? before : newest;
    return any;
}
