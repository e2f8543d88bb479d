// SPDX-License-Identifier: MIT
#pragma once

#include <pthread.h>
#include <stdbool.h>

// Starts a thread that no signal is delivered to: those are for the thread that was there first.
// Returns 0 or an errno.
int thread_start(pthread_t *thread, void *(*run)(void *context), void *context);

// The time that many ms from now, for a condition of thread_condition.
struct timespec thread_deadline(int milliseconds);

// A condition that waits by CLOCK_MONOTONIC.
void thread_condition(pthread_cond_t *condition);
