// SPDX-License-Identifier: MIT
// What `ptprof fetch` asks for: a job is one profile of one server.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "profile/plain.h"
#include "serve/http_client.h"
#include "serve/profile_url.h"

struct fetch_job {
    struct profile_url url;
    struct buf body;               // as it came
    struct plain_profile *profile; // NULL: it is a trace, or nothing came
    bool named; // names were added: the body is not all of the profile
    enum rc rc; // of the last round
    struct err err;
};

struct fetch_jobs {
    struct fetch_job *list;
    size_t count;
    double longest; // seconds that a server takes
};

struct fetch_request { // all borrowed
    char *const *urls; // ends in NULL
    unsigned types;    // set of 1 << index into fetch_types; 0: what each URL says
    double seconds;    // 0: what each URL says
    int64_t timeout;   // ns beyond the time that a server takes; 0: half of that and a minute
    struct http_options http;
};

extern const char *const fetch_types[]; // "cpu", "heap"; "all" is the last; ends in NULL

// Makes a job of each URL and each type. Fails with RC_USAGE.
enum rc fetch_jobs_make(struct fetch_jobs *jobs, const struct fetch_request *request,
                        struct err *err) MUST_CHECK;
void fetch_jobs_fini(struct fetch_jobs *jobs);

// Gets one profile. Errors name the host.
enum rc fetch_jobs_one(const char *url, struct plain_profile **profile, struct err *err)
    MUST_CHECK;

// Asks for all at once, parses what comes, and has what lacks names named by the server. Each job
// has its own result; the call fails with RC_GONE when it was stopped.
enum rc fetch_jobs_ask(struct fetch_jobs *jobs, const struct fetch_request *request,
                       const struct http_waiting *waiting, struct err *err) MUST_CHECK;
