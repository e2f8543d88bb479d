// SPDX-License-Identifier: MIT
// A thread of the main process that ends a sampler which does not let a thread go: the kernel then
// releases the target at once. It sees when samplers die, too, however that comes.
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "sample/control.h"

struct watchdog {
    pthread_t thread;
    struct control *control;
    _Atomic int sampler; // pidfd; -1: none to watch
    int retired;         // the pidfd before that, -1: none
    _Atomic int64_t died_at; // the sampler, CLOCK_MONOTONIC ns; 0: not seen
    int stop_fd;             // readable: the thread ends
};

enum rc watchdog_start(struct watchdog *watchdog, struct control *control,
                       struct err *err) MUST_CHECK;
void watchdog_stop(struct watchdog *watchdog);

// Makes it guard this process from here on, a child of ours that is not reaped yet; 0: none.
void watchdog_guard(struct watchdog *watchdog, pid_t sampler);

// The sampler that was guarded last has ended, or hangs for good. If its thread of that sign of
// life, control->lives[number], held one of a target then, that hold counts like any other in
// control->held, as long as it lasted: its length is returned, and who was held. 0: nobody.
int64_t watchdog_last_hold(struct watchdog *watchdog, unsigned number, pid_t *tid);
