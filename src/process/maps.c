// SPDX-License-Identifier: MIT
#include "process/maps.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/map.h"
#include "base/mem.h"

#define TEXT_MAX (256u << 20) // bytes; the limit of procfs_read too
#define AUXV_MAX 1024         // bytes; today's kernels give about 350

// struct procmap_query of Linux 6.11 (linux/fs.h), which the headers of Debian 12 lack.
struct map_query {
    uint64_t size, flags, address;                                  // the question
    uint64_t start, end, vma_flags, page_size, offset, inode;       // the answer
    uint32_t device_major, device_minor;
    uint32_t name_size, build_id_size;                              // 0: not wanted
    uint64_t name, build_id;
};
#define MAP_QUERY _IOWR('f', 17, struct map_query)
#define MAP_QUERY_READABLE 1u
#define MAP_QUERY_WRITABLE 2u
#define MAP_QUERY_EXECUTABLE 4u
#define MAP_QUERY_SHARED 8u

enum rc maps_open(struct maps *maps, pid_t pid, pid_t tid)
{
    char path[64];
    *maps = MAPS_NONE;
    snprintf(path, sizeof path, "/proc/%d/task/%d/maps", (int)pid, (int)tid);
    maps->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (maps->fd >= 0)
        return RC_OK;
    return errno == ENOENT || errno == ESRCH ? RC_GONE
           : errno == EACCES || errno == EPERM ? RC_DENIED
                                               : RC_IO;
}

void maps_close(struct maps *maps)
{
    cleanup_fd(&maps->fd);
    *maps = MAPS_NONE;
}

static uint64_t checksum_of(const struct buf *text)
{
    uint64_t sum = text->length, word;
    size_t at = 0;
    for (; at + sizeof word <= text->length; at += sizeof word) {
        memcpy(&word, text->data + at, sizeof word);
        sum = map_hash(sum ^ word);
    }
    for (; at < text->length; at++)
        sum = map_hash(sum ^ (unsigned char)text->data[at]);
    return sum;
}

static enum rc read_text(struct maps *maps, struct buf *text)
{
    buf_clear(text);
    if (maps->fd < 0 || lseek(maps->fd, 0, SEEK_SET) != 0)
        return RC_GONE;
    enum rc rc = buf_read_fd(text, maps->fd, TEXT_MAX);
    return rc == RC_OK && !text->length ? RC_GONE : rc;
}

enum rc maps_read(struct maps *maps, struct buf *text)
{
    enum rc rc = read_text(maps, text);
    if (rc == RC_OK)
        maps->checksum = checksum_of(text);
    return rc;
}

enum rc maps_compare(struct maps *maps, bool *same)
{
    AUTO_BUF struct buf text = {0};
    enum rc rc = read_text(maps, &text);
    *same = rc == RC_OK && checksum_of(&text) == maps->checksum;
    return rc;
}

enum maps_answer maps_ask(struct maps *maps, uint64_t address, struct proc_map *map)
{
    struct map_query query = {.size = sizeof query, .address = address};
    if (maps->deaf)
        return MAPS_DEAF;
    if (ioctl(maps->fd, MAP_QUERY, &query) != 0) {
        maps->deaf = errno != ENOENT && errno != ESRCH && errno != EINTR;
        return errno == ENOENT ? MAPS_NOTHING : errno == ESRCH ? MAPS_GONE : MAPS_DEAF;
    }
    *map = (struct proc_map){
        .start = query.start,
        .end = query.end,
        .offset = query.offset,
        .readable = query.vma_flags & MAP_QUERY_READABLE,
        .writable = query.vma_flags & MAP_QUERY_WRITABLE,
        .executable = query.vma_flags & MAP_QUERY_EXECUTABLE,
        .shared = query.vma_flags & MAP_QUERY_SHARED,
        .device = makedev(query.device_major, query.device_minor),
        .inode = query.inode,
    };
    return MAPS_FOUND;
}

struct image_file { // an open file of the first thread that has one
    int task_fd;
    const char *name;
    int fd;
};

static void try_thread(void *context, pid_t tid)
{
    struct image_file *file = context;
    char path[64];
    uint64_t word; // pagemap is read in words
    if (file->fd >= 0)
        return;
    snprintf(path, sizeof path, "%d/%s", (int)tid, file->name);
    AUTO_FD int fd = openat(file->task_fd, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        limits_note(errno);
    else if (pread(fd, &word, sizeof word, 0) > 0)
        file->fd = steal_fd(&fd);
}

int maps_file_open(int task_fd, pid_t pid, const char *name)
{
    struct image_file file = {task_fd, name, -1};
    try_thread(&file, pid);
    if (file.fd < 0 && procfs_each_number(task_fd, try_thread, &file) != RC_OK)
        limits_note(errno);
    return file.fd;
}

bool maps_file_is_current(int fd)
{
    char byte;
    return fd >= 0 && pread(fd, &byte, 1, 0) == 1;
}

// AT_STATX_DONT_SYNC answers from what the kernel has cached: the file system may not answer.
static uint64_t inode_of_program(pid_t pid, pid_t tid)
{
    char path[64];
    struct statx info;
    snprintf(path, sizeof path, "/proc/%d/task/%d/exe", (int)pid, (int)tid);
    bool known = statx(AT_FDCWD, path, AT_STATX_DONT_SYNC, STATX_INO, &info) == 0;
    return known ? info.stx_ino : 0;
}

uint64_t maps_image_number(pid_t pid, pid_t tid)
{
    char path[64];
    uint64_t words[AUXV_MAX / 8], number = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%d/auxv", (int)pid, (int)tid);
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? read(fd, words, sizeof words) : -1;
    if (got < (ssize_t)sizeof *words || !words[0])
        return 0; // exec is still setting the process up
    for (size_t i = 0; i < (size_t)got / sizeof *words; i++)
        number = map_hash(number ^ words[i]);
    return map_hash(number ^ inode_of_program(pid, tid));
}
