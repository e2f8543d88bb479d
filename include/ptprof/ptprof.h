/* SPDX-License-Identifier: MIT */
/*
 * libptprof: CPU and wall time profiles of running processes, from inside a program of yours.
 *
 *     struct ptprof_session *session;
 *     char error[1024];
 *     if (ptprof_open(&pid, 1, NULL, &session, error, sizeof error) != PTPROF_OK)
 *         ...                                     error says what is wrong and what to do
 *     ptprof_run(session, 10.0);                  blocks for ten seconds
 *     ptprof_write(session, "pprof", file);
 *     ptprof_close(session);
 *
 * The target is touched by a helper process only, which ends with the call of ptprof_run (and with
 * the thread that made it, whatever becomes of that). The library handles no signals, prints
 * nothing and never exits; out of memory it aborts. A session is used by one thread at a time, of
 * which only ptprof_stop may be called by others and by signal handlers.
 */
#ifndef PTPROF_PTPROF_H
#define PTPROF_PTPROF_H

#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

enum ptprof_result {
    PTPROF_OK,
    PTPROF_FAILED,   /* anything else: see the message */
    PTPROF_USAGE,    /* a wrong argument */
    PTPROF_GONE,     /* no such process, or every target ended before a sample was taken */
    PTPROF_DENIED,   /* a permission is missing, or another tracer has the process */
};

struct ptprof_options {
    size_t size;         /* sizeof(struct ptprof_options): later versions add members at the end */
    double rate;         /* Hz, of each running thread; 0: 99 */
    const char *threads; /* extended regular expression for names of threads; NULL: all */
    int children;        /* not 0: descendants too, those that start meanwhile included */
    unsigned max_depth;  /* frames of a stack; 0: 4096 */
    double max_stop;     /* share of a thread's time that it may be held; 0: 0.01 */
    int idle;            /* not 0: wall time, of threads that sleep too, which are not stopped */
};

struct ptprof_session;

/*
 * Looks whether the processes can be profiled, touching none. options may be NULL. On failure
 * *session is NULL and a message of at most error_size bytes, with its NUL, is in error.
 */
enum ptprof_result ptprof_open(const pid_t *pids, size_t count,
                               const struct ptprof_options *options,
                               struct ptprof_session **session, char *error, size_t error_size);

/*
 * Samples for so many seconds, or until ptprof_stop or the end of all targets. Once a session.
 * PTPROF_OK also when it was stopped or when a target ended with samples taken.
 */
enum ptprof_result ptprof_run(struct ptprof_session *session, double seconds);

/* Makes ptprof_run return soon. Safe in signal handlers and other threads. */
void ptprof_stop(struct ptprof_session *session);

/*
 * Writes the profile as "pprof" (gzip-compressed), "collapsed", "json" or "text". After ptprof_run;
 * may be called several times. The stream is neither flushed to disk nor closed.
 */
enum ptprof_result ptprof_write(struct ptprof_session *session, const char *format, FILE *stream);

/* What the last call on the session that failed has to say. */
const char *ptprof_error(const struct ptprof_session *session);

void ptprof_close(struct ptprof_session *session);

#ifdef __cplusplus
}
#endif

#endif
