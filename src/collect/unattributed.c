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
    uint64_t placed_ns; // part of it that wall time has in the threads that used it
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

void unattributed_place(struct unattributed *unattributed, pid_t pid, const char *comm,
                        uint64_t ns)
{
    if (ns)
        row_of(unattributed, pid, comm)->placed_ns += ns;
}

void unattributed_add_children(struct unattributed *unattributed, pid_t parent, const char *comm,
                               uint64_t ns)
{
    AUTO_FREE char *name = xasprintf("[children of %s]", comm);
    unattributed_add(unattributed, parent, name, ns);
}

static const struct mapping *nowhere(struct modules *modules)
{
    return modules_special(modules, MODULE_SPECIAL, "[unattributed]");
}

uint32_t unattributed_stack(struct modules *modules, struct profile *profile)
{
    uint32_t location = profile_location(profile, nowhere(modules)->id, 0);
    return profile_stack(profile, &location, 1);
}

static void store(struct profile *profile, uint32_t stack, uint32_t thread,
                  enum profile_state state, uint64_t ns)
{
    profile_add(profile, profile_value_at(profile, stack, thread, state), 0, ns);
}

void unattributed_store(const struct unattributed *unattributed, struct modules *modules,
                        struct profile *profile, bool wall)
{
    uint32_t stack = unattributed_stack(modules, profile);
    for (size_t i = 0; i < unattributed->count; i++) {
        const struct unattributed_row *row = &unattributed->rows[i];
        if (!row->ns)
            continue;
        uint32_t thread =
            profile_thread_add(profile, row->pid, 0, nowhere(modules)->module->path, row->comm);
        store(profile, stack, thread, STATE_CPU, row->ns);
        if (wall && row->ns > row->placed_ns)
            store(profile, stack, thread, STATE_RUNNING, row->ns - row->placed_ns);
    }
}
