// SPDX-License-Identifier: MIT
// A feed gives snapshots of a run. It drives the session in a thread of its own, so that a slow
// terminal delays nobody, or replays a text, or has the one of a file.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "collect/session.h"
#include "collect/session_report.h"
#include "monitor/snapshot.h"
#include "rows/rows.h"

struct feed;

struct feed_options {
    bool no_backoff; // keep the rate above 5 % overhead
};

// Starts the session and takes it over.
enum rc feed_live(struct session *session, const struct feed_options *options, struct feed **feed,
                  struct err *err) MUST_CHECK;

// Replays a text of monitor/snapshot_text.h. Fails with RC_IO, or RC_FORMAT and the number of the
// line.
enum rc feed_replay(const char *path, struct feed **feed, struct err *err) MUST_CHECK;

// Gives one snapshot, which it takes over, once; then none, because a file does not change.
struct feed *feed_still(struct snapshot *snapshot);
bool feed_is_still(const struct feed *feed);

// Ends sampling. The target is released before this returns.
void feed_free(struct feed *feed);

// Returns a snapshot of now. A replay returns its next one, and its last one again and again. The
// caller frees it; it may outlive later ones, but not the feed.
struct snapshot *feed_take(struct feed *feed);

// Keeps a snapshot that stays on display true: whether the target has ended, and names that come
// later. Returns true when they have come: then rows have to be made anew. Clears feed_fd.
bool feed_refresh(struct feed *feed, struct snapshot *snapshot);

// While `wanted` is true, snapshots say in full why threads wait and for whom (struct thread_fact),
// as far as that costs little. While `stack` is the tid of a thread (0: none), they hold the stack
// that it sleeps in.
void feed_want_waits(struct feed *feed, bool wanted, pid_t stack);

// Has what a set of types of profiles needs (PROFILE_BIT of CPU, WALL, BLOCK and MUTEX) counted
// beside CPU time, and nothing else, from then on only: it is there a second later.
void feed_want_types(struct feed *feed, unsigned types);

// Sets how long (ms) feed_take waits for names and for why threads wait: 100 unless set. What takes
// longer comes with a later snapshot.
void feed_set_patience(struct feed *feed, int milliseconds);

// Finds out what is waited for where threads have not waited before. feed_take does that too; who
// does not take a snapshot once a second calls this, because holders of locks are looked for only
// when the locks are known.
void feed_keep_up(struct feed *feed);

// Returns true for a replay and a file: then feed_take is the only clock, and nothing else has an
// effect.
bool feed_is_replay(const struct feed *feed);

// Returns a descriptor that becomes readable when a snapshot should be taken at once: the target
// ended or ran another program, or there is a note. feed_take clears it; never read it. A replay
// has none: -1.
int feed_fd(const struct feed *feed);

// Leaves the target alone until it is called with false.
void feed_pause(struct feed *feed, bool paused);

// Has no thread stopped (session_stop_nobody), until it is called with false. Not for replays.
void feed_stop_nobody(struct feed *feed, bool in_place);

// Counts from zero.
void feed_reset(struct feed *feed);

// Makes a profile of what the query shows, which the caller frees, with what was counted in a part
// of the run (NULL: all) in its comments. Names are waited for so long (ms); RC_TIMEOUT: some are
// missing. Fails as rows_extract; *profile is NULL then.
enum rc feed_extract(struct feed *feed, const struct snapshot *snapshot,
                     const struct rows_query *query, const struct session_part *part,
                     int milliseconds, struct plain_profile **profile, struct err *err) MUST_CHECK;

// The time of a run, and what had been counted when its newest slice ended (not for replays).
struct feed_time {
    int64_t elapsed;   // ns since sampling began
    int64_t completed; // the same when the newest slice was
    bool ended;        // the target has, or sampling itself (feed_error)
};
struct feed_time feed_time(struct feed *feed);
void feed_mark(struct feed *feed, struct session_mark *mark);

// Fails with RC_BUSY or RC_DENIED if more stops were refused than samples taken in the part.
enum rc feed_refusal(struct feed *feed, const struct session_part *part,
                     struct err *err) MUST_CHECK;

// Has names looked up of what has been seen so far, so that a profile need not wait for them.
void feed_name_ahead(struct feed *feed);

// Writes what the query shows (its window, filter and threads) as a profile for go tool pprof.
enum rc feed_write(struct feed *feed, const struct snapshot *snapshot,
                   const struct rows_query *query, FILE *out, struct err *err) MUST_CHECK;

// Ends sampling. Fails like session_judge.
enum rc feed_judge(struct feed *feed, struct err *err) MUST_CHECK;

// Ends sampling and returns all that has been seen, valid until feed_free. Not for replays.
struct report feed_finish(struct feed *feed);

// Returns why sampling ended by itself: RC_OK while it goes on or when the target has ended, else
// the failure of the sampler.
enum rc feed_error(struct feed *feed, struct err *err) MUST_CHECK;
