// SPDX-License-Identifier: MIT
// What a run has seen so far, in a file beside its output: should the main process be killed, no
// more than the time since the last one is lost. A process of its own writes it, which goes first
// when memory runs out and has the lowest priority; names are not in it.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "collect/session.h"
#include "output/writer.h"

struct checkpoint {
    struct session *session;
    const struct writer *writer;
    char *path;
    int64_t every, next; // ns; 0: none is written
    pid_t child;         // that writes, 0: none
    bool jit_suffix;
    bool begun; // a file of ours may be there
};

// output: where the profile is to go; NULL, standard output, has no checkpoints. What a run that
// was killed has left beside it stays, and is named in *left (the caller's; NULL: nothing).
void checkpoint_init(struct checkpoint *checkpoint, struct session *session,
                     const struct writer *writer, const char *output, char **left);

// Sampling begins.
void checkpoint_begin(struct checkpoint *checkpoint, int64_t every, bool jit_suffix);

// To be called now and then: writes one if it is time. Costs no more than a fork.
void checkpoint_step(struct checkpoint *checkpoint);

// Ends a process that still writes one.
void checkpoint_stop(struct checkpoint *checkpoint);

// The profile is written: the file beside it goes, unless `keep`.
void checkpoint_fini(struct checkpoint *checkpoint, bool keep);

// Unlinks it; for signal handlers.
void checkpoint_abandon(void);
