// SPDX-License-Identifier: MIT
#include "symbol/roots.h"

#include <elf.h>
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

#define OPEN_MS 2000
#define HUNG_MAX 3

// The mount tells namespaces apart whose root is the same directory; kernels before 5.8 say 0.
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

static bool is_known(const struct roots *roots, const struct statx *root)
{
    struct statx other;
    bool known = describe(AT_FDCWD, "/", &other) && same(&other, root);
    for (size_t i = 0; i < roots->count && !known; i++)
        known = describe(roots->fds[i], "", &other) && same(&other, root);
    return known;
}

void roots_add(struct roots *roots, pid_t pid)
{
    char path[64];
    struct statx info;
    if (roots->count == ROOTS_MAX)
        return;
    snprintf(path, sizeof path, "/proc/%d/root", (int)pid);
    AUTO_FD int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0 && describe(fd, "", &info) && !is_known(roots, &info))
        roots->fds[roots->count++] = steal_fd(&fd);
}

void roots_fini(struct roots *roots)
{
    for (size_t i = 0; i < roots->count; i++)
        close(roots->fds[i]);
    roots->count = 0;
}

static int open_beneath(int root, const char *path)
{
    struct open_how how = {
        .flags = O_PATH | O_CLOEXEC,
        .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
    };
    return (int)syscall(SYS_openat2, root, path, &how, sizeof how);
}

// A path is first only named (O_PATH): to open a FIFO or a device would already do something.
static int open_regular(int named)
{
    AUTO_FD int owned = named;
    struct stat info;
    char self[64], magic[SELFMAG];
    if (owned < 0 || fstat(owned, &info) != 0 || !S_ISREG(info.st_mode))
        return -1;
    snprintf(self, sizeof self, "/proc/self/fd/%d", owned);
    AUTO_FD int fd = open(self, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || pread(fd, magic, sizeof magic, 0) != sizeof magic ||
        memcmp(magic, ELFMAG, sizeof magic) != 0)
        return -1;
    return steal_fd(&fd);
}

struct opening { // one file; on its own, as it may outlive the roots
    struct roots roots;
    int fd;
    char path[];
};

static void open_now(void *context)
{
    struct opening *opening = context;
    opening->fd = -1;
    for (size_t i = 0; i < opening->roots.count && opening->fd < 0; i++)
        opening->fd = open_regular(open_beneath(opening->roots.fds[i], opening->path));
    if (opening->fd < 0)
        opening->fd = open_regular(open(opening->path, O_PATH | O_CLOEXEC));
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
    memcpy(opening->path, path, size);
    if (!patience_call(open_now, discard, opening, OPEN_MS)) {
        roots->hung++;
        return ROOTS_HUNG;
    }
    int fd = opening->fd;
    free(opening);
    return fd;
}
