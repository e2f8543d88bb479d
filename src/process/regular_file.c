// SPDX-License-Identifier: MIT
#include "process/regular_file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"

bool regular_file_is_of_kernel(int fd)
{
    struct statfs info;
    return fstatfs(fd, &info) == 0 &&
           (info.f_type == PROC_SUPER_MAGIC || info.f_type == SYSFS_MAGIC);
}

// Opens what O_PATH found, if it is a regular file. O_NONBLOCK: a lease on it must not block us.
static int open_found(int found, struct stat *info)
{
    char path[48];
    limits_note(found < 0 ? errno : 0);
    if (found < 0 || fstat(found, info) != 0 || regular_file_is_of_kernel(found))
        return -1;
    if (!S_ISREG(info->st_mode)) {
        errno = EINVAL;
        return -1;
    }
    snprintf(path, sizeof path, "/proc/self/fd/%d", found);
    return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
}

int regular_file_open(const char *path, struct stat *info)
{
    AUTO_FD int found = open(path, O_PATH | O_CLOEXEC);
    return open_found(found, info);
}

int regular_file_open_plain(const char *path, struct stat *info)
{
    struct open_how how = {
        .flags = O_PATH | O_CLOEXEC,
        .resolve = RESOLVE_NO_SYMLINKS,
    };
    AUTO_FD int found = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
    return open_found(found, info);
}

// Below /proc/PID/root an absolute symbolic link would be resolved from our root. RESOLVE_IN_ROOT
// prevents that (openat2, since Linux 5.6; containers may forbid it).
static int find_inside(pid_t tid, const char *path)
{
    char root[32];
    struct open_how how = {
        .flags = O_PATH | O_CLOEXEC | O_NOFOLLOW,
        .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
    };
    snprintf(root, sizeof root, "/proc/%d/root", tid);
    AUTO_FD int base = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int found = base < 0 ? -1 : (int)syscall(SYS_openat2, base, path, &how, sizeof how);
    if (found >= 0 || base < 0 || (errno != ENOSYS && errno != EPERM))
        return found;
    return openat(base, path + 1, O_PATH | O_CLOEXEC | O_NOFOLLOW);
}

int regular_file_open_inside(pid_t tid, const char *path, struct stat *info)
{
    if (path[0] != '/' || !path[1])
        return -1;
    AUTO_FD int found = find_inside(tid, path);
    return open_found(found, info);
}
