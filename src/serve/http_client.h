// SPDX-License-Identifier: MIT
// Asks servers over HTTP, several at once. What they answer is hostile: its size, the time that it
// takes, and where it redirects to are bounded.
//
// Credentials come from the environment (PTPROF_USER with PTPROF_PASSWORD, or PTPROF_BEARER_TOKEN)
// or from a netrc file, and go only to the host and port that the user named, never behind a
// redirect to another one or from https to http.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct http_options { // texts are borrowed; NULL: not given
    const char *ca_file;     // certificates to trust in place of the system's
    const char *netrc_file;  // in place of ~/.netrc
    const char *unix_socket; // path of a socket to talk through
    bool insecure;           // whoever answers is taken for the server
};

struct http_request {
    const char *url;     // borrowed, without credentials
    const char *host;    // for people; borrowed
    const char *post;    // body; NULL: GET. Borrowed
    int64_t patience;    // ns until the answer has to be complete
    struct buf body;     // of the answer; the caller frees it
    enum rc rc;          // RC_OK: it was 200; RC_TIMEOUT, RC_DENIED (401, 403), RC_FAIL ...
    struct err err;      // what went wrong, with the name of the host
};

struct http_waiting { // what the caller does meanwhile
    int descriptor; // that ends the waiting early when something can be read from it; -1: none
    // Called a few times a second and when `descriptor` can be read; false stops everything.
    bool (*go_on)(void *context);
    void *context;
};

// Asks all and returns when each has its answer or its error; RC_OK then. Otherwise it was stopped
// (RC_GONE), or HTTP is not to be had (RC_FAIL). waiting may be NULL.
enum rc http_ask(struct http_request *requests, size_t count, const struct http_options *options,
                 const struct http_waiting *waiting, struct err *err) MUST_CHECK;
