// SPDX-License-Identifier: MIT
// All threads of a process at one time: where each is, and why it does not run. dump/dumper.c makes
// it, dump/dump_*.c print it. Names and paths are raw bytes of the target.
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
    DUMP_TARGET_ENDED, // the process ended before all threads had been read
    DUMP_INTERRUPTED,  // the user ended it
};

struct dump_frame {
    uint64_t pc; // as found: in callers it is the return address. 0: the frame is of the kernel
    uint64_t sp; // stack pointer in this frame, 0: not known
    bool interrupted;            // whether pc is not a return address
    const struct symbol *symbol; // has several lines where functions are inlined
    const struct module *module; // NULL: no module is known to be mapped there
    uint32_t mapping;            // number in the module table
    uint64_t offset;             // file offset of the code, in callers of the call
};

enum dump_problem {   // why what is known of a thread is not complete
    DUMP_FINE,
    DUMP_MOVED,       // it ran each time that it was read: its members may be of different moments
    DUMP_DENIED,      // we may not read its registers
    DUMP_REFUSED,     // another process traces it
    DUMP_UNSTOPPED,   // it ran, and did not stop in time
    DUMP_STARVED,     // it ran, and got no CPU to stop on before the timeout
    DUMP_UNREAD,      // reading it took too long
    DUMP_UNWANTED,    // it ran, and its name is not among the wanted ones
};

struct dump_thread {
    pid_t tid;
    char comm[COMM_MAX];
    char state;          // R S D T t Z X I, from stat
    bool running;        // on a CPU or queued
    bool queued;         // waiting for a CPU
    bool held;           // it was stopped and copied; otherwise it was read in place
    bool wanted;         // its name is among the wanted ones
    bool changed;        // it has run since the last dump, or there was none
    enum dump_problem problem;
    uint64_t cpu_ns;     // CPU time that it has used so far
    uint64_t queued_ns;  // time that it has waited for a CPU so far
    int64_t blocked_ns;  // least time that it has been blocked; 0: not known
    struct dump_frame *frames; // leaf first; owned; may be NULL
    size_t frame_count;
    enum unwind_end end; // why the stack ends there
};

enum dump_kernel { // whether there are frames of the kernel, which precede those of the thread
    DUMP_KERNEL_UNASKED,
    DUMP_KERNEL_READ,
    DUMP_KERNEL_DENIED, // only root may read them
    DUMP_KERNEL_ABSENT, // this kernel does not show them
};

struct dump {
    pid_t pid;
    char comm[COMM_MAX];
    char *exe; // path of the program, raw bytes; NULL: not known; owned
    int64_t wall; // when the dump began, ns since 1970 UTC
    int64_t lasted; // ns
    struct dump_thread *threads; // the main thread first, then by CPU time; owned
    struct wait *waits;          // [index of the thread]; owned
    size_t count;
    struct verdict *verdicts;    // indices of threads; owned
    size_t verdict_count;
    size_t in_place, held;       // number of threads read without a stop, and of those stopped
    bool together;               // whether the stopped threads were held at one moment
    int64_t held_max;            // ns of the longest hold
    uint64_t repaired;           // system calls that a stop would have made fail
    // The process executed another program meanwhile, and all of this is of the new one.
    bool executed;
    enum dump_kernel kernel;
    enum dump_end end;
};

bool dump_in_kernel(const struct dump_frame *frame);

void dump_fini(struct dump *dump);

extern const char *const dump_problem_texts[]; // [enum dump_problem], for people

// Groups threads with the same state, pcs and kind of wait (of a lock and the like: the same one):
// groups[i] is the index of the first thread like thread i (i itself if it is the first). Threads
// that are not wanted get DUMP_NO_GROUP.
#define DUMP_NO_GROUP SIZE_MAX
void dump_group(const struct dump *dump, size_t *groups);
