// SPDX-License-Identifier: MIT
// One run, put together: sampler process, watchdog, unwinder, store. What libptprof's API and
// `ptprof attach` stand on.
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
    UNWINDER_COPY, // afterwards, from a copy of the stack
    UNWINDER_LIVE, // with ptrace, while the thread is held
};

// The tables of commands/option.h write into it: nobody copies them by hand.
struct session_options {
    double rate;         // Hz
    const char *threads; // extended regular expression for names of threads, NULL: all
    bool children;       // descendants of the processes too
    uint64_t max_depth;  // frames of a stack
    double max_stop;     // percent of a thread's time that it may be held
    enum session_unwinder unwinder;
    bool debuginfod;     // ask servers for debug files, once sampling is over
    bool idle;           // wall time from the start on, for writers too
    bool live;           // keep slices for views, and memory bounded however long it runs
    bool wait_for_names; // however long they take, at the end
    bool jit_suffix;     // of its reports, see struct writing
};

#define SESSION_DEFAULTS .rate = 99, .max_depth = 4096, .max_stop = 1

extern const struct session_options session_defaults; // the same, and names are waited for

struct session;

// Looks whether each process can be sampled, touching none. RC_USAGE, RC_GONE, RC_DENIED, RC_BUSY
// with a message that says what to do.
enum rc session_open(const pid_t *pids, size_t count, const struct session_options *options,
                     struct session **session, struct err *err) MUST_CHECK;
void session_close(struct session *session);

// Sampling begins. The session belongs to the calling thread from here on.
enum rc session_start(struct session *session, struct err *err) MUST_CHECK;

// What the caller of session_run has to do meanwhile.
struct session_drive {
    int64_t duration; // ns of sampling, pauses not counted; 0: until a step returns false
    int every_ms;     // from one step to the next
    int fd;           // a step comes at once when it is readable; -1: none
    bool (*step)(void *context, bool woken); // woken: the descriptor is readable. False: stop
    void *context;
};

// Samples until the duration is over, every target has ended (RC_GONE), or a step returns false,
// and replaces a sampler that was killed. Another thread takes in what is sampled: the caller's
// never waits for it. RC_FAIL: the sampler fails again and again; RC_LIMIT: memory runs out.
enum rc session_run(struct session *session, const struct session_drive *drive,
                    struct err *err) MUST_CHECK;

// How long was sampled so far, ns, without pauses.
int64_t session_sampled_ns(const struct session *session);

// Held while what was sampled is taken in, so by who reads the profile meanwhile. Its holder may
// lock it again.
pthread_mutex_t *session_lock(struct session *session);

// Leaves the targets alone until it is called with false.
void session_pause(struct session *session, bool paused);

// While true, wall time is counted too (collect/wall.h): threads that sleep are read in place,
// and none is stopped for it.
void session_count_idle(struct session *session, bool idle);

// Samples at one part in `slowdown` of the rate from now on.
void session_slow_down(struct session *session, uint32_t slowdown);

// Counts from zero.
void session_reset(struct session *session);

// For live sessions that have been started. What a struct live of the profile needs; under the
// lock: how often the profile was renumbered to keep it within bounds. After each time a new struct
// live is needed.
struct live_source session_live_source(struct session *session);
struct slices *session_slices(struct session *session);
unsigned session_renumberings(const struct session *session);

// What threads were held since the last call, ns: the one that was held most, and all together.
void session_held(struct session *session, int64_t *worst, int64_t *sum);

// ns by which the newest round began late.
int64_t session_behind(const struct session *session);

// The targets are released before this returns; everything is taken in. May be called again.
void session_finish(struct session *session);

// The numbers so far, without those that need symbols; those of the last call when newer ones are
// not to be had at once.
const struct run *session_progress(struct session *session);

// RC_GONE with a message when no thread that is there now has a wanted name, and none was met.
enum rc session_match(struct session *session, struct err *err) MUST_CHECK;

// RC_BUSY or RC_DENIED with who and why, when more stops were refused than samples taken.
enum rc session_refusal(struct session *session, struct err *err) MUST_CHECK;

// Ends sampling, if nobody has, and says all that has been seen, for writers; valid until the next
// call on the session.
struct report session_report(struct session *session);

// What has been seen so far, without what takes time to count (unresolved); while it goes on
// only under the lock.
struct report session_live_report(struct session *session);

// What has been seen up to now, with names, while sampling goes on: for a writer in a thread of its
// own, one at a time. It is given back before the session is reported or closed.
struct session_snapshot {
    struct report report;
    struct run run;
    struct run_process *processes;
};
void session_snapshot_take(struct session *session, struct session_snapshot *snapshot);
void session_snapshot_end(struct session *session, struct session_snapshot *snapshot);

// Forks a process that sees what has been seen up to now, without names (session_live_report), and
// goes on as it is. Returns 0 in it, and -1 if that is not possible at once.
pid_t session_fork(struct session *session);

// The modules at which stacks broke off most, for people: "libfoo.so: no unwind information", or
// NULL. The caller frees it.
char *session_worst_cut(const struct session *session);
