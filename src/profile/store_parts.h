// SPDX-License-Identifier: MIT
// What a store (store.h) consists of.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "wait/sort.h"

// What a value is of. STATE_CPU makes the CPU profile. The next three, the states of a thread, are
// there only while wall time is counted (collect/wall.h), and make the wall profile without it: CPU
// time is in both then, in STATE_RUNNING from when wall time began to be counted. The last two hold
// what the threads waited for: how often, and how long.
enum profile_state {
    STATE_CPU,
    STATE_RUNNING,
    STATE_QUEUED, // runnable, waiting for a CPU
    STATE_BLOCKED,
    STATE_DELAYED, // blocked again, by what the thread waited for
    STATE_HOLDING, // the thread held a lock that others waited for
    STATE_COUNT,
};
extern const char *const profile_state_names[]; // [enum profile_state]

// Returns the state of a thread with that name; STATE_CPU if there is none.
enum profile_state profile_state_named(const char *name);

struct location {
    uint32_t mapping; // number in the module table
    uint64_t offset;  // in the file; an address for anonymous code
};

struct stack_node { // node 0 is the root and holds no location
    uint32_t parent;
    uint32_t location;
};

struct profile_thread {
    pid_t pid, tid;
    uint32_t comm;         // strings: name of the thread as last seen, raw bytes
    uint32_t process_comm; // name of its process, the same
    int64_t held_ns;       // that it was held
    bool ended;            // it may be merged with others (profile/compact.h)
};

struct profile_wait { // what threads waited for
    uint32_t kind;   // string: "lock", "pipe"; 0: it is not known
    uint32_t object; // string: the lock's symbol or address; 0: there is none
    bool inferred;   // that it is this lock
    bool lock;       // another thread holds the object
    enum wait_idle idle; // how it may be a wait for work
};

struct profile_value {
    uint32_t stack; // node of the leaf
    uint32_t thread;
    enum profile_state state;
    uint32_t wait;    // number of the struct profile_wait; 0: none
    uint64_t samples; // of STATE_DELAYED and STATE_HOLDING: waits
    uint64_t ns;      // in that state
};
