// SPDX-License-Identifier: MIT
// Who has come and who has gone.
#include "serve/target.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "process/procfs.h"
#include "serve/log.h"

#define KERNEL_THREAD 0x00200000u // PF_KTHREAD
#define ANCESTORS_MOST 16
#define LOOK_SHARE 200 // looks take at most one part in so many of our time
// But whoever comes is found within 5 s: the next look is due at the interval after this pause.
#define PAUSE_MOST (3ll * NS_PER_S)

struct target_look {
    struct target_list *list;
    struct target_found *found; // owned
    size_t count, capacity;
};

static bool is_ours(pid_t pid, pid_t parent)
{
    struct proc_stat stat;
    pid_t self = getpid();
    for (unsigned i = 0; i < ANCESTORS_MOST && pid != self; i++) {
        if (parent <= 1 || procfs_stat(parent, parent, &stat) != RC_OK)
            return false;
        pid = parent;
        parent = stat.parent;
    }
    return pid == self;
}

static struct serve_target *living_with(const struct target_list *list, pid_t pid)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->targets[i]->pid == pid && !list->targets[i]->ended_at)
            return list->targets[i];
    return NULL;
}

static const struct target_rule *rule_of(const struct target_list *list, struct target_facts *facts,
                                  pid_t pid)
{
    for (size_t i = 0; i < list->rule_count; i++)
        if (rule_matches(list->rules[i], facts, pid))
            return list->rules[i];
    return NULL;
}

static void visit(void *context, pid_t pid)
{
    struct target_look *look = context;
    struct serve_target *target = living_with(look->list, pid);
    struct proc_stat stat;
    if (target)
        target_check(target);
    if ((target && !target->ended_at) || procfs_stat(pid, pid, &stat) != RC_OK ||
        stat.flags & KERNEL_THREAD || proc_stat_has_ended(&stat))
        return;
    struct target_found found = {.pid = pid, .start_time = stat.start_time,
                                 .facts.comm = xstrdup(stat.comm)};
    found.rule = rule_of(look->list, &found.facts, pid);
    if (!found.rule || is_ours(pid, stat.parent)) {
        target_facts_fini(&found.facts);
        return;
    }
    ARRAY_RESERVE(look->found, look->count, look->capacity);
    look->found[look->count++] = found;
}

// --- who they are ---

static size_t found_by(const struct target_look *look, const struct target_rule *rule)
{
    size_t count = 0;
    for (size_t i = 0; i < look->count; i++)
        count += look->found[i].rule == rule;
    return count;
}

// Returns the only target of a rule that has ended, NULL: there is none, or it is not the only one.
static struct serve_target *predecessor(const struct target_list *list,
                                        const struct target_rule *rule)
{
    struct serve_target *only = NULL;
    for (size_t i = 0; i < list->count; i++) {
        struct serve_target *target = list->targets[i];
        if (target->rule != rule || !target->ended_at)
            continue;
        if (only)
            return NULL;
        only = target;
    }
    return only;
}

static size_t count_living(const struct target_list *list)
{
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++)
        count += list->targets[i]->rule && !list->targets[i]->ended_at;
    return count;
}

static void take(struct target_look *look)
{
    struct target_list *list = look->list;
    size_t living = count_living(list), room = list->most > living ? list->most - living : 0;
    list->left_out = 0;
    for (size_t i = 0; i < look->count; i++) {
        struct target_found *found = &look->found[i];
        struct serve_target *before = found_by(look, found->rule) == 1
                                          ? predecessor(list, found->rule)
                                          : NULL;
        if (!room) {
            list->left_out++;
            finder_forget(list->finder, found->pid);
            target_facts_fini(&found->facts);
            continue;
        }
        room--;
        if (before)
            target_succeed(before, found);
        else
            target_list_add(list, found);
    }
}

// --- looking ---

static void check_all(struct target_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (!list->finder || !list->targets[i]->rule ||
            !finder_has_seen(list->finder, list->targets[i]->pid))
            target_check(list->targets[i]);
}

static void drop_old(struct target_list *list, int64_t now)
{
    for (size_t i = list->count; i-- > 0;) {
        const struct serve_target *target = list->targets[i];
        if (target->ended_at && now - target->ended_at >= list->listed && !target->users)
            target_list_drop(list, i);
    }
}

static void tell_left_out(const struct target_list *list, uint64_t before)
{
    if (list->left_out && !before)
        log_line(LOG_LEVEL_WARNING, "%zu processes match beside %zu targets and are left out: "
                                    "--match is too wide, or --max-targets too small",
                 (size_t)list->left_out, list->count);
}

void target_list_look(struct target_list *list)
{
    AUTO_FREE struct target_found *found = NULL;
    struct target_look look = {.list = list};
    struct err err;
    int64_t now = clock_now(), cost = clock_thread();
    uint64_t before = list->left_out;
    if (now < list->look_at)
        return;
    if (list->finder && finder_look(list->finder, visit, &look, &err) == RC_OK) {
        check_all(list);
        take(&look);
        tell_left_out(list, before);
    } else {
        check_all(list);
    }
    found = look.found;
    drop_old(list, now);
    int64_t pause = (clock_thread() - cost) * LOOK_SHARE;
    list->look_at = now + (pause < PAUSE_MOST ? pause : PAUSE_MOST);
}
