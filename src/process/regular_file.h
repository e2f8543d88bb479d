// SPDX-License-Identifier: MIT
// Opening files whose path a target chose: the path may lead to a FIFO, a terminal, a device or a
// symbolic link to one of these, and we may be root.
#pragma once

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

// Returns a descriptor for reading, and fills in info by fstat; -1 when there is no regular file
// that we may read. Nothing else is ever opened, so no device is affected.
int regular_file_open(const char *path, struct stat *info);

// Does the same for a path of which no component may be a symbolic link.
int regular_file_open_plain(const char *path, struct stat *info);

// Returns whether the file belongs to procfs or sysfs: reading such a file may have an effect, or
// reveal what the target may not know.
bool regular_file_is_of_kernel(int fd);

// Opens an absolute path as the process sees it (with its root directory and mounts). Symbolic
// links stay inside its root; the last component must not be one.
int regular_file_open_inside(pid_t tid, const char *path, struct stat *info);
