// SPDX-License-Identifier: MIT
// A session is one run: sampler process, watchdog, taker, unwinder and store put together. attach,
// top and libptprof drive it by session_run.
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

// The tables of commands/option.h write into it, so that nobody copies values by hand.
struct session_options {
    double rate;         // Hz
    const char *threads; // extended regular expression for names of threads, NULL: all
    bool children;       // whether descendants of the processes are sampled too
    uint64_t max_depth;  // most frames of a stack
    double max_stop;     // percent of a thread's time that it may be held
    enum session_unwinder unwinder;
    bool debuginfod;     // ask servers for debug files, once sampling is over
    unsigned types;      // set of PROFILE_BIT: what is gathered; 0: cpu
    bool idle;           // wall time from the start on, for writers too: as wall among the types
    int64_t min_block;   // of block, as in struct run
    bool idle_waits;     // the same
    bool live;           // keep slices for views, and memory bounded however long it runs
    bool wait_for_names; // at the end, however long they take
    bool jit_suffix;     // of its reports, see struct writing
    uint64_t max_size;   // of a trace, in bytes
    const char *trace_directory; // where its events go meanwhile; NULL: TMPDIR or /tmp
};

#define SESSION_DEFAULTS .rate = 99, .max_depth = 4096, .max_stop = 1, .max_size = 1ull << 30

extern const struct session_options session_defaults; // SESSION_DEFAULTS, and names are waited for

struct session;

// Checks whether each process can be sampled, without touching it. Fails with RC_USAGE, RC_GONE,
// RC_DENIED or RC_BUSY and a message that says what to do.
enum rc session_open(const pid_t *pids, size_t count, const struct session_options *options,
                     struct session **session, struct err *err) MUST_CHECK;
void session_close(struct session *session);

// Begins to sample. When the calling thread ends, so does the sampler.
enum rc session_start(struct session *session, struct err *err) MUST_CHECK;

// What drives a run: time, a descriptor, and what its owner does meanwhile.
struct session_drive {
    int64_t duration; // ns of sampling, without pauses; 0: until a step returns false
    int every_ms;     // from one step to the next
    int fd;           // has a step come at once while it is readable; -1: none
    bool (*step)(void *context, bool woken); // woken: by the descriptor. False ends the run
    void *context;
};

// Samples until the duration is over, every target has ended (RC_GONE) or a step returns false. It
// replaces a sampler that was killed. The taker takes in what is sampled, and the calling thread
// never waits for it. Fails with RC_FAIL if the sampler fails again and again, and with RC_LIMIT.
enum rc session_run(struct session *session, const struct session_drive *drive,
                    struct err *err) MUST_CHECK;

// Returns how long was sampled so far (ns), without pauses.
int64_t session_sampled_ns(const struct session *session);

// Completes slices of whose end the sampler does not tell, as when it hangs. The caller holds the
// lock, and calls it now and then.
void session_advance(struct session *session);

// Returns the lock that protects the profile while sampling goes on. Its holder may lock it again.
pthread_mutex_t *session_lock(struct session *session);

// Stops sampling, until it is called with false.
void session_pause(struct session *session, bool paused);

// Has no thread stopped, until it is called with false: threads that sleep are still read in place,
// and what others do is not known. It may be called before the session is started.
void session_stop_nobody(struct session *session, bool in_place);

// Counts what the types of the set need beside CPU time, from now on: wall time (collect/wall.h),
// for which threads that sleep are read in place and none is stopped, and what threads wait for
// (collect/delays.h). While sampling goes on the caller holds the lock.
void session_count(struct session *session, unsigned types);

// In live sessions names are fetched by the caller, who holds the lock here. Some may be wanted for
// what threads wait for; then those of so many locations have come, and nobody uses the symbolizer.
bool session_wants_names(const struct session *session);
void session_take_names(struct session *session, size_t named);

// Reduces the rate to one part in `slowdown` from now on.
void session_slow_down(struct session *session, uint32_t slowdown);

// Sets all counts to zero.
void session_reset(struct session *session);

// These are for live sessions that have been started. A struct live of the profile is made of the
// first; a new one is needed after each renumbering, by which the taker keeps the profile small.
struct live_source session_live_source(struct session *session);
struct slices *session_slices(struct session *session);
unsigned session_renumberings(const struct session *session); // so far; under the lock

// Returns for how long (ns) threads were held since the last call: the one that was held most, and
// all together.
void session_held(struct session *session, int64_t *worst, int64_t *sum);

// Returns by how much (ns) the newest round began late.
int64_t session_behind(const struct session *session);

// Ends sampling: the targets are released, then what is in the ring is taken in. It may be called
// again.
void session_finish(struct session *session);
