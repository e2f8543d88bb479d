// SPDX-License-Identifier: MIT
// Opening files that a target chose: what lies at such a path may be a FIFO, a terminal, a device
// or a symbolic link to any of them, and we may be root.
#pragma once

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

// A descriptor for reading and what fstat says of it; -1 when there is no regular file that we may
// read. Nothing else is ever opened, so a device does not notice.
int regular_file_open(const char *path, struct stat *info);

// The same for a path of which no component may be a symbolic link.
int regular_file_open_plain(const char *path, struct stat *info);

// Whether it is one of proc's or sysfs': to read such a file may do something, or tell what the
// target may not know.
bool regular_file_is_of_kernel(int fd);

// The same for an absolute path as the process sees it (its root directory, its mounts). Symbolic
// links stay inside its root; the last component must not be one.
int regular_file_open_inside(pid_t tid, const char *path, struct stat *info);
