// SPDX-License-Identifier: MIT
// The maps of one process image. The open file belongs to the address space that the process had
// when it was opened: after an exec it is empty, and never shows the maps of the next image.
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "process/procfs.h"

struct maps { // initialized with MAPS_NONE
    int fd;
    bool deaf;         // this kernel (before Linux 6.11) has no PROCMAP_QUERY
    uint64_t checksum; // of the text that was read last
};

#define MAPS_NONE (struct maps){.fd = -1}

// `tid` may be any thread of the process, except a leader that has ended: its maps are empty.
enum rc maps_open(struct maps *maps, pid_t pid, pid_t tid) MUST_CHECK;
void maps_close(struct maps *maps);

// Reads the whole text. RC_GONE: the image no longer exists.
enum rc maps_read(struct maps *maps, struct buf *text) MUST_CHECK;

// Sets *same to whether the text is still that of maps_read. It reads no more than it needs.
enum rc maps_compare(struct maps *maps, bool *same) MUST_CHECK;

// Opens a file of the image that runs now, "maps" or "pagemap", of whichever thread has one: those
// of a leader that has ended read as empty. task_fd is /proc/PID/task, open. After an exec nothing
// more can be read from the file either. Returns -1 when there is none.
int maps_file_open(int task_fd, pid_t pid, const char *name);

// Returns whether the process still runs the image that this "maps" was opened for, or ran it to
// its end.
bool maps_file_is_current(int fd);

enum maps_answer {
    MAPS_FOUND,   // *map is what is mapped at the address, without its path
    MAPS_NOTHING, // nothing is mapped there
    MAPS_GONE,    // the image no longer exists
    MAPS_DEAF,    // this kernel has no PROCMAP_QUERY
};

// Asks the kernel for the mapping at one address. That takes 0.3 us and touches no memory of the
// process.
enum maps_answer maps_ask(struct maps *maps, uint64_t address, struct proc_map *map);

// Returns a number that identifies the image that the process runs now; every caller gets the same.
// It is made of the executable and of what exec passes to the program (entry, stack and vdso
// addresses). Without address randomisation two images of one program may share it; their code is
// the same then. 0: it is not known.
uint64_t maps_image_number(pid_t pid, pid_t tid);
