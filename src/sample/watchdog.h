// SPDX-License-Identifier: MIT
// A thread of the main process that ends a sampler which does not let a thread go: the kernel then
// releases the target at once.
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "base/err.h"
#include "sample/control.h"

struct watchdog {
    pthread_t thread;
    struct control *control;
    _Atomic pid_t sampler; // 0: none to watch
    _Atomic int stop;
    _Atomic int kills;
};

enum rc watchdog_start(struct watchdog *watchdog, struct control *control,
                       struct err *err) MUST_CHECK;
void watchdog_stop(struct watchdog *watchdog);
