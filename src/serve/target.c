// SPDX-License-Identifier: MIT
#include "serve/target.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/escape.h"
#include "base/mem.h"
#include "process/permission.h"
#include "process/procfs.h"
#include "serve/deadlock_look.h"
#include "serve/target_id.h"

// --- one target ---

static char *why_denied(pid_t pid)
{
    struct permission_report report;
    enum rc rc = permission_check(pid, &report);
    for (size_t i = 0; (rc == RC_DENIED || rc == RC_USAGE) && i < report.count; i++) {
        const struct permission_row *row = &report.rows[i];
        if (row->state != PERMISSION_PROBLEM)
            continue;
        char *text = xasprintf("%s%s%s", row->cause, *row->remedy ? ": " : "", row->remedy);
        for (char *byte = text; *byte; byte++)
            if (*byte == '\n')
                *byte = ' ';
        return text;
    }
    return NULL;
}

// What a program may do, and so who may look at it, can change when another one is executed.
static void learn(struct serve_target *target)
{
    target_facts_read(&target->facts, target->pid);
    free(target->denied);
    target->denied = why_denied(target->pid);
}

static bool runs_another(struct serve_target *target, const struct proc_stat *stat)
{
    struct target_facts now = {0};
    bool other =
        strcmp(stat->comm, target->facts.comm) != 0 ||
        strcmp(target_facts_get(&now, target->pid, TARGET_EXE), target->facts.exe) != 0;
    target_facts_fini(&now);
    return other;
}

void target_check(struct serve_target *target)
{
    struct proc_stat stat;
    if (target->ended_at)
        return;
    enum rc rc = procfs_stat(target->pid, target->pid, &stat);
    if (rc != RC_OK && rc != RC_GONE) // we lack descriptors or the like: it may live
        return;
    if (rc == RC_GONE || proc_stat_has_ended(&stat) || stat.start_time != target->start_time) {
        target->ended_at = clock_now();
        target->since = clock_wall();
    } else if (runs_another(target, &stat)) {
        target_facts_fini(&target->facts);
        learn(target);
    }
}

static void begin(struct serve_target *target, struct target_found *found)
{
    target_facts_fini(&target->facts);
    target->facts = found->facts;
    found->facts = (struct target_facts){0};
    target->pid = found->pid;
    target->start_time = found->start_time;
    target->rule = found->rule;
    target->ended_at = 0;
    target->since = clock_wall();
    deadlock_look_free(target->deadlock);
    target->deadlock = NULL;
    learn(target);
}

void target_succeed(struct serve_target *target, struct target_found *found)
{
    begin(target, found);
    target->restarts++;
}

static void target_free(struct serve_target *target)
{
    for (size_t i = 0; i < ARRAY_LENGTH(target->kept); i++)
        cleanup_fd(&target->kept[i]);
    target_facts_fini(&target->facts);
    history_free(target->history);
    deadlock_look_free(target->deadlock);
    free(target->report);
    free(target->denied);
    free(target);
}

// --- all of them ---

static bool is_taken(const struct target_list *list, const char *id)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->targets[i]->id, id) == 0)
            return true;
    return false;
}

// A pid that comes again while the earlier target of this name is still listed has it twice.
static void name(const struct target_list *list, struct serve_target *target)
{
    const char *given = target->rule ? rule_name(target->rule) : NULL;
    const char *wanted = given ? given : target->facts.comm;
    target_id_make(wanted, 0, 0, target->id);
    for (unsigned i = 1; is_taken(list, target->id); i++)
        target_id_make(wanted, i, target->pid, target->id);
}

void target_list_add(struct target_list *list, struct target_found *found)
{
    struct serve_target *target = xcalloc(1, sizeof *target);
    target->history = history_new(list->kept);
    target->kept[0] = target->kept[1] = -1;
    begin(target, found);
    name(list, target);
    ARRAY_RESERVE(list->targets, list->count, list->capacity);
    list->targets[list->count++] = target;
}

void target_list_drop(struct target_list *list, size_t number)
{
    target_free(list->targets[number]);
    memmove(&list->targets[number], &list->targets[number + 1],
            (--list->count - number) * sizeof(struct serve_target *));
}

// A process that nobody may look into is a target nevertheless, and is listed with the reason.
static enum rc add_pid(struct target_list *list, pid_t pid, struct err *err)
{
    struct proc_stat stat;
    enum rc rc = permission_explain(pid, 0, err);
    if (rc == RC_BUSY) // whoever traces it may have gone when somebody asks
        rc = RC_OK;
    if (rc == RC_OK && (rc = procfs_stat(pid, pid, &stat)) != RC_OK)
        err_set(err, rc, "there is no process %d", (int)pid);
    if (rc != RC_OK)
        return rc;
    for (size_t i = 0; i < list->count; i++)
        if (list->targets[i]->pid == pid)
            return RC_OK;
    struct target_found found = {.pid = pid, .start_time = stat.start_time};
    target_list_add(list, &found);
    return RC_OK;
}

enum rc target_rules_take(struct target_list *list, const struct serve_settings *settings,
                          struct err *err)
{
    enum rc rc = RC_OK;
    const struct text_list *rules = &settings->targets.rules;
    list->rules = xcalloc(rules->count + 1, sizeof *list->rules);
    for (size_t i = 0; i < rules->count && rc == RC_OK; i++) {
        rc = rule_parse(rules->texts[i], "--match", &list->rules[i], err);
        list->rule_count += rc == RC_OK;
    }
    if (list->rule_count)
        list->finder = finder_new();
    return rc;
}

enum rc target_list_init(struct target_list *list, const struct serve_settings *settings,
                         struct err *err)
{
    list->kept = settings->metrics.kept;
    list->most = settings->targets.most;
    list->listed = settings->targets.listed;
    enum rc rc = target_rules_take(list, settings, err);
    for (size_t i = 0; i < settings->targets.pid_count && rc == RC_OK; i++)
        rc = add_pid(list, settings->targets.pids[i], err);
    if (rc == RC_OK)
        target_list_look(list);
    return rc;
}

void target_list_fini(struct target_list *list)
{
    while (list->count)
        target_list_drop(list, list->count - 1);
    free(list->targets);
    target_rules_free(list);
}

void target_rules_free(struct target_list *list)
{
    finder_free(list->finder);
    for (size_t i = 0; i < list->rule_count; i++)
        rule_free(list->rules[i]);
    free(list->rules);
}

// --- which one is meant ---

static struct serve_target *with_id(const struct target_list *list, const char *id)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->targets[i]->id, id) == 0)
            return list->targets[i];
    return NULL;
}

// Of two processes that had a pid the one that lives is meant.
static struct serve_target *with_pid(const struct target_list *list, const char *text)
{
    char *end;
    long pid = strtol(text, &end, 10);
    struct serve_target *found = NULL;
    for (size_t i = 0; i < list->count && !*end; i++)
        if (list->targets[i]->pid == pid && (!found || !list->targets[i]->ended_at))
            found = list->targets[i];
    return found;
}

static struct serve_target *only_one(const struct target_list *list)
{
    struct serve_target *found = NULL;
    size_t living = 0;
    for (size_t i = 0; i < list->count; i++) {
        living += !list->targets[i]->ended_at;
        if (!found || !list->targets[i]->ended_at)
            found = list->targets[i];
    }
    return list->count == 1 || living == 1 ? found : NULL;
}

struct serve_target *target_list_find(const struct target_list *list, const char *id,
                                      struct err *err)
{
    struct serve_target *target = *id ? with_id(list, id) : only_one(list);
    if (*id && !target)
        target = with_pid(list, id);
    if (target)
        target_check(target);
    else if (*id)
        (void)err_set(err, RC_GONE, "no target has this name or pid: /api/v1/targets lists them");
    else
        (void)err_set(err, RC_GONE, list->count
                                        ? "there are several targets: /api/v1/targets lists them"
                                        : "no process matches yet");
    return target;
}
