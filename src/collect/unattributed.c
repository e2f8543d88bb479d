// SPDX-License-Identifier: MIT
#include "collect/unattributed.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define ROWS_MAX 256 // programs that have an entry each

static const char others[] = "[others]";

struct unattributed_row {
    char *comm;
    pid_t pid; // 0: of several processes
    uint64_t ns;
};

void unattributed_fini(struct unattributed *unattributed)
{
    for (size_t i = 0; i < unattributed->count; i++)
        free(unattributed->rows[i].comm);
    free(unattributed->rows);
    *unattributed = (struct unattributed){0};
}

static struct unattributed_row *row_of(struct unattributed *unattributed, pid_t pid,
                                       const char *comm)
{
    for (size_t i = 0; i < unattributed->count; i++)
        if (strcmp(unattributed->rows[i].comm, comm) == 0)
            return &unattributed->rows[i];
    if (unattributed->count >= ROWS_MAX && comm != others)
        return row_of(unattributed, 0, others);
    ARRAY_RESERVE(unattributed->rows, unattributed->count, unattributed->capacity);
    struct unattributed_row *row = &unattributed->rows[unattributed->count++];
    *row = (struct unattributed_row){.comm = xstrdup(comm), .pid = pid};
    return row;
}

void unattributed_add(struct unattributed *unattributed, pid_t pid, const char *comm, uint64_t ns)
{
    if (!ns)
        return;
    struct unattributed_row *row = row_of(unattributed, pid, comm);
    row->ns += ns;
    row->pid = row->pid == pid ? pid : 0;
    unattributed->ns += ns;
}

void unattributed_add_children(struct unattributed *unattributed, pid_t parent, const char *comm,
                               uint64_t ns)
{
    AUTO_FREE char *name = xasprintf("[children of %s]", comm);
    unattributed_add(unattributed, parent, name, ns);
}

void unattributed_store(const struct unattributed *unattributed, struct modules *modules,
                        struct profile *profile, bool wall)
{
    const struct mapping *mapping = modules_special(modules, MODULE_SPECIAL, "[unattributed]");
    uint32_t location = profile_location(profile, mapping->id, 0);
    uint32_t stack = profile_stack(profile, &location, 1);
    for (size_t i = 0; i < unattributed->count; i++) {
        const struct unattributed_row *row = &unattributed->rows[i];
        uint32_t thread =
            profile_thread_add(profile, row->pid, 0, mapping->module->path, row->comm);
        for (enum profile_state state = STATE_CPU; state <= (wall ? STATE_RUNNING : STATE_CPU);
             state++)
            profile_add(profile, profile_value_at(profile, stack, thread, state), 0, row->ns);
    }
}
