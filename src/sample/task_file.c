// SPDX-License-Identifier: MIT
#include "sample/task_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

int task_file_open(int task_fd, pid_t tid, const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "%d/%s", (int)tid, name);
    return openat(task_fd, path, O_RDONLY | O_CLOEXEC);
}

bool task_file_read(int fd, char *text, size_t size)
{
    ssize_t got = fd >= 0 ? pread(fd, text, size - 1, 0) : 0;
    text[got > 0 ? got : 0] = '\0';
    return got > 0;
}

uint64_t task_file_exec_start(const char *text)
{
    const char *at = strstr(text, "se.exec_start");
    char *point;
    at = at ? strchr(at, ':') : NULL;
    if (!at)
        return 0;
    uint64_t ms = strtoull(at + 1, &point, 10);
    return *point == '.' ? ms * NS_PER_MS + strtoull(point + 1, NULL, 10) : 0;
}
