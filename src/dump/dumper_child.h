// SPDX-License-Identifier: MIT
// What the parts of the dumper share.
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

struct seen { // a thread, as the census told
    struct dump_thread thread;
    uint32_t flags; // enum census_flag
    pid_t inner_tid;
    uint64_t switches;
    struct proc_syscall call;
    void *stack; // what is worth keeping of the copy; owned
    size_t stack_length;
    uint64_t stack_address;
    struct stack_plan plan; // of the next copy
    struct stack_windows windows;
    bool cut;              // the copy was too short, and the next one will hold more
};

struct dumper_names; // names that are fetched ahead

struct dumper {
    struct dumper_options options;
    pid_t pid;
    int pidfd; // readable once the whole process has ended
    int maps_fd; // of the program that runs, -1: none
    char comm[COMM_MAX]; // of its main thread
    struct thread_filter *threads; // NULL: all
    bool inner_tids, filtered; // as in struct census_config
    struct control *control;
    struct watchdog watchdog;
    bool watched;
    bool held_last; // the census before died while it held a thread
    pid_t done_child; // a census process that has told everything and ends by itself; 0: none
    struct modules *modules;
    const struct mapping *unknown;
    struct symbolizer *symbolizer;
    struct dumper_names *names; // who else uses it
    struct walker *walker;
    struct process_image image;
    struct regions regions;
    struct regions mappings; // as of the census before
    struct map switches; // tid -> low bits of the switches in the dump before

    // Of the dump that is being made:
    struct seen *seen;
    size_t count, capacity;
    struct map index; // tid -> index + 1
    size_t stack_bytes; // kept
    int64_t began, deadline; // CLOCK_MONOTONIC ns
    cpu_set_t cpus;   // where we may run, if not for our own restraint
    bool timed_out, ended, interrupted;
};

// Takes in what a census told of a thread.
void dumper_see(struct dumper *dumper, const struct census_record *record);
bool dumper_has_stack(const struct census_record *record);

// A thread that could not be read: no census shall try it again.
void dumper_give_up(struct dumper *dumper, pid_t tid);

// --- dumper_image.c

bool dumper_has_ended(const struct dumper *dumper);

// The path of the program, NULL: not known. The caller's.
char *dumper_exe(const struct dumper *dumper);

// Before anything is read of the program that runs: its maps read as empty once it is replaced.
void dumper_note_image(struct dumper *dumper);

// Stacks of one program must not be named by another one.
bool dumper_has_executed(const struct dumper *dumper);

// Of a process that has ended nobody can tell any more whether it executed another program before.
// The main thread, which is all that an exec leaves, has another name then: its stack is forgotten.
void dumper_forget_other_program(struct dumper *dumper);

// --- dumper_name.c

struct dumper_names *dumper_names_new(struct symbolizer *symbolizer);
void dumper_names_free(struct dumper_names *names);

// Its name will be asked for.
void dumper_names_want(struct dumper_names *names, uint32_t mapping, uint64_t offset);

// Has names fetched while the census goes on.
void dumper_names_go_on(struct dumper_names *names);

// Symbols for the frames of all threads.
void dumper_name(struct dumper *dumper);

// Maps of the process, read again; those of a leader that has ended are empty.
void dumper_refresh(struct dumper *dumper, pid_t tid);

// Threads that a stop woke have gone back to sleep: what they do from here on counts as moving.
void dumper_quiesce(struct dumper *dumper);

// Frames of the kernel, before those of the threads that sleep; after all that reads the latter.
void dumper_add_kernel(struct dumper *dumper, struct dump *dump);

// Whether the thread has run since it was seen, or is gone.
bool dumper_has_moved(const struct dumper *dumper, const struct seen *seen);

// Why the threads of the dump wait, and for whom.
void dumper_find_waits(struct dumper *dumper, struct dump *dump);
