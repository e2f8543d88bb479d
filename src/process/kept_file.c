// SPDX-License-Identifier: MIT
#include "process/kept_file.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "process/regular_file.h"

#define KEPT_MOST 1024ul
#define KEPT_SHARE 4ul // at most 1 / KEPT_SHARE of our descriptors are kept open

struct kept_file {
    int fd;     // -1: closed for now
    char *path; // path by which it can be opened again; NULL: there is none
    // Opens the file instead of `path`; if this is NULL too, the file stays open.
    int (*reopen)(void *context);
    void *context;
    struct stat info;
    unsigned pins;
    struct kept_file *newer, *older; // links of the list of open files
};

// Opening a file and looking one up may block for ever, so neither is done under this lock.
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct kept_file *newest, *oldest;
static unsigned long open_count, open_most;

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static void unlist(struct kept_file *file)
{
    *(file->newer ? &file->newer->older : &newest) = file->older;
    *(file->older ? &file->older->newer : &oldest) = file->newer;
    file->newer = file->older = NULL;
    open_count--;
}

static void list(struct kept_file *file)
{
    file->older = newest;
    *(newest ? &newest->newer : &oldest) = file;
    newest = file;
    open_count++;
}

static void pin(struct kept_file *file)
{
    file->pins++;
    unlist(file);
    list(file);
}

void kept_file_prepare(void)
{
    unsigned long share = limits_files() / KEPT_SHARE;
    open_most = share < KEPT_MOST ? share : KEPT_MOST;
}

static bool can_reopen(const struct kept_file *file)
{
    return file->path || file->reopen;
}

// Returns the least recently used file that may be closed, pinned; NULL when few enough are open.
static struct kept_file *find_excess(void)
{
    struct kept_file *file = NULL;
    pthread_mutex_lock(&lock);
    if (!open_most)
        kept_file_prepare();
    if (open_count > open_most)
        for (file = oldest; file && (file->pins || !can_reopen(file)); file = file->newer)
            ;
    if (file)
        file->pins++;
    pthread_mutex_unlock(&lock);
    return file;
}

static void close_pinned(struct kept_file *file)
{
    struct stat info;
    bool same = file->reopen ||
                (stat(file->path, &info) == 0 && is_same(&info, &file->info));
    pthread_mutex_lock(&lock);
    file->pins--;
    if (!same)
        free(steal_ptr(&file->path));
    else if (!file->pins) {
        close(steal_fd(&file->fd));
        unlist(file);
    }
    pthread_mutex_unlock(&lock);
}

static void close_excess(void)
{
    for (struct kept_file *file; (file = find_excess());)
        close_pinned(file);
}

static char *path_of(int fd)
{
    char link[48], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path);
    bool whole = length > 0 && length < (ssize_t)sizeof path && path[0] == '/';
    return whole ? xstrndup(path, (size_t)length) : NULL;
}

struct kept_file *kept_file_new(int fd)
{
    struct kept_file *file = xcalloc(1, sizeof *file);
    file->fd = fd;
    file->path = fstat(fd, &file->info) == 0 ? path_of(fd) : NULL;
    pthread_mutex_lock(&lock);
    list(file);
    pthread_mutex_unlock(&lock);
    close_excess();
    return file;
}

void kept_file_reopen_by(struct kept_file *file, int (*reopen_it)(void *context), void *context)
{
    file->reopen = reopen_it;
    file->context = context;
}

void kept_file_free(struct kept_file *file)
{
    if (!file)
        return;
    pthread_mutex_lock(&lock);
    if (file->fd >= 0)
        unlist(file);
    pthread_mutex_unlock(&lock);
    cleanup_fd(&file->fd);
    free(file->path);
    free(file);
}

int kept_file_take_open(struct kept_file *file)
{
    pthread_mutex_lock(&lock);
    int fd = file->fd;
    if (fd >= 0)
        pin(file);
    pthread_mutex_unlock(&lock);
    return fd;
}

static int reopen(const struct kept_file *file, struct stat *info)
{
    if (!file->reopen)
        return regular_file_open(file->path, info);
    AUTO_FD int opened = file->reopen(file->context);
    return opened >= 0 && fstat(opened, info) == 0 ? steal_fd(&opened) : -1;
}

int kept_file_take(struct kept_file *file)
{
    struct stat info;
    int fd = kept_file_take_open(file);
    if (fd >= 0)
        return fd;
    AUTO_FD int opened = reopen(file, &info);
    if (opened < 0)
        limits_note(errno);
    if (opened < 0 || !is_same(&info, &file->info))
        return -1;
    pthread_mutex_lock(&lock);
    if (file->fd < 0) {
        file->fd = steal_fd(&opened);
        list(file);
    }
    fd = file->fd;
    pin(file);
    pthread_mutex_unlock(&lock);
    close_excess();
    return fd;
}

void kept_file_give(struct kept_file *file)
{
    pthread_mutex_lock(&lock);
    file->pins--;
    pthread_mutex_unlock(&lock);
}
