// SPDX-License-Identifier: MIT
// Opens ELF files by path on behalf of the symbol process: first as the targets see the path
// (containers, chroots), with the target's rights (process/rights.h), then as we do. Anything that
// is not a regular file, and everything in procfs and sysfs, is refused before it is opened.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "process/rights.h"

#define ROOTS_MAX 64

struct roots { // zeroed before use; when empty, files are opened as we see them
    struct root_view {
        int fd;    // root directory of a target; it stays open when the target ends
        bool ours; // it is our own root too
        struct rights rights;
    } views[ROOTS_MAX];
    size_t count;
    unsigned hung; // how many times opening a file took too long
};

// Adds the root of a running process, unless it is known already.
void roots_add(struct roots *roots, pid_t pid);
void roots_fini(struct roots *roots);

#define ROOTS_HUNG (-2)

// Returns a descriptor for reading. Returns -1 when there is no such file, or it is a FIFO, a
// device, a directory, or does not begin like an ELF file. Returns ROOTS_HUNG when opening took
// longer than two seconds. After three of these nothing is opened any more.
int roots_open(struct roots *roots, const char *path);
