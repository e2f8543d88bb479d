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
 * the thread that made it, whatever becomes of that). Another one, which reads symbols, ends with
 * ptprof_close. Both are children of yours: SIGCHLD comes when they end, and waiting for any child
 * at all (waitpid of -1) would take their end away from the library. It handles no signals, prints
 * nothing and never exits; out of memory it aborts. A session is used by one thread at a time;
 * only ptprof_stop may be called by others and by signal handlers meanwhile.
 *
 * Nothing that is given to a function is kept beyond its call.
 *
 * Besides what pkg-config --libs --static ptprof names, programs that are linked with -static need
 * -lbz2.
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
 * Looks whether the processes can be profiled, touching none. options may be NULL, and what is 0 in
 * them has its default, but for the size. error gets a message, cut to error_size bytes with its
 * NUL: of one line or more, without a newline at its end; "" on success. It may be NULL if
 * error_size is 0. On failure *session is NULL; else it is to be given to ptprof_close.
 *
 * PTPROF_USAGE, PTPROF_GONE, PTPROF_DENIED; PTPROF_FAILED also for a 32-bit process.
 */
enum ptprof_result ptprof_open(const pid_t *pids, size_t count,
                               const struct ptprof_options *options,
                               struct ptprof_session **session, char *error, size_t error_size);

/*
 * Samples for so many seconds of time, or until ptprof_stop or the end of all targets. Once a
 * session. PTPROF_OK also when it was stopped, when a target ended with samples taken, or when
 * there was nothing to sample because all threads slept.
 *
 * PTPROF_USAGE, PTPROF_GONE; PTPROF_DENIED when more stops were refused than samples taken, as when
 * a tracer has come meanwhile; PTPROF_FAILED when processes or memory are short. What was sampled
 * up to then can be written.
 */
enum ptprof_result ptprof_run(struct ptprof_session *session, double seconds);

/* Makes ptprof_run return soon, or at once if it is called later. Safe in signal handlers and other
 * threads, up to ptprof_close. */
void ptprof_stop(struct ptprof_session *session);

/*
 * Writes the profile as "pprof" (gzip-compressed), "collapsed", "json" or "text". After ptprof_run;
 * may be called several times. The stream is flushed, and not closed. Names are looked up in the
 * first call, which may take seconds where there is much debug information.
 *
 * PTPROF_USAGE; PTPROF_FAILED when the stream does not take it all.
 */
enum ptprof_result ptprof_write(struct ptprof_session *session, const char *format, FILE *stream);

/* What the last call on the session that failed has to say; "" if none did. As long as the session,
 * or up to the next call that fails. */
const char *ptprof_error(const struct ptprof_session *session);

/* Frees the session. NULL is none. */
void ptprof_close(struct ptprof_session *session);

#ifdef __cplusplus
}
#endif

#endif
