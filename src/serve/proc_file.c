// SPDX-License-Identifier: MIT
#include "serve/proc_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "sample/task_file.h"

static unsigned long open_count; // of all files

static int open_file(const char *path)
{
    return open(path, O_RDONLY | O_CLOEXEC);
}

bool proc_file_read(struct proc_file *file, const char *path, char *text, size_t size)
{
    if (file->fd)
        return task_file_read(file->fd, text, size);
    AUTO_FD int fd = open_file(path);
    if (fd < 0 && (errno == EACCES || errno == EPERM))
        file->fd = -1;
    bool got = task_file_read(fd, text, size);
    if (got && fd > 0 && open_count < limits_files() / 2) {
        file->fd = steal_fd(&fd);
        open_count++;
    }
    return got;
}

bool proc_file_read_once(const char *path, char *text, size_t size)
{
    AUTO_FD int fd = open_file(path);
    return task_file_read(fd, text, size);
}

void proc_file_close(struct proc_file *file)
{
    if (file->fd > 0) {
        close(file->fd);
        open_count--;
    }
    file->fd = 0;
}
