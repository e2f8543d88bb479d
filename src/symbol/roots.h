// SPDX-License-Identifier: MIT
// Opens ELF files by path on behalf of the symbol process: as the targets see the path (containers,
// chroots), with their rights (process/rights.h), then as we do. What is no ELF file is refused at
// once, and never touched, and so is all of proc and sysfs.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "process/rights.h"

#define ROOTS_MAX 64

struct roots { // zeroed before use: then files are opened as we see them, with our rights
    struct root_view {
        int fd;    // root directory of a target; it stays open when the target ends
        bool ours; // it is our own, too
        struct rights rights;
    } views[ROOTS_MAX];
    size_t count;
    unsigned hung; // times that opening a file took too long
};

// Of a process that is there. One that we know already is not kept twice.
void roots_add(struct roots *roots, pid_t pid);
void roots_fini(struct roots *roots);

#define ROOTS_HUNG (-2)

// A descriptor for reading, or -1: for FIFOs, devices, directories, and what does not begin as ELF
// files do. ROOTS_HUNG: it took longer than two seconds; or that has happened three times, after
// which nothing is opened any more.
int roots_open(struct roots *roots, const char *path);
