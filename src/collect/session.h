// SPDX-License-Identifier: MIT
// One run of the sampler and everything that reads it: sampler process, watchdog, unwinder, store.
// libptprof's API and `ptprof attach` use it.
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "output/report.h"
#include "profile/live.h"
#include "profile/slices.h"

enum session_unwinder {
    UNWINDER_COPY, // unwinds later, from a copy of the stack
    UNWINDER_LIVE, // unwinds with ptrace while the thread is held
};

// The tables of commands/option.h write into this struct.
struct session_options {
    double rate;         // Hz
    const char *threads; // extended regular expression for names of threads, NULL: all
    bool children;       // whether descendants of the processes are sampled too
    uint64_t max_depth;  // most frames of a stack
    double max_stop;     // percent of a thread's time that it may be held
    enum session_unwinder unwinder;
    bool debuginfod;     // whether servers are asked for debug files after sampling
    bool idle;           // wall time is counted from the start on, for writers too
    bool live;           // slices are kept for views, and memory is bounded however long it runs
    bool wait_for_names; // at the end, however long they take
};

#define SESSION_DEFAULTS .rate = 99, .max_depth = 4096, .max_stop = 1

extern const struct session_options session_defaults; // SESSION_DEFAULTS, and names are waited for

struct session;

// Checks whether each process can be sampled, and touches none. Returns RC_USAGE, RC_GONE,
// RC_DENIED or RC_BUSY with a message that says what to do.
enum rc session_open(const pid_t *pids, size_t count, const struct session_options *options,
                     struct session **session, struct err *err) MUST_CHECK;
void session_close(struct session *session);

// Begins sampling. From then on only the calling thread may use the session.
enum rc session_start(struct session *session, struct err *err) MUST_CHECK;

// Waits until the timeout, ms, has passed, a target has ended or `extra_fd` (-1: none) is readable,
// and replaces a sampler that has ended. It never waits for the thread that reads the records.
// Returns RC_OK while the run goes on, RC_GONE when every target has ended, and RC_FAIL when the
// sampler fails again and again.
enum rc session_step(struct session *session, int timeout_ms, int extra_fd,
                     struct err *err) MUST_CHECK;

// Returns the lock, a recursive one, that is held while records are read. A thread that reads the
// profile meanwhile has to hold it.
pthread_mutex_t *session_lock(struct session *session);

// Stops sampling, until it is called with false.
void session_pause(struct session *session, bool paused);

// While true, wall time is counted too (collect/wall.h): blocked threads are read in place, and
// none is stopped for it.
void session_count_idle(struct session *session, bool idle);

// Reduces the rate to one part in `slowdown` from now on.
void session_slow_down(struct session *session, uint32_t slowdown);

// Sets all counts to zero.
void session_reset(struct session *session);

// These are for live sessions that have been started. The first two return what a struct live of
// the profile needs. session_bound is to be called now and then: it gives back memory when much of
// it is in use, and returns whether that renumbered the profile. Then a new struct live is needed.
struct live_source session_live_source(struct session *session);
struct slices *session_slices(struct session *session);
bool session_bound(struct session *session);

// Says for how long threads were held since the last call, ns: the one that was held longest, and
// all of them together.
void session_held(struct session *session, int64_t *worst, int64_t *sum);

// Returns by how many ns the newest round began late.
int64_t session_behind(const struct session *session);

// Releases the targets before it returns, and reads all records. It may be called again.
void session_finish(struct session *session, enum run_end end);

// Returns the numbers so far, without those that need symbols. They are those of the last call if
// newer ones cannot be had at once.
const struct run *session_progress(struct session *session);

// Returns RC_GONE with a message when no thread that lives now has a wanted name, and none was
// seen.
enum rc session_match(struct session *session, struct err *err) MUST_CHECK;

// Returns RC_BUSY or RC_DENIED with a message that says what refused and why, when more stops were
// refused than samples taken.
enum rc session_refusal(struct session *session, struct err *err) MUST_CHECK;

// Ends sampling, unless it has ended, and returns all that was sampled, for writers. The report is
// valid until the next call on the session.
struct report session_report(struct session *session);

// Returns what was sampled so far, without what takes time to count (unresolved). While sampling
// goes on, the caller holds the lock.
struct report session_live_report(struct session *session);

// What was sampled up to now, with names, while sampling goes on: for a writer in a thread of its
// own, one at a time. session_snapshot_end has to be called before the session is reported or
// closed.
struct session_snapshot {
    struct report report;
    struct run run;
    struct run_process *processes;
};
void session_snapshot_take(struct session *session, struct session_snapshot *snapshot);
void session_snapshot_end(struct session *session, struct session_snapshot *snapshot);

// Returns the module with the most cuts, for people: "libfoo.so: no unwind information", or NULL.
// The caller frees it.
char *session_worst_cut(const struct session *session);
