// SPDX-License-Identifier: MIT
// Where snapshots come from: a session that runs in a thread of its own, so that a slow terminal
// delays nobody, or a text that is replayed.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "collect/session.h"
#include "monitor/snapshot.h"
#include "rows/rows.h"

struct feed;

struct feed_options {
    bool no_backoff; // keep the rate above 5 % overhead
};

// Starts the session, which belongs to the feed from here on.
enum rc feed_live(struct session *session, const struct feed_options *options, struct feed **feed,
                  struct err *err) MUST_CHECK;

// Replays a text of monitor/snapshot_text.h. RC_IO, RC_FORMAT with the line's number.
enum rc feed_replay(const char *path, struct feed **feed, struct err *err) MUST_CHECK;

// Ends sampling; the target is released before this returns.
void feed_free(struct feed *feed);

// The moment as it is now. A replay gives its next one, and its last one again and again. The
// caller frees it; it may outlive later ones, not the feed.
struct snapshot *feed_take(struct feed *feed);

// Gives a snapshot that stays on display the names that came after it was taken. Returns true when
// there are any: rows have to be made anew.
bool feed_name(struct feed *feed, struct snapshot *snapshot);

// While true, snapshots also say in full why threads wait and for whom (struct thread_fact), as far
// as that costs little: for as long as somebody looks at threads.
void feed_want_waits(struct feed *feed, bool wanted);

// While true, wall time is counted too, as FILTER_WALL asks for: it is told a second
// later, and only of the time since then.
void feed_want_idle(struct feed *feed, bool wanted);

// While a thread is named, snapshots hold the stack that it sleeps in. 0: none.
void feed_want_stack(struct feed *feed, pid_t tid);

// What became of the target by now; for a display that takes no snapshots. Clears feed_fd.
enum target_end feed_end(struct feed *feed);

// How long feed_take waits for names and for why threads wait, ms: 100 unless set. What takes
// longer comes with a later snapshot.
void feed_set_patience(struct feed *feed, int milliseconds);

// Whether it is a replay: then feed_take is the only clock, and nothing else changes.
bool feed_is_replay(const struct feed *feed);

// Becomes readable (never read it) when a snapshot should be taken at once: the target ended, ran
// another program, or there is a note. feed_take clears it. -1 in a replay.
int feed_fd(const struct feed *feed);

// Leaves the target alone until it is called with false.
void feed_pause(struct feed *feed, bool paused);

// Counts from zero.
void feed_reset(struct feed *feed);

// Writes what the query shows (its window, filter and threads) as a profile for go tool pprof.
enum rc feed_write(struct feed *feed, const struct snapshot *snapshot,
                   const struct rows_query *query, FILE *out, struct err *err) MUST_CHECK;

// Ends sampling; RC_GONE, RC_BUSY or RC_DENIED with a message when there was nothing to be seen for
// that reason (session_match, session_refusal).
enum rc feed_judge(struct feed *feed, struct err *err) MUST_CHECK;

// Ends sampling (the target is released first) and says what came of all of it; not for replays.
// Valid until feed_free.
struct report feed_finish(struct feed *feed);

// Why sampling ended by itself: RC_OK while it goes on or the target has ended, else the sampler's
// failure.
enum rc feed_error(struct feed *feed, struct err *err) MUST_CHECK;
