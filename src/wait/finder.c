// SPDX-License-Identifier: MIT
#include "wait/finder.h"

#include <stdlib.h>

#include "base/escape.h"
#include "base/mem.h"
#include "wait/descriptor.h"
#include "wait/peer.h"
#include "wait/socket_table.h"

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

size_t finder_thread(const struct finder *finder, uint32_t inner_tid)
{
    uint32_t index = map_get(&finder->by_inner_tid, inner_tid, UINT32_MAX);
    return index == UINT32_MAX ? WAIT_NOBODY : index;
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
