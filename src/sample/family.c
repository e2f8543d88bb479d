// SPDX-License-Identifier: MIT
#include "sample/family.h"

#include <fcntl.h>
#include <linux/kcmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"

#define INTERVAL_NS (20 * NS_PER_MS)

void family_forget(struct family *family)
{
    map_clear(&family->seen);
    family->newest = 0;
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
    ssize_t got = pread(family->loadavg_fd, text, sizeof text - 1, 0);
    if (got <= 0)
        return 0;
    text[got] = '\0';
    const char *last = strrchr(text, ' ');
    return last ? (pid_t)strtol(last, NULL, 10) : 0;
}

// Between vfork and exec a child runs in its parent's memory: what it is cannot be seen yet.
static bool shares_memory(pid_t child, pid_t parent)
{
    return syscall(SYS_kcmp, child, parent, KCMP_VM, 0, 0) == 0;
}

struct sighting {
    struct family *family;
    struct roster *roster;
    size_t added;
    bool again; // one was too young to be judged
    struct map now; // all pids there are: those that end are forgotten with the old map
};

static void see(void *context, pid_t pid)
{
    struct sighting *sighting = context;
    struct proc_stat stat;
    bool known = map_get(&sighting->family->seen, (uint64_t)pid, 0);
    bool new_child = !known && !roster_has(sighting->roster, pid) &&
                     procfs_stat(pid, pid, &stat) == RC_OK &&
                     roster_has(sighting->roster, stat.parent);
    if (new_child && shares_memory(pid, stat.parent)) {
        sighting->again = true;
        return;
    }
    map_put(&sighting->now, (uint64_t)pid, 1);
    bool born_watched = sighting->family->seen.count > 0;
    if (new_child && roster_add(sighting->roster, pid, born_watched) == RC_OK)
        sighting->added++;
}

// A parent can have a higher pid than its child where numbers have wrapped: look until no more.
size_t family_look(struct family *family, struct roster *roster, int64_t now)
{
    if (now < family->next_at)
        return 0;
    family->next_at = now + INTERVAL_NS;
    pid_t newest = newest_pid(family);
    if (newest && newest == family->newest)
        return 0;
    family->newest = newest;
    size_t all = 0, before;
    struct map now_there = {0};
    bool again;
    do {
        struct sighting sighting = {.family = family, .roster = roster};
        before = all;
        if (procfs_each_number(family->proc_fd, see, &sighting) == RC_OK)
            all += sighting.added;
        map_fini(&now_there);
        now_there = sighting.now;
        again = sighting.again;
    } while (all != before);
    map_fini(&family->seen);
    family->seen = now_there;
    if (again)
        family->newest = 0;
    return all;
}
