// SPDX-License-Identifier: MIT
// Processes that a server knows, because their pids were given or rules match them. What is known
// of one stays while it lives and for a while after.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "serve/ask.h"
#include "serve/history.h"
#include "serve/finder.h"
#include "serve/rule.h"
#include "serve/settings.h"
#include "serve/target_facts.h"

struct target_report;
struct deadlock_look;

struct serve_target {
    char id[ASK_TARGET_MOST]; // its name in paths: unique among those that are listed
    pid_t pid;
    uint64_t start_time;      // clock ticks since boot: tells it from a later process of that pid
    int64_t ended_at;         // CLOCK_MONOTONIC ns; 0: it lives
    int64_t since;            // ns since 1970 UTC: when it was found, or has ended
    unsigned restarts;        // processes that had this ID before
    struct target_facts facts;
    char *denied;             // why it cannot be looked into, escaped; owned. NULL: it can
    const struct target_rule *rule;  // that found it; NULL: its pid was given
    unsigned users;           // processes of ours that look at it: it is not forgotten meanwhile
    struct history *history;  // of its figures
    struct target_report *report; // of the runs that sampled it; owned. NULL: there was none
    struct deadlock_look *deadlock; // the last one, shared with jobs; NULL: there was none
    int kept[2];              // memory with what was counted for all time, as runner_config; -1
};

struct target_found { // a process that is to be a target
    pid_t pid;
    uint64_t start_time;
    const struct target_rule *rule;
    struct target_facts facts; // as far as they were read
};

struct target_list {
    struct serve_target **targets; // owned; they do not move
    size_t count, capacity;
    size_t kept; // figures of each
    struct target_rule **rules; // owned
    size_t rule_count;
    struct process_finder *finder; // owned; NULL: there are no rules
    uint64_t most;     // that live, found by rules
    uint64_t left_out; // processes that match beside them
    int64_t listed;    // ns for which those that have ended stay
    int64_t look_at;   // CLOCK_MONOTONIC ns: not before then
};

// Adds the processes that the settings name and those that match their rules. Fails with RC_GONE,
// RC_USAGE.
enum rc target_list_init(struct target_list *list, const struct serve_settings *settings,
                         struct err *err) MUST_CHECK;
void target_list_fini(struct target_list *list);

// Goes by other settings. Targets that the same rule takes, or another one, stay what they are. On
// failure (RC_USAGE) nothing has changed.
enum rc target_list_reload(struct target_list *list, const struct serve_settings *settings,
                           struct err *err) MUST_CHECK;

// Make and free what target_list_init and target_list_reload have of the settings.
enum rc target_rules_take(struct target_list *list, const struct serve_settings *settings,
                          struct err *err) MUST_CHECK;
void target_rules_free(struct target_list *list);

// Reads the figures of all that live; those of others stay as they were.
void target_list_read(struct target_list *list, const struct serve_settings *settings);

// Looks which have ended, and who has come. One that comes when another one of its rule has ended,
// and is alone in that, is the same target: it has its ID, its history and its counts.
void target_list_look(struct target_list *list);

// Reads whether a target has ended or runs another program now.
void target_check(struct serve_target *target);

// Add a target, or make a process the successor of one that has ended. They take over the facts.
void target_list_add(struct target_list *list, struct target_found *found);
void target_succeed(struct serve_target *target, struct target_found *found);

// Forgets a target of the list.
void target_list_drop(struct target_list *list, size_t number);

// Returns the target with that ID, name or pid; "": the only one. NULL, and a message, when there
// is none or several are meant. Whether it lives is known as of now.
struct serve_target *target_list_find(const struct target_list *list, const char *id,
                                      struct err *err);
