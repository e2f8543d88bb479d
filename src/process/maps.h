// SPDX-License-Identifier: MIT
// The maps of one process image. The open file belongs to the memory that the process had when it
// was opened: after an exec it gives nothing any more, never the maps of the other image.
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "process/procfs.h"

struct maps { // begins as MAPS_NONE
    int fd;
    bool deaf;         // this kernel (before Linux 6.11) does not answer for single addresses
    uint64_t checksum; // of the text that was read last
};

#define MAPS_NONE (struct maps){.fd = -1}

// tid: any thread of the process; those of a leader that has ended read as empty.
enum rc maps_open(struct maps *maps, pid_t pid, pid_t tid) MUST_CHECK;
void maps_close(struct maps *maps);

// The whole text. RC_GONE: the image is.
enum rc maps_read(struct maps *maps, struct buf *text) MUST_CHECK;

// Reads only so much as to say whether the text is the one that maps_read gave.
enum rc maps_compare(struct maps *maps, bool *same) MUST_CHECK;

// A file of the image that runs now, "maps" or "pagemap", of whichever thread has one: those of a
// leader that has ended read as empty. task_fd: /proc/PID/task, open. It, too, gives nothing any
// more after an exec. -1: there is none.
int maps_file_open(int task_fd, pid_t pid, const char *name);

// Whether the process still runs the image that this "maps" was opened for, or ran it to its end.
bool maps_file_is_current(int fd);

enum maps_answer {
    MAPS_FOUND,   // *map is what is mapped at the address, without its path
    MAPS_NOTHING, // nothing is
    MAPS_GONE,    // the image is
    MAPS_DEAF,    // the kernel cannot say
};

// Costs a third of a microsecond, and touches no memory of the process.
enum maps_answer maps_ask(struct maps *maps, uint64_t address, struct proc_map *map);

// A number for the image that the process runs now, the same for all who ask: made of its file and
// of what exec tells the new program (its entry, where its stack and the vdso lie). Two images of
// one program share it where addresses are not randomised: their code is the same then, too. 0: it
// is not known.
uint64_t maps_image_number(pid_t pid, pid_t tid);
