// SPDX-License-Identifier: MIT
#include "wait/peer.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/map.h"
#include "base/mem.h"
#include "process/procfs.h"

#define LINKS_MAX 200000u // reading them takes about 0.3 s; descriptors beyond are ignored

struct peers {
    struct map others; // key_of -> pid
    struct map own;    // key_of -> 1
    const char *proc;
    pid_t self, pid;   // pid: the process that is being read
    int directory;     // descriptor of its fd directory
    unsigned links;
};

static uint64_t key_of(enum peer_end end, uint64_t inode)
{
    return inode * 4 + end;
}

static void put_first(struct peers *peers, enum peer_end end, uint64_t inode)
{
    uint64_t key = key_of(end, inode);
    if (peers->pid == peers->self)
        map_put(&peers->own, key, 1);
    else if (!map_get(&peers->others, key, 0))
        map_put(&peers->others, key, (uint32_t)peers->pid);
}

// The permissions of the link tell how the descriptor was opened.
static void put_pipe(struct peers *peers, const char *name, uint64_t inode)
{
    struct stat link;
    if (fstatat(peers->directory, name, &link, AT_SYMLINK_NOFOLLOW) != 0)
        return;
    if (link.st_mode & S_IRUSR)
        put_first(peers, PEER_PIPE_READER, inode);
    if (link.st_mode & S_IWUSR)
        put_first(peers, PEER_PIPE_WRITER, inode);
}

static void visit_link(struct peers *peers, const char *name)
{
    char to[64];
    uint64_t inode;
    ssize_t length = readlinkat(peers->directory, name, to, sizeof to - 1);
    if (length <= 0)
        return;
    to[length] = '\0';
    if (sscanf(to, "socket:[%" SCNu64 "]", &inode) == 1)
        put_first(peers, PEER_SOCKET, inode);
    else if (sscanf(to, "pipe:[%" SCNu64 "]", &inode) == 1)
        put_pipe(peers, name, inode);
}

static void visit_fd(void *context, pid_t fd)
{
    struct peers *peers = context;
    char name[16];
    snprintf(name, sizeof name, "%d", fd);
    if (peers->links++ < LINKS_MAX)
        visit_link(peers, name);
}

static void read_process(struct peers *peers, pid_t pid)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%d/fd", peers->proc, pid);
    AUTO_FD int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || peers->links >= LINKS_MAX)
        return;
    peers->pid = pid;
    peers->directory = fd;
    visit_link(peers, "0"); // procfs_each_number leaves out 0
    if (procfs_each_number(fd, visit_fd, peers) != RC_OK)
        return; // the process ended meanwhile
}

static void visit_process(void *context, pid_t pid)
{
    struct peers *peers = context;
    if (pid != getpid())
        read_process(peers, pid);
}

struct peers *peers_new(const char *proc, pid_t self)
{
    struct peers *peers = xcalloc(1, sizeof *peers);
    peers->proc = proc;
    peers->self = self;
    AUTO_FD int fd = open(proc, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || procfs_each_number(fd, visit_process, peers) != RC_OK)
        read_process(peers, self);
    return peers;
}

void peers_free(struct peers *peers)
{
    if (!peers)
        return;
    map_fini(&peers->others);
    map_fini(&peers->own);
    free(peers);
}

struct peer peers_find(const struct peers *peers, enum peer_end end, uint64_t inode)
{
    uint64_t key = key_of(end, inode);
    return (struct peer){
        .other = (pid_t)map_get(&peers->others, key, 0),
        .self = map_get(&peers->own, key, 0),
    };
}
