// SPDX-License-Identifier: MIT
#include "serve/target.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "process/permission.h"
#include "serve/deadlock_look.h"

static void name(const struct target_list *list, struct serve_target *target)
{
    int length = snprintf(target->id, sizeof target->id, "%s", target->comm);
    for (char *byte = target->id; *byte; byte++)
        if (!strchr("-._", *byte) && !(*byte >= '0' && *byte <= '9') &&
            !((*byte | 32) >= 'a' && (*byte | 32) <= 'z'))
            *byte = '_';
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->targets[i]->id, target->id) == 0)
            snprintf(target->id + length, sizeof target->id - (size_t)length, "-%d",
                     (int)target->pid);
}

static enum rc add(struct target_list *list, pid_t pid, struct err *err)
{
    struct proc_stat stat;
    enum rc rc = permission_explain(pid, 0, err);
    if (rc == RC_OK && (rc = procfs_stat(pid, pid, &stat)) != RC_OK)
        err_set(err, rc, "there is no process %d", (int)pid);
    if (rc != RC_OK)
        return rc;
    struct serve_target *target = xcalloc(1, sizeof *target);
    target->pid = pid;
    target->start_time = stat.start_time;
    target->history = history_new(list->kept);
    target->kept[0] = target->kept[1] = -1;
    memcpy(target->comm, stat.comm, sizeof target->comm);
    name(list, target);
    ARRAY_RESERVE(list->targets, list->count, list->capacity);
    list->targets[list->count++] = target;
    return RC_OK;
}

enum rc target_list_init(struct target_list *list, const struct serve_settings *settings,
                         struct err *err)
{
    enum rc rc = RC_OK;
    list->kept = settings->metrics.kept;
    for (size_t i = 0; i < settings->targets.pid_count && rc == RC_OK; i++)
        rc = add(list, settings->targets.pids[i], err);
    return rc;
}

void target_list_fini(struct target_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        cleanup_fd(&list->targets[i]->kept[0]);
        cleanup_fd(&list->targets[i]->kept[1]);
        history_free(list->targets[i]->history);
        free(list->targets[i]->report);
        deadlock_look_free(list->targets[i]->deadlock);
        free(list->targets[i]);
    }
    free(list->targets);
}

void target_list_refresh(struct target_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        struct serve_target *target = list->targets[i];
        struct proc_stat stat;
        if (!target->ended_at && (procfs_stat(target->pid, target->pid, &stat) != RC_OK ||
                                  stat.start_time != target->start_time))
            target->ended_at = clock_now();
    }
}

struct serve_target *target_list_find(const struct target_list *list, const char *id,
                                      struct err *err)
{
    char *end;
    long pid = strtol(id, &end, 10);
    if (!*id && list->count == 1)
        return list->targets[0];
    for (size_t i = 0; i < list->count && *id; i++)
        if (strcmp(list->targets[i]->id, id) == 0)
            return list->targets[i];
    for (size_t i = 0; i < list->count && *id && !*end; i++)
        if (list->targets[i]->pid == pid)
            return list->targets[i];
    if (*id)
        (void)err_set(err, RC_GONE, "no target has this name or pid: /targets/ lists them");
    else
        (void)err_set(err, RC_USAGE, list->count ? "there are several targets: /targets/ lists them"
                                                 : "no process matches yet");
    return NULL;
}
