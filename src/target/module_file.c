// SPDX-License-Identifier: MIT
#include "target/module_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

// A FIFO at the path must not block us, a terminal there must not become ours.
static int open_quietly(const char *path)
{
    return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
}

// By the inode alone: the device number of a file on overlayfs or btrfs is not the one that maps
// shows.
static bool is_same_file(int fd, const struct module *module)
{
    struct stat info;
    return fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_ino == module->inode;
}

// map_files leads to the inode itself, whatever became of its names, but needs privileges.
static int open_map_file(const struct module *module, pid_t tid, const struct proc_map *map)
{
    char path[96];
    (void)module;
    snprintf(path, sizeof path, "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, tid, map->start,
             map->end);
    return open_quietly(path);
}

static int open_exe(const struct module *module, pid_t tid, const struct proc_map *map)
{
    char path[64];
    (void)map;
    snprintf(path, sizeof path, "/proc/%d/exe", tid);
    AUTO_FD int fd = open_quietly(path);
    return fd >= 0 && is_same_file(fd, module) ? steal_fd(&fd) : -1;
}

// The path as the target sees it.
static int open_path(const struct module *module, pid_t tid, const struct proc_map *map)
{
    (void)map;
    AUTO_FREE char *path = xasprintf("/proc/%d/root%s", tid, module->path);
    AUTO_FD int fd = open_quietly(path);
    if (fd < 0 || !is_same_file(fd, module))
        return -1;
    return steal_fd(&fd);
}

static int (*const openers[])(const struct module *, pid_t, const struct proc_map *) = {
    open_map_file,
    open_exe,
    open_path,
};

void module_file_load(struct module *module, pid_t tid, const struct proc_map *map)
{
    struct err err = {.text = "its file cannot be opened, or is another one now"};
    for (size_t i = 0; i < ARRAY_LENGTH(openers); i++) {
        int fd = openers[i](module, tid, map);
        if (fd >= 0 && image_open(fd, &module->image, &err) == RC_OK)
            return;
    }
    module->problem = xstrdup(err.text);
}

// Every 64-bit process of a machine has the same vdso, so ours serves. Its size is not to be had;
// the section headers stand at its end.
void module_vdso_load(struct module *module)
{
    const unsigned char *base = (const unsigned char *)getauxval(AT_SYSINFO_EHDR);
    Elf64_Ehdr header;
    if (!base) {
        module->problem = xstrdup("this process has no vdso");
        return;
    }
    memcpy(&header, base, sizeof header);
    size_t size = header.e_shoff + (size_t)header.e_shnum * header.e_shentsize;
    struct err err;
    if (image_wrap(base, size, &module->image, &err) != RC_OK)
        module->problem = xstrdup(err.text);
}

bool module_file_is_exe(const struct module *module, pid_t tid)
{
    char path[64];
    struct stat info;
    snprintf(path, sizeof path, "/proc/%d/exe", tid);
    return stat(path, &info) == 0 && info.st_ino == module->inode;
}
