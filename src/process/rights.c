// SPDX-License-Identifier: MIT
#include "process/rights.h"

#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "process/procfs.h"

#define FILE_SYSTEM 3 // index of the file system id in the lines Uid and Gid

// Finds word number `place` of the line "NAME:\tW0\tW1 ..." of status; false when there is none.
static bool number_of(const char *status, const char *name, int place, gid_t *number)
{
    const char *at = strstr(status, name);
    const char *end = at ? strchr(at + 1, '\n') : NULL;
    char *after;
    if (!end)
        return false;
    at += strlen(name);
    for (int i = 0; i <= place; i++, at = after) {
        *number = (gid_t)strtoul(at, &after, 10);
        if (after == at || after > end)
            return false;
    }
    return true;
}

struct rights rights_of(pid_t pid)
{
    AUTO_BUF struct buf text = {0};
    struct rights rights = {0};
    if (procfs_read(&text, "/proc/%d/status", (int)pid) != RC_OK)
        return rights;
    rights.known = number_of(text.data, "\nUid:", FILE_SYSTEM, &rights.uid) &&
                   number_of(text.data, "\nGid:", FILE_SYSTEM, &rights.gid);
    while (rights.group_count < RIGHTS_GROUPS &&
           number_of(text.data, "\nGroups:", rights.group_count,
                     &rights.groups[rights.group_count]))
        rights.group_count++;
    return rights;
}

struct rights rights_own(void)
{
    struct rights rights = {.uid = geteuid(), .gid = getegid(), .known = true};
    int count = getgroups(RIGHTS_GROUPS, rights.groups);
    rights.group_count = count < 0 ? 0 : count;
    return rights;
}

bool rights_same(const struct rights *a, const struct rights *b)
{
    return a->known == b->known && a->uid == b->uid && a->gid == b->gid &&
           a->group_count == b->group_count &&
           memcmp(a->groups, b->groups, (size_t)a->group_count * sizeof *a->groups) == 0;
}

// Calls the kernel directly, because the functions of libc change all threads. An fsuid other than
// 0 drops the capabilities that override file permissions, and 0 restores them.
void rights_take(const struct rights *rights)
{
    if (!rights->known)
        return;
    syscall(SYS_setfsuid, 0); // the groups could not be changed back otherwise
    syscall(SYS_setgroups, rights->group_count, rights->groups);
    syscall(SYS_setfsgid, rights->gid);
    syscall(SYS_setfsuid, rights->uid);
}
