// SPDX-License-Identifier: MIT
#include "commands/fetch_jobs.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "output/parser.h"
#include "profile/plain_symbolize.h"
#include "serve/remote_names.h"

#define LEAST_PATIENCE 60.0 // s, beyond half of what a server takes

// Every server of Go's has the first eight, which "all" stands for. A server of ours has wall too.
enum { TYPE_THREADS = 5, TYPES_OF_GO = 8, TYPE_WALL = TYPES_OF_GO, TYPE_GOROUTINE, TYPE_ALL };

const char *const fetch_types[] = {"cpu", "heap", "allocs", "block", "mutex", "threads",
                                   "threadcreate", "trace", [TYPE_WALL] = "wall",
                                   [TYPE_GOROUTINE] = "goroutine", [TYPE_ALL] = "all", NULL};

// [type]: what Go calls it in a path
static const char *const paths[] = {"profile", "heap", "allocs", "block", "mutex", "goroutine",
                                    "threadcreate", "trace", [TYPE_WALL] = "wall"};

// The set without names that stand for others.
static unsigned types_meant(unsigned types)
{
    if (types & 1u << TYPE_ALL)
        types |= (1u << TYPES_OF_GO) - 1;
    if (types & 1u << TYPE_GOROUTINE)
        types |= 1u << TYPE_THREADS;
    return types & ((1u << ARRAY_LENGTH(paths)) - 1);
}

// Of a type that takes no time by itself a time would ask for a difference.
static bool takes_time(const char *type)
{
    return !type || profile_url_usual(type) > 0;
}

static enum rc add_job(struct fetch_jobs *jobs, const struct fetch_request *request,
                       const char *url, const char *type, bool alone, struct err *err)
{
    struct fetch_job job = {.rc = RC_OK};
    struct profile_wish wish = {type, alone || takes_time(type) ? request->seconds : 0};
    enum rc rc = profile_url_make(url, wish, &job.url, err);
    if (rc != RC_OK)
        return rc;
    jobs->list = xrealloc(jobs->list, (jobs->count + 1) * sizeof *jobs->list);
    jobs->list[jobs->count++] = job;
    if (job.url.seconds > jobs->longest)
        jobs->longest = job.url.seconds;
    return RC_OK;
}

enum rc fetch_jobs_make(struct fetch_jobs *jobs, const struct fetch_request *request,
                        struct err *err)
{
    unsigned types = types_meant(request->types);
    bool alone = !(types & (types - 1));
    enum rc rc = RC_OK;
    *jobs = (struct fetch_jobs){0};
    for (char *const *url = request->urls; *url && rc == RC_OK; url++) {
        if (!types)
            rc = add_job(jobs, request, *url, NULL, true, err);
        for (unsigned type = 0; type < ARRAY_LENGTH(paths) && rc == RC_OK; type++)
            if (types & 1u << type)
                rc = add_job(jobs, request, *url, paths[type], alone, err);
    }
    return rc;
}

static void clear_job(struct fetch_job *job)
{
    plain_free(job->profile);
    buf_fini(&job->body);
    job->profile = NULL;
    job->named = false;
    job->err = (struct err){0};
}

void fetch_jobs_fini(struct fetch_jobs *jobs)
{
    for (size_t i = 0; i < jobs->count; i++) {
        clear_job(&jobs->list[i]);
        profile_url_fini(&jobs->list[i].url);
    }
    free(jobs->list);
    *jobs = (struct fetch_jobs){0};
}

static void take(struct fetch_job *job, struct http_request *answer)
{
    struct err reason = {0};
    clear_job(job);
    job->rc = answer->rc;
    job->err = answer->err;
    job->body = answer->body;
    if (job->rc != RC_OK || job->url.is_trace)
        return;
    job->rc = parser_parse(job->body.data, job->body.length, &job->profile, &reason);
    if (job->rc != RC_OK)
        err_set(&job->err, job->rc, "%s: the answer is no profile: %s", job->url.host,
                reason.text);
}

static int64_t patience(const struct fetch_request *request, double seconds)
{
    double most = request->timeout ? seconds + (double)request->timeout / NS_PER_S
                                   : 1.5 * seconds + LEAST_PATIENCE;
    return (int64_t)(most * NS_PER_S);
}

// Files of this machine give names with lines; the server is asked for the rest. A profile without
// names is one all the same, so a server that does not tell them fails nothing.
static enum rc name(struct fetch_job *job, const struct fetch_request *request,
                    const struct http_waiting *waiting, struct err *err)
{
    AUTO_BUF struct buf question = {0};
    job->named = job->profile && plain_symbolize(job->profile) > 0;
    if (!job->profile || !job->url.symbols || !remote_names_ask(job->profile, &question))
        return RC_OK;
    struct http_request ask = {
        .url = job->url.symbols,
        .host = job->url.host,
        .post = question.data,
        .patience = patience(request, 0),
    };
    enum rc rc = http_ask(&ask, 1, &request->http, waiting, err);
    if (rc == RC_OK && ask.rc == RC_OK && ask.body.data)
        job->named |= remote_names_take(job->profile, ask.body.data) > 0;
    buf_fini(&ask.body);
    return rc;
}

enum rc fetch_jobs_ask(struct fetch_jobs *jobs, const struct fetch_request *request,
                       const struct http_waiting *waiting, struct err *err)
{
    AUTO_FREE struct http_request *asked = xcalloc(jobs->count, sizeof *asked);
    for (size_t i = 0; i < jobs->count; i++)
        asked[i] = (struct http_request){
            .url = jobs->list[i].url.text,
            .host = jobs->list[i].url.host,
            .patience = patience(request, jobs->list[i].url.seconds),
        };
    enum rc rc = http_ask(asked, jobs->count, &request->http, waiting, err);
    for (size_t i = 0; i < jobs->count; i++)
        take(&jobs->list[i], &asked[i]);
    for (size_t i = 0; i < jobs->count && rc == RC_OK; i++)
        rc = name(&jobs->list[i], request, waiting, err);
    return rc;
}

enum rc fetch_jobs_one(const char *url, struct plain_profile **profile, struct err *err)
{
    char *urls[] = {(char *)url, NULL};
    const struct fetch_request request = {.urls = urls};
    struct fetch_jobs jobs;
    *profile = NULL;
    enum rc rc = fetch_jobs_make(&jobs, &request, err);
    if (rc == RC_OK)
        rc = fetch_jobs_ask(&jobs, &request, NULL, err);
    if (rc == RC_OK && jobs.list->url.is_trace)
        rc = err_set(err, RC_USAGE, "%s: a trace is not a profile", jobs.list->url.host);
    if (rc == RC_OK && jobs.list->rc != RC_OK) {
        rc = jobs.list->rc;
        *err = jobs.list->err;
    }
    if (rc == RC_OK)
        *profile = steal_ptr(&jobs.list->profile);
    fetch_jobs_fini(&jobs);
    return rc;
}
