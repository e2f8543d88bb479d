// SPDX-License-Identifier: MIT
// Files of /proc that are read every few seconds. Opening one costs more than reading it, so they
// stay open, all together with at most half of our descriptors; the others are opened each time.
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct proc_file { // zeroed: not open
    int fd;        // 0: not kept open; -1: it may not be read
};

// Reads a file from its beginning, as far as it fits. False: it is empty or cannot be read, and so
// is the text. The path is that of the file each time.
bool proc_file_read(struct proc_file *file, const char *path, char *text, size_t size);

// Does that once, and keeps nothing open.
bool proc_file_read_once(const char *path, char *text, size_t size);

void proc_file_close(struct proc_file *file);
