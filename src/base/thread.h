// SPDX-License-Identifier: MIT
#pragma once

#include <pthread.h>
#include <stdbool.h>

// Starts a thread that no signal is delivered to: those are for the thread that was there first.
// Returns 0 or an errno.
int thread_start(pthread_t *thread, void *(*run)(void *context), void *context);

// For a thread that computes: from now on everybody else's come first, and it never takes a CPU
// from one that runs (SCHED_BATCH, and nicer). What it starts inherits that.
void thread_come_last(void);

// The same of one that somebody waits for: it takes no CPU from one that runs, but has its share.
void thread_come_late(void);

// For a thread that runs for less than 100 us at a time: it comes as soon as it has something to do
// (an ordinary task with a short slice, which needs no privilege). False before kernel 6.12.
bool thread_come_soon(void);

// A mutex that its holder may lock again.
void thread_mutex_recursive(pthread_mutex_t *mutex);

// The time that many ms from now, for a condition of thread_condition.
struct timespec thread_deadline(int milliseconds);

// A condition that waits by CLOCK_MONOTONIC.
void thread_condition(pthread_cond_t *condition);
