// SPDX-License-Identifier: MIT
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>

// Starts a thread with all signals blocked, so that the main thread gets them. Returns an errno or
// 0.
int thread_start(pthread_t *thread, void *(*run)(void *context), void *context);

// From now on the calling thread, which computes, never preempts another (SCHED_BATCH) and has a
// higher nice value. Threads that it starts inherit both.
void thread_come_last(void);

// The calling thread, which computes what somebody waits for, never preempts another (SCHED_BATCH),
// but keeps its nice value and so its share of the CPU.
void thread_come_late(void);

// The calling thread, which runs for less than 100 us at a time, gets a short slice: so an ordinary
// task runs soon after it wakes, without a privilege. Returns false before kernel 6.12, which has
// no slices.
bool thread_come_soon(void);

// Returns whether the calling thread has real-time priority.
bool thread_is_realtime(void);

// Has another thread or process run like the calling thread: policy, nice value, slice and CPUs.
// What the kernel does not permit stays as it is.
void thread_lead(pid_t tid);

// Initializes a mutex that its holder may lock again.
void thread_mutex_recursive(pthread_mutex_t *mutex);

// Returns the time `milliseconds` from now, for a condition made by thread_condition.
struct timespec thread_deadline(int milliseconds);

// Initializes a condition whose timeouts are by CLOCK_MONOTONIC.
void thread_condition(pthread_cond_t *condition);
