// SPDX-License-Identifier: MIT
#include "base/memory_room.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/mem.h"

#define FILE_MOST (1u << 20)
#define OOM_SCORE_FILE "/proc/self/oom_score_adj"

struct hierarchy { // the files of one version of memory cgroups
    const char *type, *option; // type and option of the mount; option NULL: any
    const char *limits[2], *usage, *cache;
};

static const struct hierarchy hierarchies[] = {
    {"cgroup2", NULL, {"memory.max", "memory.high"}, "memory.current", "inactive_file "},
    {"cgroup", "memory", {"memory.limit_in_bytes", NULL}, "memory.usage_in_bytes",
     "total_inactive_file "},
};

static bool read_text(struct buf *text, const char *root, const char *path)
{
    AUTO_FREE char *whole = xasprintf("%s%s", root, path);
    AUTO_FD int fd = open(whole, O_RDONLY | O_CLOEXEC);
    return fd >= 0 && buf_read_fd(text, fd, FILE_MOST) == RC_OK;
}

// Returns the number behind the key at the beginning of a line; UINT64_MAX when there is none.
static uint64_t number_after(const char *text, const char *key)
{
    size_t length = strlen(key);
    for (const char *line = text; line && *line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, length) == 0)
            return strtoull(line + length, NULL, 10);
    }
    return UINT64_MAX;
}

// A file that says "max" has no number: there is no limit.
static uint64_t read_number(const char *directory, const char *name)
{
    AUTO_BUF struct buf text = {0};
    AUTO_FREE char *path = xasprintf("%s/%s", directory, name);
    return read_text(&text, "", path) && *text.data >= '0' && *text.data <= '9'
               ? strtoull(text.data, NULL, 10)
               : UINT64_MAX;
}

static uint64_t room_of(const struct hierarchy *hierarchy, const char *directory)
{
    AUTO_BUF struct buf stat = {0};
    AUTO_FREE char *path = xasprintf("%s/memory.stat", directory);
    uint64_t limit = UINT64_MAX, usage = read_number(directory, hierarchy->usage), cache = 0;
    for (size_t i = 0; i < ARRAY_LENGTH(hierarchy->limits) && hierarchy->limits[i]; i++) {
        uint64_t one = read_number(directory, hierarchy->limits[i]);
        limit = one < limit ? one : limit;
    }
    if (limit == UINT64_MAX || usage == UINT64_MAX)
        return UINT64_MAX;
    if (read_text(&stat, "", path))
        cache = number_after(stat.data, hierarchy->cache);
    usage -= cache < usage ? cache : 0;
    return limit > usage ? limit - usage : 0;
}

// Visits every group from `path` up to the mount point, because the limit of an ancestor binds too.
static uint64_t room_up(const struct hierarchy *hierarchy, const char *mount, const char *path)
{
    AUTO_FREE char *directory = xasprintf("%s%s", mount, path);
    uint64_t room = UINT64_MAX;
    for (size_t least = strlen(mount);;) {
        uint64_t one = room_of(hierarchy, directory);
        room = one < room ? one : room;
        char *slash = strrchr(directory + least, '/');
        if (!slash)
            return room;
        *slash = '\0';
    }
}

// Returns our path in the hierarchy relative to its mount. For version 2 it is in the line
// "0::/path", for version 1 in the line that names the controller. "" means that the mount shows
// another part of the hierarchy.
static char *own_path(const struct hierarchy *hierarchy, const char *cgroups, const char *top)
{
    for (const char *line = cgroups; line && *line; line = strchr(line, '\n')) {
        line += *line == '\n';
        const char *names = strchr(line, ':'), *path = names ? strchr(names + 1, ':') : NULL;
        if (!path)
            break;
        AUTO_FREE char *controllers = xasprintf(",%.*s,", (int)(path - names - 1), names + 1);
        if (hierarchy->option ? !strstr(controllers, ",memory,") : path != names + 1)
            continue;
        size_t length = strcspn(path + 1, "\n"), common = strcmp(top, "/") ? strlen(top) : 0;
        bool below = length >= common && strncmp(path + 1, top, common) == 0;
        bool outside = length >= 3 && strncmp(path + 1, "/..", 3) == 0;
        return below && !outside && length > 1 ? xstrndup(path + 1 + common, length - common)
                                               : xstrdup("");
    }
    return xstrdup("");
}

// Returns the free bytes according to one line of mountinfo: "32 31 0:29 TOP MOUNT OPTIONS [FIELDS]
// - TYPE SOURCE SUPER_OPTIONS". UINT64_MAX when the mount is no memory cgroup.
static uint64_t room_of_mount(const char *line, const char *root, const char *cgroups)
{
    char top[PATH_MAX], mount[PATH_MAX], type[32] = "", options[256] = "";
    const char *rest = strstr(line, " - "), *end = strchr(line, '\n');
    if (!rest || (end && rest > end) ||
        sscanf(line, "%*s %*s %*s %4095s %4095s", top, mount) != 2 ||
        sscanf(rest, " - %31s %*s %255s", type, options) != 2)
        return UINT64_MAX;
    AUTO_FREE char *shown = xasprintf(",%s,", options);
    for (size_t i = 0; i < ARRAY_LENGTH(hierarchies); i++) {
        const struct hierarchy *hierarchy = &hierarchies[i];
        if (strcmp(type, hierarchy->type) || (hierarchy->option && !strstr(shown, ",memory,")))
            continue;
        AUTO_FREE char *path = own_path(hierarchy, cgroups, top);
        AUTO_FREE char *whole = xasprintf("%s%s", root, mount);
        return room_up(hierarchy, whole, path);
    }
    return UINT64_MAX;
}

uint64_t memory_room(const char *root)
{
    AUTO_BUF struct buf text = {0}, cgroups = {0}, mounts = {0};
    uint64_t room = UINT64_MAX;
    if (read_text(&text, root, "/proc/meminfo"))
        room = number_after(text.data, "MemAvailable:");
    room = room < UINT64_MAX / 1024 ? room * 1024 : UINT64_MAX;
    if (!read_text(&cgroups, root, "/proc/self/cgroup") ||
        !read_text(&mounts, root, "/proc/self/mountinfo"))
        return room;
    for (const char *line = mounts.data; line && *line; line = strchr(line, '\n')) {
        line += *line == '\n';
        uint64_t one = room_of_mount(line, root, cgroups.data);
        room = one < room ? one : room;
    }
    return room;
}

#ifndef __SANITIZE_ADDRESS__
static uint64_t part_of(uint64_t room, uint64_t floor, uint64_t most)
{
    uint64_t part = room / 2;
    return part < floor ? floor : part > most ? most : part;
}
#endif

void memory_bound(uint64_t floor, uint64_t most)
{
#ifndef __SANITIZE_ADDRESS__ // AddressSanitizer reserves more than a bound allows
    struct rlimit limit; // a forked child begins with the data of its parent
    uint64_t bound = limits_memory().used + part_of(memory_room(""), floor, most);
    if (getrlimit(RLIMIT_DATA, &limit) != 0 || limit.rlim_cur <= bound)
        return;
    limit.rlim_cur = bound;
    setrlimit(RLIMIT_DATA, &limit);
#else
    (void)floor, (void)most;
#endif
}

static char before[16]; // the score before; "": it was not changed

static void write_score(const char *text)
{
    AUTO_FD int fd = open(OOM_SCORE_FILE, O_WRONLY | O_CLOEXEC);
    ssize_t ignored = fd >= 0 ? write(fd, text, strlen(text)) : 0;
    (void)ignored; // a process that is not dumpable may not write it and keeps its score
}

void memory_offer(int score)
{
    AUTO_BUF struct buf text = {0};
    char wanted[16];
    if (!read_text(&text, "", OOM_SCORE_FILE) || atoi(text.data) >= score)
        return;
    if (!*before)
        snprintf(before, sizeof before, "%d", atoi(text.data));
    snprintf(wanted, sizeof wanted, "%d", score);
    write_score(wanted);
}

void memory_offer_end(void)
{
    if (*before)
        write_score(before);
}
