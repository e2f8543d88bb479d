// SPDX-License-Identifier: MIT
// What a session has found: its numbers, and the profile with its names.
#pragma once

#include "base/histogram.h"
#include "collect/session.h"

// Returns the numbers so far, without those that need symbols: those of the last call if newer ones
// cannot be had at once.
const struct run *session_progress(struct session *session);

// Fails with RC_GONE if no thread has a wanted name, and none had one.
enum rc session_match(struct session *session, struct err *err) MUST_CHECK;

// Fails with RC_BUSY or RC_DENIED, who and why, if more stops were refused than samples taken.
enum rc session_refusal(struct session *session, struct err *err) MUST_CHECK;

// Fails like both, and with RC_GONE if the targets ended before one sample was taken.
enum rc session_judge(struct session *session, struct err *err) MUST_CHECK;

// A mark is what had been counted at one moment of a run: when the newest slice ended, or sampling.
// Two of them describe a part of the run. While sampling goes on the caller holds the lock.
struct session_mark {
    int64_t duration; // ns, as sampled
    uint64_t counts[COUNTER_COUNT];
    struct histogram held, displaced;
};
struct session_part {
    struct session_mark from, until;
};
void session_mark(struct session *session, struct session_mark *mark);

// Returns the numbers of a part of the run. How many threads were seen and which of them was held
// most is known of the whole run only.
struct run session_run_of(struct session *session, const struct session_part *part);

// Ends sampling and returns all that has been seen, for writers. It is valid until the next call on
// the session.
struct report session_report(struct session *session);

// Returns what has been seen so far, without what takes time to count (unresolved). While sampling
// goes on the caller holds the lock.
struct report session_live_report(struct session *session);

// A snapshot is what has been seen up to now, with names, while sampling goes on: for a writer in a
// thread of its own, one at a time. It ends before the session is reported or closed.
struct session_snapshot {
    struct report report;
    struct run run;
    struct run_process *processes;
};
void session_snapshot_take(struct session *session, struct session_snapshot *snapshot);
void session_snapshot_end(struct session *session, struct session_snapshot *snapshot);

// Forks a process whose session_live_report is what has been seen up to now, without names. Returns
// 0 in it, and -1 if that is not possible at once.
pid_t session_fork(struct session *session);

// Returns where and why most stacks were cut, for people: "libfoo.so: no unwind information", or
// NULL. The caller frees it.
char *session_worst_cut(const struct session *session);
