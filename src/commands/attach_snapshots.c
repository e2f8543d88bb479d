// SPDX-License-Identifier: MIT
#include "commands/attach_snapshots.h"

#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "base/thread.h"

static void *write_one(void *context)
{
    struct attach_snapshots *snapshots = context;
    struct session_snapshot snapshot;
    struct err err = {0};
    AUTO_FREE char *path = NULL;
    thread_come_last();
    session_snapshot_take(snapshots->session, &snapshot);
    enum rc rc = attach_output_snapshot(snapshots->output, &snapshot.report, snapshots->begun,
                                        &path, &err);
    AUTO_FREE char *shown = escape_text_dup(path);
    if (rc != RC_OK)
        fprintf(stderr, "ptprof: %s\n", err.text);
    else if (!snapshots->output->options->quiet)
        fprintf(stderr, "ptprof: snapshot written to %s, sampling goes on\n", shown);
    session_snapshot_end(snapshots->session, &snapshot);
    atomic_store(&snapshots->done, true);
    return NULL;
}

void attach_snapshots_await(struct attach_snapshots *snapshots)
{
    if (snapshots->has_thread)
        pthread_join(snapshots->thread, NULL);
    snapshots->has_thread = false;
}

void attach_snapshots_step(struct attach_snapshots *snapshots)
{
    if (snapshots->begun == snapshots->wanted ||
        (snapshots->has_thread && !atomic_load(&snapshots->done)))
        return;
    attach_snapshots_await(snapshots);
    snapshots->begun++;
    atomic_store(&snapshots->done, false);
    int errnum = thread_start(&snapshots->thread, write_one, snapshots);
    snapshots->has_thread = !errnum;
    if (errnum)
        fprintf(stderr, "ptprof: cannot start a thread for the snapshot: %s\n", strerror(errnum));
}
