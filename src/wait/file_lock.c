// SPDX-License-Identifier: MIT
#include "wait/file_lock.h"

#include <stdio.h>
#include <string.h>
#include <inttypes.h>

struct lock_line { // a line such as "4: -> POSIX  ADVISORY  WRITE 812 08:02:131 0 EOF"
    unsigned number;
    bool waits;
    pid_t pid; // in our PID namespace
    uint64_t inode;
};

static bool parse_line(const char *text, struct lock_line *line)
{
    int at = 0;
    if (sscanf(text, "%u: %n", &line->number, &at) != 1 || !at)
        return false;
    line->waits = strncmp(text + at, "->", 2) == 0;
    text += at + (line->waits ? 2 : 0);
    return sscanf(text, "%*s %*s %*s %d %*x:%*x:%" SCNu64, &line->pid, &line->inode) == 2;
}

static bool file_inode(const struct finder *finder, int fd, uint64_t *inode)
{
    AUTO_BUF struct buf text = {0};
    const char *at;
    return procfs_read(&text, "%s/%d/fdinfo/%d", finder->proc, finder->process->pid, fd) ==
               RC_OK &&
           (at = strstr(text.data, "\nino:")) && sscanf(at, " ino: %" SCNu64, inode) == 1;
}

// In /proc/locks a waiter ("->") follows the lock that it waits for and has the same number.
void file_lock_put(struct finder *finder, const struct wait_thread *thread, struct buf *out)
{
    AUTO_BUF struct buf text = {0};
    uint64_t inode;
    if (!file_inode(finder, (int)thread->call.args[0], &inode) ||
        procfs_read(&text, "%s/locks", finder->proc) != RC_OK)
        return;
    struct lock_line holder = {0}, line;
    char *rest = text.data;
    for (char *at; (at = strsep(&rest, "\n"));) {
        if (!parse_line(at, &line))
            continue;
        if (!line.waits)
            holder = line;
        bool ours = line.waits && line.pid == finder->process->pid && line.inode == inode &&
                    line.number == holder.number;
        if (ours && holder.pid > 0) {
            buf_puts(out, ", held by ");
            finder_put_process(finder, holder.pid, out);
            return;
        }
    }
}
