// SPDX-License-Identifier: MIT
#include "symbol/roots.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/patience.h"
#include "process/regular_file.h"

#define OPEN_MS 2000
#define HUNG_MAX 3

// The mount id tells namespaces apart whose root is the same directory. It is 0 before Linux 5.8.
static bool describe(int directory, const char *path, struct statx *info)
{
    *info = (struct statx){0};
    return statx(directory, path, AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_INO | STATX_MNT_ID,
                 info) == 0;
}

static bool same(const struct statx *a, const struct statx *b)
{
    return a->stx_dev_major == b->stx_dev_major && a->stx_dev_minor == b->stx_dev_minor &&
           a->stx_ino == b->stx_ino && a->stx_mnt_id == b->stx_mnt_id;
}

static bool is_ours(const struct statx *root)
{
    struct statx ours;
    return describe(AT_FDCWD, "/", &ours) && same(&ours, root);
}

static bool is_known(const struct roots *roots, const struct statx *root,
                     const struct rights *rights)
{
    struct statx other;
    for (size_t i = 0; i < roots->count; i++)
        if (rights_same(&roots->views[i].rights, rights) &&
            describe(roots->views[i].fd, "", &other) && same(&other, root))
            return true;
    return false;
}

void roots_add(struct roots *roots, pid_t pid)
{
    char path[64];
    struct statx info;
    struct rights rights = rights_of(pid);
    if (roots->count == ROOTS_MAX)
        return;
    snprintf(path, sizeof path, "/proc/%d/root", (int)pid);
    AUTO_FD int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0 && describe(fd, "", &info) && !is_known(roots, &info, &rights))
        roots->views[roots->count++] =
            (struct root_view){.fd = steal_fd(&fd), .ours = is_ours(&info), .rights = rights};
}

void roots_fini(struct roots *roots)
{
    for (size_t i = 0; i < roots->count; i++)
        close(roots->views[i].fd);
    roots->count = 0;
}

// RESOLVE_NO_MAGICLINKS refuses links such as those in /proc/PID/fd, which could leave the root.
static int name_beneath(int root, const char *path, uint64_t resolve)
{
    struct open_how how = {
        .flags = O_PATH | O_CLOEXEC,
        .resolve = resolve | RESOLVE_NO_MAGICLINKS,
    };
    return (int)syscall(SYS_openat2, root, path, &how, sizeof how);
}

// A path is first opened with O_PATH, because opening a FIFO or a device already has effects.
static int open_regular(int named)
{
    AUTO_FD int owned = named;
    struct stat info;
    char self[64], magic[SELFMAG];
    if (owned < 0 || fstat(owned, &info) != 0 || !S_ISREG(info.st_mode) ||
        regular_file_is_of_kernel(owned))
        return -1;
    snprintf(self, sizeof self, "/proc/self/fd/%d", owned);
    AUTO_FD int fd = open(self, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || pread(fd, magic, sizeof magic, 0) != sizeof magic ||
        memcmp(magic, ELFMAG, sizeof magic) != 0)
        return -1;
    return steal_fd(&fd);
}

struct opening { // one file; it owns what it uses, because it may outlive the roots
    struct roots roots;
    int fd;
    char path[];
};

// Old kernels and some containers have no openat2. A root that is ours does not need it.
static int open_in_view(const struct root_view *view, const char *path)
{
    int named = name_beneath(view->fd, path, RESOLVE_IN_ROOT);
    if (named < 0 && view->ours && (errno == ENOSYS || errno == EPERM))
        named = open(path, O_PATH | O_CLOEXEC);
    return open_regular(named);
}

// A file that no target sees may exist in our own file system: debug files for a container may be
// kept outside of it. Symbolic links are not followed there.
static int open_outside(const char *path)
{
    return open_regular(name_beneath(AT_FDCWD, path, RESOLVE_NO_SYMLINKS));
}

static void open_now(void *context)
{
    struct opening *opening = context;
    const struct roots *roots = &opening->roots;
    const struct rights own = rights_own();
    bool ours = false;
    for (size_t i = 0; i < roots->count && opening->fd < 0; i++) {
        rights_take(&roots->views[i].rights);
        opening->fd = open_in_view(&roots->views[i], opening->path);
        ours |= roots->views[i].ours;
    }
    if (opening->fd < 0 && !roots->count)
        opening->fd = open_regular(open(opening->path, O_PATH | O_CLOEXEC));
    else if (opening->fd < 0 && !ours)
        opening->fd = open_outside(opening->path);
    rights_take(&own);
}

static void discard(void *context)
{
    struct opening *opening = context;
    cleanup_fd(&opening->fd);
    free(opening);
}

int roots_open(struct roots *roots, const char *path)
{
    if (path[0] != '/')
        return -1;
    if (roots->hung >= HUNG_MAX)
        return ROOTS_HUNG;
    size_t size = strlen(path) + 1;
    struct opening *opening = xmalloc(sizeof *opening + size);
    opening->roots = *roots;
    opening->fd = -1;
    memcpy(opening->path, path, size);
    if (!patience_call(open_now, discard, opening, OPEN_MS)) {
        roots->hung++;
        return ROOTS_HUNG;
    }
    int fd = opening->fd;
    free(opening);
    return fd;
}
