// SPDX-License-Identifier: MIT
#include "wait/finder.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/mem.h"
#include "process/control_group.h"
#include "symbol/reader/demangle.h"
#include "wait/descriptor.h"
#include "wait/peer.h"
#include "wait/socket_table.h"

// Returns false when that is not known. The initial PID namespace has a constant inode number.
static bool is_nested(const char *proc, pid_t pid)
{
    char path[PATH_MAX], link[64] = "";
    snprintf(path, sizeof path, "%s/%d/ns/pid", proc, (int)pid);
    return readlink(path, link, sizeof link - 1) > 0 && strcmp(link, "pid:[4026531836]") != 0;
}

void finder_init(struct finder *finder, const struct wait_process *process)
{
    *finder = (struct finder){
        .process = process,
        .proc = process->proc ? process->proc : "/proc",
        .same_namespace = true,
        .locks = xcalloc(process->count + 1, sizeof *finder->locks),
    };
    for (size_t i = 0; i < process->count; i++) {
        const struct wait_thread *thread = &process->threads[i];
        if (thread->inner_tid > 0)
            map_put(&finder->by_inner_tid, (uint64_t)thread->inner_tid, (uint32_t)i);
        if (thread->inner_tid != thread->tid)
            finder->same_namespace = false;
    }
}

void finder_look_around(struct finder *finder)
{
    const struct wait_process *process = finder->process;
    finder->frozen = !process->proc && control_group_is_frozen(process->pid);
    finder->nested = !finder->same_namespace || is_nested(finder->proc, process->pid);
}

void finder_fini(struct finder *finder)
{
    map_fini(&finder->by_inner_tid);
    socket_table_free(finder->sockets);
    peers_free(finder->peers);
    descriptors_free(finder->descriptors);
    free(finder->locks);
}

bool finder_read(const struct finder *finder, uint64_t address, void *to, size_t length)
{
    return finder->process->read && finder->process->read(finder->process->context, address, to,
                                                          length);
}

bool finder_read_given(const struct finder *finder, uint64_t address, void *to, size_t length)
{
    const struct wait_thread *thread = finder->asking;
    uint64_t start = thread && thread->stack_address ? thread->stack_address
                     : thread                        ? thread->call.sp
                                                     : 0;
    bool copied = thread && thread->stack && address >= start &&
                  length <= thread->stack_length &&
                  address - start <= thread->stack_length - length;
    if (!copied)
        return finder_read(finder, address, to, length);
    memcpy(to, (const char *)thread->stack + (address - start), length);
    return true;
}

size_t finder_thread(const struct finder *finder, uint32_t inner_tid)
{
    uint32_t index = map_get(&finder->by_inner_tid, inner_tid, UINT32_MAX);
    return index == UINT32_MAX ? WAIT_NOBODY : index;
}

char *finder_name_object(const struct finder *finder, uint64_t address)
{
    const struct wait_process *process = finder->process;
    uint64_t offset = 0;
    const char *name = address && process->object
                           ? process->object(process->context, address, &offset)
                           : NULL;
    if (!name || !name[0])
        return NULL;
    AUTO_FREE char *plain = demangle(name);
    struct buf text = {0};
    escape_text(&text, plain ? plain : name);
    if (offset)
        buf_printf(&text, "+%#" PRIx64, offset);
    return text.data;
}

static void put_named(struct buf *out, pid_t id, const char *name)
{
    buf_printf(out, "%d \"", id);
    escape_text(out, name);
    buf_putc(out, '"');
}

void finder_put_thread(const struct finder *finder, size_t thread, struct buf *out)
{
    put_named(out, finder->process->threads[thread].tid, finder->process->threads[thread].comm);
}

void finder_put_process(const struct finder *finder, pid_t pid, struct buf *out)
{
    AUTO_BUF struct buf text = {0};
    if (procfs_read(&text, "%s/%d/comm", finder->proc, pid) != RC_OK || !text.length) {
        buf_printf(out, "%d", pid);
        return;
    }
    if (text.data[text.length - 1] == '\n')
        text.data[text.length - 1] = '\0';
    put_named(out, pid, text.data);
}

bool finder_has_ended(const struct finder *finder, pid_t pid)
{
    AUTO_BUF struct buf text = {0};
    struct proc_status status;
    return procfs_read(&text, "%s/%d/status", finder->proc, pid) != RC_OK ||
           !proc_status_parse(text.data, &status) || status.state == 'Z' || status.state == 'X';
}
