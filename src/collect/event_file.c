// SPDX-License-Identifier: MIT
#include "collect/event_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"

#define GROUP 4096u        // events that are dropped together: they fill pages to the last byte
#define STEP (GROUP * 21u) // by which the file grows: about 4 MiB
#define LEAST STEP         // that a trace needs

static size_t bytes_of(size_t events)
{
    return events * sizeof(struct recorded);
}

static int open_nameless(const char *directory)
{
    AUTO_FREE char *path = xasprintf("%s/.ptprof-trace-XXXXXX", directory);
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    return fd;
}

// Room on the disk is taken beforehand, because there is no answer to a write to memory that fails.
static bool grow(struct event_file *file, size_t events)
{
    size_t room = file->room + events < file->capacity ? file->room + events : file->capacity;
    if (room == file->room ||
        posix_fallocate(file->fd, 0, (off_t)bytes_of(room)) != 0)
        return false;
    file->room = room;
    return true;
}

static bool map(struct event_file *file)
{
    void *mapped = MAP_FAILED;
    for (; file->capacity >= LEAST; file->capacity = file->capacity / 2 / GROUP * GROUP) {
        file->mapped = bytes_of(file->capacity);
        mapped = mmap(NULL, file->mapped, PROT_READ | PROT_WRITE, MAP_SHARED, file->fd, 0);
        if (mapped != MAP_FAILED)
            break;
    }
    file->events = mapped == MAP_FAILED ? NULL : mapped;
    return file->events;
}

enum rc event_file_open(struct event_file *file, const char *const *directories, uint64_t size,
                        struct err *err)
{
    size_t capacity = (size_t)(size / sizeof(struct recorded)) / GROUP * GROUP;
    capacity = capacity < LEAST ? LEAST : capacity;
    int errnum = ENOENT;
    for (; *directories; directories++) {
        *file = (struct event_file){.fd = open_nameless(*directories), .capacity = capacity};
        if (file->fd >= 0 && map(file) && grow(file, LEAST))
            return RC_OK;
        errnum = errno;
        event_file_close(file);
    }
    return limits_sys(err, RC_IO, errnum, "no room for the events of a trace");
}

void event_file_close(struct event_file *file)
{
    if (file->events)
        munmap(file->events, file->mapped);
    if (file->fd >= 0)
        close(file->fd);
    *file = (struct event_file){.fd = -1};
}

// The file does not grow once events have been dropped: their order in the ring depends on its
// size.
static void make_room(struct event_file *file)
{
    if (file->end < (int64_t)file->room || (!file->first && grow(file, STEP)))
        return;
    file->capacity = file->room;
    if (file->end - file->first < (int64_t)file->capacity)
        return;
    int64_t until = file->first + GROUP;
    for (; file->first < until; file->first++)
        file->drop(file->context, file->first,
                   &file->events[(size_t)file->first % file->capacity]);
}

int64_t event_file_append(struct event_file *file, const struct recorded *recorded)
{
    make_room(file);
    file->events[(size_t)file->end % file->capacity] = *recorded;
    return file->end++;
}

struct recorded *event_file_at(const struct event_file *file, int64_t number)
{
    bool there = number >= file->first && number < file->end;
    return there ? &file->events[(size_t)number % file->capacity] : NULL;
}

// Maps the ring once more from its oldest event on, behind some room.
static unsigned char *map_in_order(const struct event_file *file, size_t front)
{
    size_t all = bytes_of(file->capacity), at = bytes_of((size_t)file->first % file->capacity);
    unsigned char *whole =
        mmap(NULL, front + all, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int flags = MAP_SHARED | MAP_FIXED, protection = PROT_READ | PROT_WRITE;
    if (whole == MAP_FAILED)
        return NULL;
    void *end = mmap(whole + front, all - at, protection, flags, file->fd, (off_t)at);
    void *beginning =
        at ? mmap(whole + front + all - at, at, protection, flags, file->fd, 0) : end;
    if (end != MAP_FAILED && beginning != MAP_FAILED)
        return whole;
    munmap(whole, front + all);
    return NULL;
}

// An event is shorter without what only recording needs: they move towards the front in place.
enum rc event_file_finish(struct event_file *file, const struct timeline_event *old, size_t count,
                          struct timeline *timeline, struct err *err)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), need = count * sizeof *old;
    size_t front = (need + page - 1) / page * page, events = (size_t)(file->end - file->first);
    munmap(file->events, file->mapped);
    file->events = NULL;
    unsigned char *whole = map_in_order(file, front);
    if (!whole)
        return limits_sys(err, RC_LIMIT, errno, "no room for the events of a trace");
    struct timeline_event *to = (void *)(whole + front - need);
    const struct recorded *from = (const void *)(whole + front);
    if (count)
        memcpy(to, old, need);
    for (size_t i = 0; i < events; i++) {
        struct timeline_event event = from[i].event;
        to[count + i] = event;
    }
    timeline_take_mapping(timeline, whole, front + bytes_of(file->capacity), to, count + events);
    event_file_close(file);
    return RC_OK;
}
