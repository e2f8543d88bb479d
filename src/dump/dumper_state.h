// SPDX-License-Identifier: MIT
// What a dumper knows, private to its files.
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
    struct {
        bool inner_tids, filtered;
    } target; // as in struct census_config
    struct control *control;
    struct {
        struct watchdog watchdog;
        bool watched; // by it
        bool held;    // the last one died while it held a thread
        pid_t done;   // a process that has reported everything and ends by itself; 0: none
    } census;
    struct {
        struct modules *modules;
        const struct mapping *unknown;
        struct symbolizer *symbolizer;
        struct dumper_names *names; // the only other user of the symbolizer
        struct walker *walker;
        struct process_image image;
    } code;
    struct regions regions;
    struct regions mappings; // as of the last census
    struct map switches; // tid -> low bits of the number of switches, in the last dump

    // These members are of the current dump:
    struct seen *seen;
    size_t count, capacity;
    struct map index; // tid -> index + 1
    size_t stack_bytes; // size of all stacks that are kept
    struct {
        int64_t began, deadline; // CLOCK_MONOTONIC ns
        bool out;                // it is over
    } time;
    cpu_set_t cpus;   // CPUs where we could run without our own restriction
    bool ended, interrupted;
};
