// SPDX-License-Identifier: MIT
// The only place that calls ptrace or waits for a thread. A thread is traced from tracer_attach to
// tracer_release and at no other time. The kernel accepts requests of the attaching thread alone.
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "process/machine.h"

enum tracer_wait {
    TRACER_STOPPED, // it is held
    TRACER_RUNNING, // not stopped yet: the request stays
    TRACER_GONE,    // it ended; nothing is left to release
};

struct tracer_hold {
    pid_t tid;
    int signal; // that was about to be delivered: handed on by the release
};

// Blocks SIGCHLD for the calling thread.
void tracer_init(void);

// Asks the kernel whether the calling process may use ptrace at all, naming nobody: 0, or the error
// number with which a filter of system calls answers.
int tracer_refusal(void);

// Sleeps until a child of ours ends, SIGTERM asks for attention, or the deadline (CLOCK_MONOTONIC
// ns).
void tracer_sleep(int64_t deadline);

// To be called by each thread that traces: from here on tracer_guard works for it.
enum rc tracer_begin_thread(struct err *err) MUST_CHECK;
void tracer_end_thread(void);

// Sets when tracer_attach and tracer_await give up waiting: `until`, CLOCK_MONOTONIC ns; 0: never.
void tracer_guard(int64_t until);

// Attaches and asks the thread to stop. RC_GONE; RC_DENIED, also while somebody else traces it;
// RC_LIMIT: an exec kept us from it until the guard's time. Once attached it may be gone: the wait
// tells.
enum rc tracer_attach(pid_t tid) MUST_CHECK;

// Reaps the traced threads that have ended: an exec waits for the ends of all others.
void tracer_reap(void);

// Sleeps until a thread that the calling one traces, this one or (0) any, has stopped or ended, or
// `until` is over, which the guard is set to (TRACER_RUNNING); then it has looked once. *hold says
// which; with TRACER_GONE its tid may be 0: the calling thread traces none.
enum tracer_wait tracer_await(pid_t tid, int64_t until, struct tracer_hold *hold);

// Ends the sleep of another thread of this process in tracer_await, or in its tick.
void tracer_disturb(pthread_t thread);

// Reads the general registers of a held thread. RC_FORMAT: it runs 32-bit code.
enum rc tracer_regs(const struct tracer_hold *hold, struct registers *regs) MUST_CHECK;

// Overwrites what the interrupted system call is about to return.
void tracer_set_result(const struct tracer_hold *hold, long result);

// Detaches. False when the thread was killed while it was held: it is ours until tracer_await says
// that it is gone.
bool tracer_release(const struct tracer_hold *hold);
