// SPDX-License-Identifier: MIT
#include "process/memory_status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "process/procfs.h"

const struct memory_figure_row memory_figure_rows[MEMORY_FIGURE_COUNT] = {
#define X(name, field, key, text) [MEMORY_##name] = {field, key, text},
    MEMORY_STATUS_FIGURES(X)
#undef X
};

// Returns the bytes of "\t  1234 kB".
static uint64_t bytes_of(const char *text)
{
    text += strspn(text, " \t");
    size_t digits = strspn(text, "0123456789");
    uint64_t number = digits && digits < 20 ? strtoull(text, NULL, 10) : UINT64_MAX;
    return number < UINT64_MAX / 1024 ? number * 1024 : MEMORY_UNKNOWN;
}

static void take_line(struct memory_status *status, const char *line)
{
    if (strncmp(line, "Threads:", 8) == 0)
        status->threads = strtoull(line + 8, NULL, 10);
    for (size_t i = 0; i < MEMORY_FIGURE_COUNT; i++) {
        size_t length = strlen(memory_figure_rows[i].field);
        if (strncmp(line, memory_figure_rows[i].field, length) == 0)
            status->bytes[i] = bytes_of(line + length);
    }
}

void memory_status_parse(const char *text, struct memory_status *status)
{
    *status = (struct memory_status){0};
    for (size_t i = 0; i < MEMORY_FIGURE_COUNT; i++)
        status->bytes[i] = MEMORY_UNKNOWN;
    for (const char *line = text; line && *line;) {
        take_line(status, line);
        line = strchr(line, '\n');
        line = line ? line + 1 : NULL;
    }
}

struct memory_search {
    pid_t pid, tid; // 0: none has been found
    struct memory_status *status;
};

static void try_thread(void *context, pid_t tid)
{
    struct memory_search *search = context;
    AUTO_BUF struct buf text = {0};
    if (search->tid || procfs_read(&text, "/proc/%d/task/%d/status", (int)search->pid,
                                   (int)tid) != RC_OK || !text.length)
        return;
    memory_status_parse(text.data, search->status);
    if (search->status->bytes[MEMORY_SIZE] != MEMORY_UNKNOWN)
        search->tid = tid;
}

enum rc memory_status_read(pid_t pid, struct memory_status *status, pid_t *tid)
{
    char path[48];
    struct memory_search search = {.pid = pid, .status = status};
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    AUTO_FD int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        limits_note(errno);
    try_thread(&search, pid);
    if (!search.tid && fd >= 0 && procfs_each_number(fd, try_thread, &search) != RC_OK)
        return RC_GONE;
    *tid = search.tid;
    return search.tid ? RC_OK : RC_GONE;
}
