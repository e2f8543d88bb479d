// SPDX-License-Identifier: MIT
#include "process/memory_group.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "process/control_group.h"

#define FILE_MOST (1u << 20)
#define NO_LIMIT_V1 (INT64_MAX - 65536) // version 1 gives the largest number of whole pages

const struct memory_group_row memory_group_rows[MEMORY_GROUP_FIGURE_COUNT] = {
#define X(name, key, unit, file2, key2, file1, key1)                                               \
    [MEMORY_GROUP_##name] = {key, unit, {{file1, key1}, {file2, key2}}},
    MEMORY_GROUP_FIGURES(X)
#undef X
};

static const struct {
    int version;
    const char *controller, *mount;
} hierarchies[] = { // where a controller of version 1 is mounted, version 2 does not have it
    {1, "memory", "/sys/fs/cgroup/memory"},
    {2, "", "/sys/fs/cgroup"},
    {2, "", "/sys/fs/cgroup/unified"},
};

// Reads a small file; the path of a cgroup may be long.
static bool read_file(struct buf *text, const char *directory, const char *name)
{
    AUTO_FREE char *path = xasprintf("%s/%s", directory, name);
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd >= 0 && buf_read_fd(text, fd, FILE_MOST) == RC_OK && text->length;
}

// Returns the text behind the key at the beginning of a line, or NULL. The key "" is the first
// line.
static const char *behind(const char *text, const char *key)
{
    size_t length = strlen(key);
    for (const char *line = text; line && *line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, length) == 0)
            return line + length;
    }
    return NULL;
}

static uint64_t number_of(const char *text)
{
    if (text && strncmp(text, "max", 3) == 0)
        return MEMORY_NO_LIMIT;
    if (!text || *text < '0' || *text > '9')
        return MEMORY_UNKNOWN;
    uint64_t number = strtoull(text, NULL, 10);
    return number >= NO_LIMIT_V1 ? MEMORY_NO_LIMIT : number;
}

static uint64_t read_figure(const char *directory, int version, enum memory_group_figure figure)
{
    AUTO_BUF struct buf text = {0};
    const struct memory_group_row *row = &memory_group_rows[figure];
    const char *file = row->at[version - 1].file;
    if (!file || !read_file(&text, directory, file))
        return MEMORY_UNKNOWN;
    return number_of(behind(text.data, row->at[version - 1].key));
}

static void read_figures(struct memory_group *group, const char *directory)
{
    for (enum memory_group_figure i = 0; i < MEMORY_GROUP_FIGURE_COUNT; i++)
        group->figures[i] = read_figure(directory, group->version, i);
}

// An ancestor's limit binds too: the lowest one on the way up counts.
static void find_lowest_limit(struct memory_group *group, char *directory, size_t mount)
{
    for (;;) {
        uint64_t limit = read_figure(directory, group->version, MEMORY_GROUP_LIMIT);
        if (limit < group->lowest_limit) {
            group->lowest_limit = limit;
            free(group->limit_path);
            group->limit_path = xstrdup(directory[mount] ? directory + mount : "/");
        }
        char *slash = strrchr(directory + mount, '/');
        if (!slash)
            return;
        *slash = '\0';
    }
}

// "some avg10=0.00 avg60=0.00 avg300=0.00 total=17075"
static bool parse_pressure(const char *text, const char *word, struct memory_pressure *pressure)
{
    unsigned long long total;
    unsigned whole[3], part[3]; // no locale has a say in it
    const char *line = behind(text, word);
    if (!line || sscanf(line, " avg10=%9u.%2u avg60=%9u.%2u avg300=%9u.%2u total=%llu", &whole[0],
                        &part[0], &whole[1], &part[1], &whole[2], &part[2], &total) != 7)
        return false;
    for (size_t i = 0; i < 3; i++)
        pressure->percent[i] = whole[i] + part[i] / 100.0;
    pressure->total_us = total;
    return true;
}

static void read_pressure(struct memory_group *group, const char *directory)
{
    AUTO_BUF struct buf text = {0};
    group->pressure_why = NULL;
    if (group->version == 1)
        group->pressure_why = "cgroups of version 1 do not say it";
    else if (!read_file(&text, directory, "memory.pressure"))
        group->pressure_why = "memory.pressure of the cgroup cannot be read";
    else if (!parse_pressure(text.data, "some", &group->some) ||
             !parse_pressure(text.data, "full", &group->full))
        group->pressure_why = "memory.pressure has another form";
}

// Returns whether the cgroup is found in this hierarchy. The root of version 2 has no figures.
static bool read_in(struct memory_group *group, const char *root, size_t hierarchy,
                    const char *groups)
{
    AUTO_FREE char *path = control_group_path(groups, hierarchies[hierarchy].controller);
    if (!path)
        return false;
    AUTO_FREE char *mount = xasprintf("%s%s", root, hierarchies[hierarchy].mount);
    AUTO_FREE char *directory = xasprintf("%s%s", mount, strcmp(path, "/") ? path : "");
    bool outside = strncmp(path, "/..", 3) == 0, there = !outside && !access(directory, X_OK);
    if (!there && group->path)
        return false;
    free(group->path);
    group->path = steal_ptr(&path);
    group->version = hierarchies[hierarchy].version;
    group->why = outside ? "it lies outside of the cgroups that are seen from here"
                 : there ? NULL
                         : "its directory cannot be read below /sys/fs/cgroup";
    if (!there)
        return false;
    read_figures(group, directory);
    read_pressure(group, directory);
    find_lowest_limit(group, directory, strlen(mount));
    if (group->figures[MEMORY_GROUP_USE] == MEMORY_UNKNOWN)
        group->why = strcmp(group->path, "/") ? "it has no memory controller"
                                                 : "the kernel does not count for the root";
    return !group->why;
}

void memory_group_read(struct memory_group *group, const char *root, pid_t pid)
{
    AUTO_BUF struct buf groups = {0};
    AUTO_FREE char *directory = xasprintf("%s/proc/%d", root, (int)pid);
    *group = (struct memory_group){.lowest_limit = MEMORY_NO_LIMIT,
                                   .why = "the process has no memory cgroup"};
    group->pressure_why = group->why;
    for (size_t i = 0; i < MEMORY_GROUP_FIGURE_COUNT; i++)
        group->figures[i] = MEMORY_UNKNOWN;
    if (!read_file(&groups, directory, "cgroup"))
        return;
    for (size_t i = 0; i < ARRAY_LENGTH(hierarchies); i++)
        if (read_in(group, root, i, groups.data) || group->version == 1)
            return; // what version 1 counts, version 2 does not
}

void memory_group_fini(struct memory_group *group)
{
    free(group->path);
    free(group->limit_path);
    *group = (struct memory_group){0};
}
