// SPDX-License-Identifier: MIT
#include "serve/target_facts.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "process/control_group.h"
#include "process/memory_status.h"
#include "process/procfs.h"
#include "serve/user_names.h"

#define CONTAINER_DIGITS 64
#define ARGUMENTS_MOST (128u << 10) // bytes

const char *const target_fact_keys[TARGET_FACT_COUNT] = {
#define X(name, key, text) [TARGET_##name] = #key,
    TARGET_FACTS(X)
#undef X
};

// --- from a path of a cgroup ---

static bool ends_in(const char *text, size_t length, const char *end)
{
    size_t own = strlen(end);
    return length > own && memcmp(text + length - own, end, own) == 0;
}

char *target_facts_unit(const char *cgroup)
{
    char *unit = xstrdup("");
    for (const char *at = cgroup; *at; at += strspn(at, "/")) {
        size_t length = strcspn(at, "/");
        if (ends_in(at, length, ".service") || ends_in(at, length, ".scope")) {
            free(unit);
            unit = xstrndup(at, length);
        }
        at += length;
    }
    return unit;
}

char *target_facts_container(const char *cgroup)
{
    for (const char *at = cgroup; *at;) {
        size_t digits = strspn(at, "0123456789abcdef");
        if (digits == CONTAINER_DIGITS && !isalnum((unsigned char)at[digits]))
            return xstrndup(at, digits);
        at += digits ? digits : 1;
    }
    return xstrdup("");
}

// --- of a process ---

static char *read_comm(struct target_facts *facts, pid_t pid)
{
    char comm[COMM_MAX];
    (void)facts;
    return procfs_comm(pid, pid, comm) == RC_OK ? xstrdup(comm) : xstrdup("");
}

static char *read_exe(struct target_facts *facts, pid_t pid)
{
    static const char deleted[] = " (deleted)";
    char path[64], exe[PATH_MAX];
    (void)facts;
    snprintf(path, sizeof path, "/proc/%d/exe", (int)pid);
    ssize_t length = readlink(path, exe, sizeof exe);
    struct memory_status status;
    pid_t tid;
    if (length < 0 && errno == ENOENT && memory_status_read(pid, &status, &tid) == RC_OK) {
        snprintf(path, sizeof path, "/proc/%d/exe", (int)tid); // its first thread has ended
        length = readlink(path, exe, sizeof exe);
    }
    if (length < 0)
        length = 0;
    if (ends_in(exe, (size_t)length, deleted))
        length -= (ssize_t)sizeof deleted - 1;
    return xstrndup(exe, (size_t)length);
}

bool target_facts_arguments(pid_t pid, struct buf *text)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/cmdline", (int)pid);
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool cut = fd >= 0 && buf_read_fd(text, fd, ARGUMENTS_MOST) == RC_LIMIT;
    if (cut)
        text->length = ARGUMENTS_MOST;
    return cut;
}

static char *read_cmdline(struct target_facts *facts, pid_t pid)
{
    AUTO_BUF struct buf text = {0};
    (void)facts;
    bool cut = target_facts_arguments(pid, &text);
    while (text.length && !text.data[text.length - 1])
        text.length--;
    for (size_t i = 0; i < text.length; i++)
        if (!text.data[i])
            text.data[i] = ' ';
    buf_puts(&text, cut ? "..." : "");
    return xstrndup(text.data, text.length);
}

static char *read_user(struct target_facts *facts, pid_t pid)
{
    struct proc_status status;
    (void)facts;
    return procfs_status(pid, &status) == RC_OK ? user_name(status.uid[1]) : xstrdup("");
}

static char *read_cgroup(struct target_facts *facts, pid_t pid)
{
    AUTO_BUF struct buf text = {0};
    (void)facts;
    if (procfs_read(&text, "/proc/%d/cgroup", (int)pid) != RC_OK || !text.length)
        return xstrdup("");
    char *unified = control_group_path(text.data, "");
    if (unified && strcmp(unified, "/") != 0)
        return unified;
    char *memory = control_group_path(text.data, "memory");
    if (!memory)
        return unified ? unified : xstrdup("");
    free(unified);
    return memory;
}

static char *read_unit(struct target_facts *facts, pid_t pid)
{
    return target_facts_unit(target_facts_get(facts, pid, TARGET_CGROUP));
}

static char *read_container(struct target_facts *facts, pid_t pid)
{
    return target_facts_container(target_facts_get(facts, pid, TARGET_CGROUP));
}

static const struct {
    size_t offset;
    char *(*read)(struct target_facts *facts, pid_t pid);
} rows[TARGET_FACT_COUNT] = {
#define X(name, key, text) [TARGET_##name] = {offsetof(struct target_facts, key), read_##key},
    TARGET_FACTS(X)
#undef X
};

static char **place(struct target_facts *facts, enum target_fact fact)
{
    return (char **)(void *)((char *)facts + rows[fact].offset);
}

const char *target_facts_get(struct target_facts *facts, pid_t pid, enum target_fact fact)
{
    char **text = place(facts, fact);
    if (!*text)
        *text = rows[fact].read(facts, pid);
    return *text;
}

void target_facts_read(struct target_facts *facts, pid_t pid)
{
    for (enum target_fact fact = 0; fact < TARGET_FACT_COUNT; fact++)
        (void)target_facts_get(facts, pid, fact);
}

void target_facts_fini(struct target_facts *facts)
{
    for (enum target_fact fact = 0; fact < TARGET_FACT_COUNT; fact++)
        free(*place(facts, fact));
    *facts = (struct target_facts){0};
}
