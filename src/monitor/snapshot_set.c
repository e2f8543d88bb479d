// SPDX-License-Identifier: MIT
#include "monitor/snapshot_set.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static void set_long(void *at, const char *text)
{
    *(int64_t *)at = strtoll(text, NULL, 10);
}

static void set_int(void *at, const char *text)
{
    *(int *)at = atoi(text);
}

static void set_double(void *at, const char *text)
{
    *(double *)at = strtod(text, NULL);
}

static void set_bool(void *at, const char *text)
{
    *(bool *)at = strcmp(text, "0") != 0;
}

#define MEMBER(name, set) {#name, offsetof(struct snapshot, name), set}

static const struct {
    const char *name;
    size_t offset;
    void (*set)(void *at, const char *text);
} members[] = {
    MEMBER(taken, set_long),         MEMBER(elapsed, set_long),
    MEMBER(process_count, set_long), MEMBER(uptime, set_long),
    MEMBER(rss, set_long),           MEMBER(behind, set_long),
    MEMBER(pid, set_int),            MEMBER(cpus, set_int),
    MEMBER(verdict, set_int),        MEMBER(execs, set_int),
    MEMBER(end, set_int),            MEMBER(note_count, set_int),
    MEMBER(cpu_percent, set_double), MEMBER(rate, set_double),
    MEMBER(achieved, set_double),    MEMBER(late, set_double),
    MEMBER(failed, set_double),      MEMBER(cut, set_double),
    MEMBER(overhead, set_double),    MEMBER(overhead_process, set_double),
    MEMBER(paused, set_bool),        MEMBER(stopped, set_bool),
    MEMBER(denied, set_bool),
};

static bool set_text(struct snapshot *snapshot, const char *name, const char *text)
{
    if (strcmp(name, "command_line") == 0) {
        free(snapshot->command_line);
        snapshot->command_line = xstrdup(text);
    } else if (strcmp(name, "comm") == 0)
        snprintf(snapshot->comm, sizeof snapshot->comm, "%s", text);
    else if (strcmp(name, "note") == 0)
        snprintf(snapshot->note, sizeof snapshot->note, "%s", text);
    else
        return false;
    return true;
}

bool snapshot_set(struct snapshot *snapshot, const char *name, const char *text)
{
    for (size_t i = 0; i < ARRAY_LENGTH(members); i++)
        if (strcmp(members[i].name, name) == 0) {
            members[i].set((char *)snapshot + members[i].offset, text);
            return true;
        }
    for (enum counter i = 0; i < COUNTER_COUNT; i++)
        if (strcmp(counters[i].key, name) == 0) {
            snapshot->counts[i] = strtoull(text, NULL, 10);
            return true;
        }
    return set_text(snapshot, name, text);
}
