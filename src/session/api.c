// SPDX-License-Identifier: MIT
// The public API is a session without its details.
#include <ptprof/ptprof.h>

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/clock.h"
#include "base/escape.h"
#include "base/limits.h"
#include "base/mem.h"
#include "collect/session.h"
#include "collect/session_report.h"
#include "session/api_parts.h"

#define STEP_MS 1000 // nothing is to be done meanwhile
#define LEAST_RATE 0.1 // the bounds of `ptprof attach`
#define MOST_RATE 10000.0
#define MOST_DEPTH 65536u
#define MOST_SECONDS 1e9 // as ns it still fits

struct ptprof_session {
    struct session *session;
    int stop_fd; // eventfd: ptprof_stop was called
    bool ran;
    unsigned types; // set of PROFILE_BIT
    struct err err;
};

enum ptprof_result api_result(enum rc rc)
{
    switch (rc) {
    case RC_OK:
        return PTPROF_OK;
    case RC_USAGE:
        return PTPROF_USAGE;
    case RC_GONE:
        return PTPROF_GONE;
    case RC_DENIED:
    case RC_BUSY:
        return PTPROF_DENIED;
    default:
        return PTPROF_FAILED;
    }
}

void api_say(const struct err *err, char *error, size_t error_size)
{
    if (error_size)
        snprintf(error, error_size, "%s", err->text);
}

// A caller built against an older header knows fewer members. The others are 0: their defaults.
static struct ptprof_options known_of(const struct ptprof_options *given)
{
    struct ptprof_options known = {0};
    if (given)
        memcpy(&known, given, given->size < sizeof known ? given->size : sizeof known);
    return known;
}

// Returns a type that sessions gather, or NULL.
static const struct profile_type *type_named(const char *name, size_t length)
{
    for (const struct profile_type *type = profile_types; type <= &profile_types[PROFILE_MUTEX];
         type++)
        if (strlen(type->name) == length && memcmp(type->name, name, length) == 0)
            return type;
    return NULL;
}

static enum rc no_type(const char *name, size_t length, struct err *err)
{
    AUTO_FREE char *copy = strndup(name, length);
    AUTO_FREE char *shown = escape_text_dup(copy ? copy : "");
    return err_set(err, RC_USAGE, "there is no type '%s': it is cpu, wall, block or mutex", shown);
}

static enum rc types_of(const struct ptprof_options *known, unsigned *types, struct err *err)
{
    const char *at = known->types;
    if (!(known->min_block >= 0))
        return err_set(err, RC_USAGE, "the shortest wait is negative");
    *types = known->idle ? PROFILE_BIT(PROFILE_WALL) : 0;
    while (at) {
        size_t length = strcspn(at, ",");
        const struct profile_type *type = type_named(at, length);
        if (!type)
            return no_type(at, length, err);
        *types |= PROFILE_BIT(type - profile_types);
        at = at[length] ? at + length + 1 : NULL;
    }
    if (!*types)
        *types = PROFILE_BIT(PROFILE_CPU);
    return RC_OK;
}

static struct session_options options_of(const struct ptprof_options *given)
{
    struct session_options options = session_defaults;
    struct ptprof_options known = known_of(given);
    if (known.rate != 0)
        options.rate = known.rate;
    if (known.max_depth)
        options.max_depth = known.max_depth;
    if (known.max_stop != 0)
        options.max_stop = 100 * known.max_stop;
    options.threads = known.threads;
    options.children = known.children;
    options.idle_waits = known.idle_waits;
    options.min_block =
        (int64_t)((known.min_block < MOST_SECONDS ? known.min_block : MOST_SECONDS) * NS_PER_S);
    return options;
}

// Refuses options without a size, of which no member would count.
static enum rc check_size(const struct ptprof_options *given, struct err *err)
{
    return !given || given->size > offsetof(struct ptprof_options, rate)
               ? RC_OK
               : err_set(err, RC_USAGE, "the size of the options is not set");
}

// Compares so that a NaN is wrong too.
static enum rc check_options(const struct session_options *options, size_t count, struct err *err)
{
    if (!count)
        return err_set(err, RC_USAGE, "no process was named");
    if (!(options->rate >= LEAST_RATE && options->rate <= MOST_RATE))
        return err_set(err, RC_USAGE, "the rate is not from %g to %g Hz", LEAST_RATE, MOST_RATE);
    if (options->max_depth > MOST_DEPTH)
        return err_set(err, RC_USAGE, "the depth is more than %u frames", MOST_DEPTH);
    if (!(options->max_stop > 0 && options->max_stop <= 100))
        return err_set(err, RC_USAGE, "the share to hold a thread is not from 0 to 1");
    return RC_OK;
}

EXPORT enum ptprof_result ptprof_open(const pid_t *pids, size_t count,
                                      const struct ptprof_options *options,
                                      struct ptprof_session **out, char *error, size_t error_size)
{
    struct ptprof_session *session = xcalloc(1, sizeof *session);
    struct session_options wanted = options_of(options);
    struct ptprof_options known = known_of(options);
    session->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    enum rc rc = session->stop_fd >= 0 ? check_size(options, &session->err)
                                       : limits_sys(&session->err, RC_FAIL, errno,
                                                    "cannot open a session");
    if (rc == RC_OK)
        rc = check_options(&wanted, count, &session->err);
    if (rc == RC_OK)
        rc = types_of(&known, &session->types, &session->err);
    wanted.types = session->types;
    if (rc == RC_OK)
        rc = session_open(pids, count, &wanted, &session->session, &session->err);
    *out = rc == RC_OK ? session : NULL;
    api_say(&session->err, error, error_size);
    if (rc != RC_OK)
        ptprof_close(session);
    return api_result(rc);
}

static bool goes_on(void *context, bool stop)
{
    (void)context;
    return !stop;
}

EXPORT enum ptprof_result ptprof_run(struct ptprof_session *session, double seconds)
{
    if (!(seconds >= 0))
        return api_result(err_set(&session->err, RC_USAGE, "the time to run is negative"));
    if (session->ran)
        return api_result(err_set(&session->err, RC_USAGE, "the session has run already"));
    session->ran = true;
    double length = (seconds < MOST_SECONDS ? seconds : MOST_SECONDS) * NS_PER_S;
    const struct session_drive drive = {
        .duration = (int64_t)length + 1, // 0 would be without end
        .every_ms = STEP_MS,
        .fd = session->stop_fd,
        .step = goes_on,
    };
    enum rc rc = session_start(session->session, &session->err);
    if (rc == RC_OK)
        rc = session_run(session->session, &drive, &session->err);
    session_finish(session->session);
    if (rc == RC_GONE && session_progress(session->session)->counts[COUNTER_SAMPLES])
        rc = RC_OK;
    else if (rc == RC_GONE)
        err_set(&session->err, rc, "every target ended before one sample was taken");
    if (rc == RC_OK)
        rc = session_refusal(session->session, &session->err);
    return api_result(rc);
}

EXPORT void ptprof_stop(struct ptprof_session *session)
{
    eventfd_write(session->stop_fd, 1);
}

static enum rc write_type(struct ptprof_session *session, const struct profile_type *type,
                          const char *format, FILE *stream)
{
    const struct writer *writer = writer_by_name(format);
    if (!writer)
        return err_set(&session->err, RC_USAGE, "there is no format '%s'", format);
    if (!session->ran)
        return err_set(&session->err, RC_USAGE, "the session has not run yet");
    struct report report = session_report(session->session);
    struct run run = *report.run;
    run.type = (enum profile_kind)(type - profile_types);
    report.run = &run;
    return report_write(&report, writer, stream, &session->err);
}

EXPORT enum ptprof_result ptprof_write_type(struct ptprof_session *session, const char *name,
                                            const char *format, FILE *stream)
{
    const struct profile_type *type = type_named(name, strlen(name));
    if (!type)
        return api_result(no_type(name, strlen(name), &session->err));
    if (!(session->types & PROFILE_BIT(type - profile_types)))
        return api_result(err_set(&session->err, RC_USAGE,
                                 "%s was not gathered: it is not among the types", type->name));
    return api_result(write_type(session, type, format, stream));
}

EXPORT enum ptprof_result ptprof_write(struct ptprof_session *session, const char *format,
                                       FILE *stream)
{
    const struct profile_type *first = &profile_types[__builtin_ctz(session->types)];
    return api_result(write_type(session, first, format, stream));
}

EXPORT const char *ptprof_error(const struct ptprof_session *session)
{
    return session->err.text;
}

EXPORT void ptprof_close(struct ptprof_session *session)
{
    if (!session)
        return;
    session_close(session->session);
    cleanup_fd(&session->stop_fd);
    free(session);
}
