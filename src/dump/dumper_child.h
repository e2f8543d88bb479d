// SPDX-License-Identifier: MIT
// The state and functions that the files of the dumper share.
#pragma once

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/map.h"
#include "collect/process_image.h"
#include "collect/stack_windows.h"
#include "dump/census.h"
#include "dump/dumper.h"
#include "process/regions.h"
#include "sample/watchdog.h"

struct seen { // a thread as the census reported it
    struct dump_thread thread;
    uint32_t flags; // enum census_flag
    pid_t inner_tid;
    uint64_t switches;
    struct proc_syscall call;
    void *stack; // the part of the copy that is worth keeping; owned
    size_t stack_length;
    uint64_t stack_address;
    struct stack_plan plan; // for the next copy
    struct stack_windows windows;
    bool cut;              // the copy was too short, and the next one will hold more
};

struct dumper_names; // names that are fetched while the census goes on

struct dumper {
    struct dumper_options options;
    pid_t pid;
    int pidfd; // readable once all threads of the process have ended
    int maps_fd; // maps of the program that runs, -1: none
    char comm[COMM_MAX]; // name of its main thread
    struct thread_filter *threads; // NULL: all
    bool inner_tids, filtered; // as in struct census_config
    struct control *control;
    struct watchdog watchdog;
    bool watched;
    bool held_last; // the last census died while it held a thread
    pid_t done_child; // a census process that has reported everything and ends by itself; 0: none
    struct modules *modules;
    const struct mapping *unknown;
    struct symbolizer *symbolizer;
    struct dumper_names *names; // the only other user of the symbolizer
    struct walker *walker;
    struct process_image image;
    struct regions regions;
    struct regions mappings; // as of the last census
    struct map switches; // tid -> low bits of the number of switches, in the last dump

    // These members are of the current dump:
    struct seen *seen;
    size_t count, capacity;
    struct map index; // tid -> index + 1
    size_t stack_bytes; // size of all stacks that are kept
    int64_t began, deadline; // CLOCK_MONOTONIC ns
    cpu_set_t cpus;   // CPUs where we could run without our own restriction
    bool timed_out, ended, interrupted;
};

// Keeps what a census reported of a thread.
void dumper_see(struct dumper *dumper, const struct census_record *record);
bool dumper_has_stack(const struct census_record *record);

// Notes that a thread could not be read, so that no other census tries it.
void dumper_give_up(struct dumper *dumper, pid_t tid);

bool dumper_has_ended(const struct dumper *dumper);

// Returns the path of the program, NULL: not known. The caller frees it.
char *dumper_exe(const struct dumper *dumper);

// Notes which program runs, before anything is read of it: its maps read as empty once another one
// has replaced it.
void dumper_note_image(struct dumper *dumper);

// Returns whether the process has executed another program, which must not name the stacks of this
// one.
bool dumper_has_executed(const struct dumper *dumper);

// Forgets the stack of the main thread if the process has ended, and that thread has another name
// than before. Whether a process that has ended executed another program before cannot be found out
// any more; the main thread is all that an exec leaves, and it has another name then.
void dumper_forget_other_program(struct dumper *dumper);

// --- dumper_name.c

struct dumper_names *dumper_names_new(struct symbolizer *symbolizer);
void dumper_names_free(struct dumper_names *names);

// Has the name of a place in the code fetched later, because it will be looked up.
void dumper_names_want(struct dumper_names *names, uint32_t mapping, uint64_t offset);

// Has names fetched while the census goes on.
void dumper_names_go_on(struct dumper_names *names);

// Looks up the symbols for the frames of all threads.
void dumper_name(struct dumper *dumper);

// Reads the maps of the process again; those of a leader that has ended are empty.
void dumper_refresh(struct dumper *dumper, pid_t tid);

// Waits until threads that a stop woke are blocked again: if they run after that, they have moved.
void dumper_quiesce(struct dumper *dumper);

// Adds frames of the kernel before those of blocked threads. It comes after everything that reads
// the latter.
void dumper_add_kernel(struct dumper *dumper, struct dump *dump);

// Returns whether the thread has run since it was read, or is gone.
bool dumper_has_moved(const struct dumper *dumper, const struct seen *seen);

// Finds out why the threads of the dump wait, and for which thread.
void dumper_find_waits(struct dumper *dumper, struct dump *dump);
