// SPDX-License-Identifier: MIT
// Opens ELF files by path on behalf of the symbol process: as the targets see the path (containers,
// chroots), then as we do. What is no ELF file is refused at once, and never touched.
#pragma once

#include <stddef.h>
#include <sys/types.h>

#define ROOTS_MAX 64

struct roots { // zeroed before use
    int fds[ROOTS_MAX]; // root directories of targets; they stay open when the target ends
    size_t count;
    unsigned hung; // times that opening a file took too long
};

// Of a process that is there. One that we know already, or that is ours, is not kept twice.
void roots_add(struct roots *roots, pid_t pid);
void roots_fini(struct roots *roots);

#define ROOTS_HUNG (-2)

// A descriptor for reading, or -1: for FIFOs, devices, directories, and what does not begin as ELF
// files do. ROOTS_HUNG: it took longer than two seconds; or that has happened three times, after
// which nothing is opened any more.
int roots_open(struct roots *roots, const char *path);
