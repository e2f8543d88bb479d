// SPDX-License-Identifier: MIT
// One look at all threads of a process: where each is, and why it does not run. Made by
// dump/dumper.c, printed by output/dump_*.c. Names and paths are raw bytes of the target.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "process/module.h"
#include "process/procfs.h"
#include "symbol/symbolizer.h"
#include "unwind/unwinder.h"
#include "wait/deadlock.h"
#include "wait/wait.h"

enum dump_end {
    DUMP_COMPLETE,
    DUMP_TIMEOUT,      // not all threads could be read in time
    DUMP_TARGET_ENDED, // it was gone before all had been read
    DUMP_INTERRUPTED,  // the user did not want to wait for more
};

struct dump_frame {
    uint64_t pc; // as found: of callers the return address. 0: it is the kernel's
    uint64_t sp; // in this frame, 0: not known
    bool interrupted;            // pc is no return address
    const struct symbol *symbol; // several lines where functions are inlined
    const struct module *module; // NULL: nothing known is mapped there
    uint32_t mapping;            // number in the module table
    uint64_t offset;             // of the code (of callers: of the call) in the module's file
};

enum dump_problem {   // why a thread was not seen at its best
    DUMP_FINE,
    DUMP_MOVED,       // it ran each time while it was read: what was read may be a mix
    DUMP_DENIED,      // its registers are not for us
    DUMP_REFUSED,     // somebody else traces it
    DUMP_UNSTOPPED,   // it ran, and did not stop in time
    DUMP_STARVED,     // it ran, and got no CPU to stop on before the time was over
    DUMP_UNREAD,      // reading it took too long
    DUMP_UNWANTED,    // it ran, and its name was not asked for
};

struct dump_thread {
    pid_t tid;
    char comm[COMM_MAX];
    char state;          // R S D T t Z X I, as of stat
    bool running;        // on a CPU or waiting for one
    bool queued;         // ... waiting for one
    bool held;           // it was stopped and copied; else read in place
    bool wanted;         // its name was asked for
    bool changed;        // it ran since the dump before this one, or there was none
    enum dump_problem problem;
    uint64_t cpu_ns;     // that it used so far
    uint64_t queued_ns;  // that it waited for a CPU
    int64_t blocked_ns;  // that it sleeps, at least; 0: not known
    struct dump_frame *frames; // leaf first; owned. May be none
    size_t frame_count;
    enum unwind_end end; // of the frames
};

enum dump_kernel { // frames of the kernel, before those of the thread
    DUMP_KERNEL_UNASKED,
    DUMP_KERNEL_READ,
    DUMP_KERNEL_DENIED, // they are root's
    DUMP_KERNEL_ABSENT, // this kernel tells nobody
};

struct dump {
    pid_t pid;
    char comm[COMM_MAX];
    char *exe; // path of the program, raw bytes; NULL: not known. Owned
    int64_t wall; // ns since 1970 UTC, when it began
    int64_t lasted; // ns
    struct dump_thread *threads; // the main thread, then by CPU time. Owned
    struct wait *waits;          // [index of the thread]. Owned
    size_t count;
    struct verdict *verdicts;    // indices of threads. Owned
    size_t verdict_count;
    size_t in_place, held;       // threads read without a stop, and stopped
    bool together;               // the stopped ones at one moment
    int64_t held_max;            // ns of the longest hold
    uint64_t repaired;           // system calls that a stop would have made fail
    bool executed; // it executed another program meanwhile, and all of this is of the new one
    enum dump_kernel kernel;
    enum dump_end end;
};

bool dump_in_kernel(const struct dump_frame *frame);

void dump_fini(struct dump *dump);

extern const char *const dump_problem_texts[]; // [enum dump_problem], for people

// Threads with the same state, pcs and kind of wait (of locks and the like: for the same one):
// groups[i] is the index of the first thread like thread i (i itself if it is the first). Of wanted
// threads only; others are DUMP_NO_GROUP.
#define DUMP_NO_GROUP SIZE_MAX
void dump_group(const struct dump *dump, size_t *groups);
