// SPDX-License-Identifier: MIT
#include <ptprof/ptprof.h>

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/clock.h"
#include "base/escape.h"
#include "base/limits.h"
#include "base/mem.h"
#include "heap/census_profile.h"
#include "heap/heap_print.h"
#include "output/writer.h"
#include "session/api_parts.h"

#define MOST_SECONDS 1e9 // as ns it still fits

struct census_call {
    struct heap_target *target;
    struct kinds *kinds;
    int64_t deadline; // CLOCK_MONOTONIC; 0: none
};

static bool is_over(void *context)
{
    const struct census_call *call = context;
    return call->deadline && clock_now() >= call->deadline;
}

static enum rc print_text(struct census_call *call, const struct heap_census *census, bool json,
                          FILE *stream, struct err *err)
{
    AUTO_BUF struct buf text = {0};
    const struct heap_printing printing = {.census = census, .target = call->target,
                                           .top = HEAP_TOP};
    if (json)
        heap_json(&text, &printing);
    else
        heap_text(&text, &printing);
    errno = 0;
    if (fwrite(text.data, 1, text.length, stream) == text.length && fflush(stream) == 0)
        return RC_OK;
    return limits_sys(err, RC_IO, errno ? errno : EIO, "cannot write the census");
}

static enum rc print(struct census_call *call, const struct heap_census *census,
                     const struct writer *writer, FILE *stream, struct err *err)
{
    bool json = strcmp(writer->name, "json") == 0;
    if (json || strcmp(writer->name, "text") == 0)
        return print_text(call, census, json, stream, err);
    return census_write(census, writer, stream, err);
}

static enum rc take(struct census_call *call, const struct writer *writer, FILE *stream,
                    struct err *err)
{
    const struct heap_census_options options = {.interrupted = is_over, .context = call};
    struct heap_census *census;
    enum rc rc = heap_census_take(call->target, call->kinds, &options, &census, err);
    if (rc == RC_OK)
        rc = print(call, census, writer, stream, err);
    if (rc == RC_OK && !census->complete)
        rc = err_set(err, RC_TIMEOUT, "not all blocks could be counted in time");
    heap_census_free(census);
    return rc;
}

static enum rc check(const struct ptprof_census_options *given, const char *format,
                     const struct writer **writer, struct err *err)
{
    *writer = writer_by_name(format);
    if (given && given->size <= offsetof(struct ptprof_census_options, seconds))
        return err_set(err, RC_USAGE, "the size of the options is not set");
    if (*writer)
        return RC_OK;
    AUTO_FREE char *shown = escape_text_dup(format);
    return err_set(err, RC_USAGE, "there is no format '%s'", shown);
}

// A caller built against an older header knows fewer members. The others are 0: their defaults.
static struct ptprof_census_options known_of(const struct ptprof_census_options *given)
{
    struct ptprof_census_options known = {0};
    if (given)
        memcpy(&known, given, given->size < sizeof known ? given->size : sizeof known);
    return known;
}

EXPORT enum ptprof_result ptprof_census(pid_t pid, const struct ptprof_census_options *options,
                                        const char *format, FILE *stream, char *error,
                                        size_t error_size)
{
    struct err err = {0};
    const struct writer *writer;
    struct census_call call = {0};
    enum rc rc = check(options, format, &writer, &err);
    struct ptprof_census_options known = known_of(rc == RC_OK ? options : NULL);
    if (rc == RC_OK && !(known.seconds >= 0))
        rc = err_set(&err, RC_USAGE, "the time for a census is negative");
    double seconds = known.seconds < MOST_SECONDS ? known.seconds : MOST_SECONDS;
    if (rc == RC_OK && seconds > 0)
        call.deadline = clock_now() + (int64_t)(seconds * NS_PER_S);
    if (rc == RC_OK)
        rc = heap_target_open(pid, known.swapped, &call.target, &err);
    if (rc == RC_OK) {
        call.kinds = kinds_new(call.target);
        rc = take(&call, writer, stream, &err);
        kinds_free(call.kinds);
        heap_target_close(call.target);
    }
    api_say(&err, error, error_size);
    return api_result(rc);
}
