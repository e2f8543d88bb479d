// SPDX-License-Identifier: MIT
// SIGUSR1 has `ptprof attach` write what it has seen so far, while sampling goes on. A thread does
// it, because symbolizing and disks can be slow.
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "commands/attach_output.h"

struct attach_snapshots {
    struct session *session;            // borrowed
    const struct attach_output *output; // borrowed
    unsigned wanted, begun;
    pthread_t thread; // it writes the last that was begun
    bool has_thread;
    atomic_bool done;
};

// To be called regularly: begins the next snapshot that is wanted when the one before is written.
void attach_snapshots_step(struct attach_snapshots *snapshots);

// Waits until the one that was begun is written.
void attach_snapshots_await(struct attach_snapshots *snapshots);
