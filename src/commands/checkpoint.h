// SPDX-License-Identifier: MIT
// A checkpoint is the profile so far, without names, in a file beside the output. If the main
// process is killed, only the time since the last checkpoint is lost. A child writes it, with the
// lowest priority and the highest oom_score_adj.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "collect/session.h"
#include "output/writer.h"

struct checkpoint {
    // Set by the caller.
    struct session *session;
    const struct writer *writer;
    int64_t every; // ns from one to the next

    char *path;    // NULL: no checkpoints
    int64_t next;  // when the next one is due
    pid_t child;         // the process that writes; 0: none
    bool begun; // our file may exist
};

// output: path of the profile; NULL (standard output) has no checkpoints. A checkpoint that a
// killed run has left beside it stays, and *left is its path (the caller frees it; NULL: none).
void checkpoint_init(struct checkpoint *checkpoint, const char *output, char **left);

// To be called regularly: writes a checkpoint if it is due. It costs the caller one fork.
void checkpoint_step(struct checkpoint *checkpoint);

// Ends the child if it is still writing.
void checkpoint_stop(struct checkpoint *checkpoint);

// To be called when the profile is written: unlinks the checkpoint, unless `keep`.
void checkpoint_fini(struct checkpoint *checkpoint, bool keep);

// Unlinks the checkpoint. Signal handlers may call it.
void checkpoint_abandon(void);
