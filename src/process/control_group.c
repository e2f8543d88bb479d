// SPDX-License-Identifier: MIT
#include "process/control_group.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "process/procfs.h"

// The usual mount points of the hierarchies. A line of /proc/PID/cgroup is "0::PATH" for the
// unified hierarchy (cgroup v2) and "N:CONTROLLERS:PATH" for the others.
static const struct group_mount {
    const char *controller; // "": the unified hierarchy
    const char *root;
} hierarchies[] = {
    {"", "/sys/fs/cgroup"},
    {"", "/sys/fs/cgroup/unified"},
    {"freezer", "/sys/fs/cgroup/freezer"},
    {"cpu", "/sys/fs/cgroup/cpu"},
};

static bool has_word(const char *list, size_t length, const char *word)
{
    size_t own = strlen(word);
    for (const char *at = list, *end = list + length; at <= end;) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        size_t part = (size_t)((comma ? comma : end) - at);
        if (part == own && memcmp(at, word, own) == 0)
            return true;
        at += part + 1;
    }
    return false;
}

char *control_group_path(const char *groups, const char *controller)
{
    for (const char *line = groups, *end; line && *line; line = end ? end + 1 : NULL) {
        end = strchr(line, '\n');
        const char *list = strchr(line, ':'), *path = list ? strchr(list + 1, ':') : NULL;
        if (!path)
            return NULL;
        if (has_word(list + 1, (size_t)(path - list - 1), controller))
            return xstrndup(path + 1, strcspn(path + 1, "\n"));
    }
    return NULL;
}

// Returns the directory of the process's cgroup in a hierarchy; the caller frees it. NULL means
// that it is not below the cgroup root that we see.
static char *path_in(const char *groups, const struct group_mount *hierarchy)
{
    AUTO_FREE char *path = control_group_path(groups, hierarchy->controller);
    return path && strncmp(path, "/..", 3) ? xasprintf("%s%s", hierarchy->root, path) : NULL;
}

static bool says(const char *directory, const char *file, const char *words)
{
    AUTO_BUF struct buf text = {0};
    return procfs_read(&text, "%s/%s", directory, file) == RC_OK && text.length &&
           strstr(text.data, words);
}

bool control_group_is_frozen(pid_t pid)
{
    AUTO_BUF struct buf groups = {0};
    bool frozen = false;
    if (procfs_read(&groups, "/proc/%d/cgroup", (int)pid) != RC_OK || !groups.length)
        return false;
    for (size_t i = 0; i < ARRAY_LENGTH(hierarchies) && !frozen; i++) {
        AUTO_FREE char *path = path_in(groups.data, &hierarchies[i]);
        frozen = path && (says(path, "cgroup.events", "frozen 1") ||
                          says(path, "freezer.state", "FROZEN"));
    }
    return frozen;
}

static uint64_t throttled_at(const char *directory)
{
    static const struct {
        const char *name;
        uint64_t unit;
    } fields[] = {{"throttled_usec ", NS_PER_US}, {"throttled_time ", 1}};
    AUTO_BUF struct buf text = {0};
    if (procfs_read(&text, "%s/cpu.stat", directory) != RC_OK || !text.length)
        return 0;
    for (size_t i = 0; i < ARRAY_LENGTH(fields); i++) {
        const char *at = strstr(text.data, fields[i].name);
        if (at)
            return strtoull(at + strlen(fields[i].name), NULL, 10) * fields[i].unit;
    }
    return 0;
}

// Each cgroup on the way up counts its own throttled time. The one with the smallest quota has the
// largest count, and that is the result.
static uint64_t throttled_up_from(char *path, size_t root)
{
    uint64_t most = 0;
    for (;;) {
        uint64_t here = throttled_at(path);
        most = here > most ? here : most;
        char *slash = strrchr(path, '/');
        if (!slash || (size_t)(slash - path) < root)
            return most;
        *slash = '\0';
    }
}

uint64_t control_group_throttled(pid_t pid)
{
    AUTO_BUF struct buf groups = {0};
    uint64_t most = 0;
    if (procfs_read(&groups, "/proc/%d/cgroup", (int)pid) != RC_OK || !groups.length)
        return 0;
    for (size_t i = 0; i < ARRAY_LENGTH(hierarchies); i++) {
        AUTO_FREE char *path = path_in(groups.data, &hierarchies[i]);
        uint64_t here = path ? throttled_up_from(path, strlen(hierarchies[i].root)) : 0;
        most = here > most ? here : most;
    }
    return most;
}
