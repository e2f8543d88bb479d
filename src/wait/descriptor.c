// SPDX-License-Identifier: MIT
#include "wait/descriptor.h"

#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/escape.h"
#include "base/figures.h"
#include "base/mem.h"
#include "wait/peer.h"
#include "wait/socket_table.h"
#include "wait/unix_peer.h"

#define WATCHED_SHOWN 4

struct descriptor {
    struct finder *finder;
    int fd;
    enum descriptor_detail detail;
    char path[256], link[4096]; // path of /proc/PID/fd/N; target of that link
};

static const struct peers *peers_of(struct finder *finder)
{
    if (!finder->peers)
        finder->peers = peers_new(finder->proc, finder->process->pid);
    return finder->peers;
}

static const struct socket_table *sockets_of(struct finder *finder)
{
    if (!finder->sockets)
        finder->sockets = socket_table_new(finder->proc, finder->process->pid);
    return finder->sockets;
}

static uint64_t number_in(const char *link)
{
    const char *bracket = strchr(link, '[');
    return bracket ? strtoull(bracket + 1, NULL, 10) : 0;
}

// Names the process that has the other end, if we may see it.
static void put_owner(struct finder *finder, enum peer_end end, uint64_t inode,
                      const char *before, struct buf *out)
{
    struct peer peer = peers_find(peers_of(finder), end, inode);
    if (!peer.self && !peer.other)
        return;
    buf_puts(out, before);
    if (peer.self)
        buf_puts(out, peer.other ? "this process and " : "this process");
    if (peer.other)
        finder_put_process(finder, peer.other, out);
}

static void put_connection(struct descriptor *descriptor, const struct socket_entry *entry,
                           struct buf *out)
{
    struct finder *finder = descriptor->finder;
    const struct socket_entry *peer = socket_table_peer(sockets_of(finder), entry);
    const char *state = socket_entry_state(entry);
    buf_printf(out, "%s ", entry->protocol);
    socket_end_put(&entry->local, out);
    if (entry->remote.port) {
        buf_puts(out, " to ");
        socket_end_put(&entry->remote, out);
    }
    if (peer && peer->inode && descriptor->detail == DESCRIPTOR_FULL)
        put_owner(finder, PEER_SOCKET, peer->inode, " of ", out);
    if (state[0])
        buf_printf(out, ", %s", state);
}

// A client socket has no path, so the path of its peer is shown.
static void put_unix(struct descriptor *descriptor, const struct socket_entry *entry,
                     struct buf *out)
{
    struct finder *finder = descriptor->finder;
    bool ask = !entry->listening && descriptor->detail == DESCRIPTOR_FULL;
    uint64_t inode = ask ? unix_peer_find(finder->proc, finder->process->pid, entry->inode) : 0;
    const struct socket_entry *peer = inode ? socket_table_find(sockets_of(finder), inode) : NULL;
    const char *path = entry->path ? entry->path : peer ? peer->path : NULL;
    buf_puts(out, "unix socket");
    if (path) {
        buf_putc(out, ' ');
        escape_text(out, path);
    }
    if (entry->listening)
        buf_puts(out, ", listening");
    if (inode)
        put_owner(finder, PEER_SOCKET, inode, " to ", out);
}

static void put_socket(struct descriptor *descriptor, struct buf *out)
{
    const struct socket_entry *entry =
        socket_table_find(sockets_of(descriptor->finder), number_in(descriptor->link));
    if (!entry)
        buf_puts(out, "socket");
    else if (entry->protocol[0] == 'u' && entry->protocol[1] == 'n')
        put_unix(descriptor, entry, out);
    else
        put_connection(descriptor, entry, out);
}

static void put_pipe(struct descriptor *descriptor, struct buf *out)
{
    struct stat link;
    buf_puts(out, "pipe");
    if (descriptor->detail == DESCRIPTOR_BRIEF || lstat(descriptor->path, &link) != 0)
        return;
    bool reads = link.st_mode & S_IRUSR;
    put_owner(descriptor->finder, reads ? PEER_PIPE_WRITER : PEER_PIPE_READER,
              number_in(descriptor->link), reads ? ", written by " : ", read by ", out);
}

static bool read_fdinfo(const struct descriptor *descriptor, struct buf *text)
{
    return procfs_read(text, "%s/%d/fdinfo/%d", descriptor->finder->proc,
                       descriptor->finder->process->pid, descriptor->fd) == RC_OK;
}

static void put_timer(struct descriptor *descriptor, struct buf *out)
{
    AUTO_BUF struct buf text = {0};
    unsigned long long s, ns;
    char shown[FIGURES_MOST];
    buf_puts(out, "timerfd");
    const char *value = read_fdinfo(descriptor, &text) ? strstr(text.data, "\nit_value:") : NULL;
    if (!value || sscanf(value, " it_value: (%llu, %llu)", &s, &ns) != 2 || s > INT32_MAX)
        return;
    if (s || ns)
        buf_printf(out, ", due in %s",
                   figures_duration((int64_t)(s * NS_PER_S + ns), shown));
    else
        buf_puts(out, ", not set");
}

static void put_epoll(struct descriptor *descriptor, struct buf *out)
{
    AUTO_BUF struct buf text = {0};
    buf_puts(out, "epoll");
    if (descriptor->detail == DESCRIPTOR_BRIEF || !read_fdinfo(descriptor, &text))
        return;
    size_t count = 0;
    for (const char *at = text.data; (at = strstr(at, "tfd:")); count++) {
        at += strlen("tfd:");
        if (count >= WATCHED_SHOWN)
            continue;
        buf_puts(out, count ? ", " : " of ");
        descriptor_put(descriptor->finder, (int)strtol(at, NULL, 10), DESCRIPTOR_BRIEF, out);
    }
    if (count > WATCHED_SHOWN)
        buf_printf(out, " and %zu more", count - WATCHED_SHOWN);
    if (!count)
        buf_puts(out, ", watches nothing");
}

static void put_link(struct descriptor *descriptor, struct buf *out)
{
    escape_text(out, descriptor->link);
}

// The type is found by the beginning of the link's target.
static const struct type {
    const char *link, *text; // NULL: put writes the text
    enum wait_kind kind;
    void (*put)(struct descriptor *descriptor, struct buf *out);
} types[] = {
    {"socket:[", NULL, WAIT_SOCKET, put_socket},
    {"pipe:[", NULL, WAIT_PIPE, put_pipe},
    {"anon_inode:[eventfd]", "eventfd", WAIT_FILE, NULL},
    {"anon_inode:[timerfd]", NULL, WAIT_FILE, put_timer},
    {"anon_inode:[eventpoll]", NULL, WAIT_POLL, put_epoll},
    {"anon_inode:[signalfd]", "signalfd", WAIT_FILE, NULL},
    {"anon_inode:inotify", "inotify", WAIT_FILE, NULL},
    {"anon_inode:[inotify]", "inotify", WAIT_FILE, NULL},
    {"anon_inode:[io_uring]", "io_uring", WAIT_FILE, NULL},
    {"anon_inode:[pidfd]", "pidfd", WAIT_FILE, NULL},
    {"anon_inode:[userfaultfd]", "userfaultfd", WAIT_FILE, NULL},
    {"", NULL, WAIT_FILE, put_link},
};

static const struct type *type_of(const char *link)
{
    const struct type *type = types;
    while (strncmp(link, type->link, strlen(type->link)) != 0)
        type++;
    return type;
}

// AT_STATX_DONT_SYNC: the file server is not asked, because the thread may be waiting for it.
static bool is_fifo(const struct descriptor *descriptor)
{
    struct statx file;
    return statx(AT_FDCWD, descriptor->path, AT_STATX_DONT_SYNC, STATX_TYPE, &file) == 0 &&
           S_ISFIFO(file.stx_mode);
}

static enum wait_kind describe(struct finder *finder, int fd, enum descriptor_detail detail,
                               struct buf *out)
{
    struct descriptor descriptor = {.finder = finder, .fd = fd, .detail = detail};
    buf_printf(out, "fd %d", fd);
    snprintf(descriptor.path, sizeof descriptor.path, "%s/%d/fd/%d", finder->proc,
             finder->process->pid, fd);
    ssize_t length = readlink(descriptor.path, descriptor.link, sizeof descriptor.link - 1);
    if (length <= 0)
        return WAIT_FILE; // closed, or we may not read the link
    const struct type *type = type_of(descriptor.link);
    buf_puts(out, " (");
    if (type->text)
        buf_puts(out, type->text);
    else
        type->put(&descriptor, out);
    buf_putc(out, ')');
    return descriptor.link[0] == '/' && is_fifo(&descriptor) ? WAIT_PIPE : type->kind;
}

enum wait_kind descriptor_kind(const struct finder *finder, int fd)
{
    struct descriptor descriptor = {.fd = fd};
    struct statx file;
    snprintf(descriptor.path, sizeof descriptor.path, "%s/%d/fd/%d", finder->proc,
             finder->process->pid, fd);
    if (readlink(descriptor.path, descriptor.link, sizeof descriptor.link - 1) <= 0)
        return WAIT_FILE;
    enum wait_kind kind = type_of(descriptor.link)->kind;
    if (descriptor.link[0] != '/' ||
        statx(AT_FDCWD, descriptor.path, AT_STATX_DONT_SYNC, STATX_TYPE, &file) != 0)
        return kind;
    return S_ISFIFO(file.stx_mode)                               ? WAIT_PIPE
           : S_ISREG(file.stx_mode) || S_ISBLK(file.stx_mode) ? WAIT_DISK
                                                                 : kind;
}

// Many threads may wait for one descriptor, and an epoll may watch a hundred thousand, so each
// descriptor is described only once.
struct descriptors {
    struct map by_fd; // fd -> index
    struct described {
        char *text;
        enum wait_kind kind;
    } *all;
    size_t count, capacity;
};

void descriptors_free(struct descriptors *descriptors)
{
    if (!descriptors)
        return;
    for (size_t i = 0; i < descriptors->count; i++)
        free(descriptors->all[i].text);
    free(descriptors->all);
    map_fini(&descriptors->by_fd);
    free(descriptors);
}

static const struct described *remember(struct finder *finder, int fd)
{
    struct buf text = {0};
    enum wait_kind kind = describe(finder, fd, DESCRIPTOR_FULL, &text);
    struct descriptors *descriptors = finder->descriptors;
    map_put(&descriptors->by_fd, (uint64_t)fd, (uint32_t)descriptors->count);
    ARRAY_RESERVE(descriptors->all, descriptors->count, descriptors->capacity);
    descriptors->all[descriptors->count] = (struct described){text.data, kind};
    return &descriptors->all[descriptors->count++];
}

enum wait_kind descriptor_put(struct finder *finder, int fd, enum descriptor_detail detail,
                              struct buf *out)
{
    if (detail == DESCRIPTOR_BRIEF)
        return describe(finder, fd, detail, out);
    if (!finder->descriptors)
        finder->descriptors = xcalloc(1, sizeof *finder->descriptors);
    uint32_t index = map_get(&finder->descriptors->by_fd, (uint64_t)fd, UINT32_MAX);
    const struct described *described =
        index == UINT32_MAX ? remember(finder, fd) : &finder->descriptors->all[index];
    buf_puts(out, described->text);
    return described->kind;
}
