// SPDX-License-Identifier: MIT
// Processes that a server knows. What is known of one stays while it lives and for a while after.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "process/procfs.h"
#include "serve/ask.h"
#include "serve/history.h"
#include "serve/settings.h"

struct target_facts { // raw texts of a process, "": not known; owned
    char *exe;       // path of its program
    char *user;      // name of its effective user, or the number
    char *unit;      // of systemd, "redis-server.service"
    char *container; // ID, 64 hexadecimal digits; "": it is in none
    char *cgroup;    // path in the unified hierarchy, else in that of memory
};

struct rule;
struct target_report;
struct deadlock_look;

struct serve_target {
    char id[ASK_TARGET_MOST]; // its name in paths: unique among those that are listed
    char comm[COMM_MAX];      // raw bytes
    pid_t pid;
    uint64_t start_time;      // clock ticks since boot: tells it from a later process of that pid
    int64_t ended_at;         // CLOCK_MONOTONIC ns; 0: it lives
    int64_t since;            // ns since 1970 UTC: when it was found, or has ended
    unsigned restarts;        // processes that had this ID before
    struct target_facts facts;
    char *denied;             // why it cannot be looked into, escaped; owned. NULL: it can
    const struct rule *rule;  // that found it; NULL: its pid was given
    struct history *history;  // of its figures
    struct target_report *report; // of the runs that sampled it; owned. NULL: there was none
    struct deadlock_look *deadlock; // the last one, shared with jobs; NULL: there was none
    int kept[2];              // memory with what was counted for all time, as runner_config; -1
};

struct target_list {
    struct serve_target **targets; // owned; they do not move
    size_t count, capacity;
    size_t kept; // figures of each
};

// Adds the processes that the settings name. Fails with RC_GONE, RC_USAGE.
enum rc target_list_init(struct target_list *list, const struct serve_settings *settings,
                         struct err *err) MUST_CHECK;
void target_list_fini(struct target_list *list);

// Reads the figures of all that live; those of others stay as they were.
void target_list_read(struct target_list *list, const struct serve_settings *settings);

// Looks which have ended, and who has come.
void target_list_refresh(struct target_list *list);

// Returns the target with that ID, name or pid; "": the only one. NULL, and a message, when there
// is none or several are meant.
struct serve_target *target_list_find(const struct target_list *list, const char *id,
                                      struct err *err);
