// SPDX-License-Identifier: MIT
// A thread of the main process that ends a sampler which does not let a thread go: the kernel then
// releases the target at once.
#pragma once

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "base/err.h"
#include "sample/control.h"

struct watchdog {
    pthread_t thread;
    struct control *control;
    _Atomic int sampler; // pidfd; -1: none to watch
    int retired;         // the pidfd before that, -1: none
    sem_t stop; // posted: the thread ends
};

enum rc watchdog_start(struct watchdog *watchdog, struct control *control,
                       struct err *err) MUST_CHECK;
void watchdog_stop(struct watchdog *watchdog);

// From here on it looks after this process, a child of ours that is not reaped yet; 0: nobody.
void watchdog_guard(struct watchdog *watchdog, pid_t sampler);
