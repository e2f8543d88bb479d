// SPDX-License-Identifier: MIT
// What several writers of timelines need: who the threads are, what states are called, and JSON
// that is written while it grows.
#pragma once

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/json.h"
#include "profile/timeline.h"

struct trace_thread { // as its labels say
    pid_t pid, tid;             // 0: not known
    const char *name, *process; // raw bytes of the profile; "": not known
};

extern const char *const trace_states[]; // [enum profile_state]: "Running"

// Returns the threads by their numbers in the timeline; the caller frees them.
struct trace_thread *trace_threads(const struct timeline *timeline);

// The first moment that files show: times in them count from here, because most viewers know none
// that are negative. The timeline is sorted.
int64_t trace_origin(const struct timeline *timeline);

bool trace_is_running(const struct timeline_event *event);

struct trace_share { // of the CPU time of a thread
    int64_t unknown; // that it ran in events without a stack
    int64_t known;   // events with one
};

// Returns the shares by thread; the caller frees them.
struct trace_share *trace_shares(const struct timeline *timeline);

// Returns the CPU time that an event of trace_cut stands for, in which its thread ran. Where
// switches are known, few runs have been looked at, but a look meets a run the likelier the longer
// it is: so each of those that have a stack stands for as much of what the others lasted.
int64_t trace_weight(const struct trace_share *shares, const struct timeline_event *event);

// What is said in every file of how the states became known.
const char *trace_accuracy(const struct timeline *timeline);

// Returns the text of a label that an event has, a number of the profile's texts; 0: none.
uint32_t trace_label(const struct timeline *timeline, uint32_t labels, const char *key);

// Returns what of an event lies behind those before it of its thread: to viewers they may not
// overlap, and nothing forbids it to a timeline. Events are taken in their order; `ends` is of
// trace_ends, which the caller frees.
int64_t *trace_ends(const struct timeline *timeline);
struct timeline_event trace_cut(int64_t *ends, const struct timeline_event *event);

struct trace_json {
    struct json json; // into `text`
    struct buf text;
    FILE *out;
    enum rc rc; // the first failure
    struct err *err;
};

void trace_json_init(struct trace_json *trace, FILE *out, struct err *err);

// Writes what was made so far if it is enough, or drops it after a failure.
void trace_json_some(struct trace_json *trace);

// Writes the rest and frees the text.
enum rc trace_json_fini(struct trace_json *trace) MUST_CHECK;
