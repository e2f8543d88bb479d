// SPDX-License-Identifier: MIT
// Where a server with Go's endpoints has its profiles: "host:6060", "http://host:6060/",
// "https://host/debug/pprof/", "http://host/debug/pprof/heap?gc=1".
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "profile/types.h"

// Says whether a source of a profile is a URL rather than a path.
bool profile_url_is(const char *source);

struct profile_url {
    char *text;      // what is asked for, without credentials; owned
    char *host;      // "example.org:6060", for people and names of files; owned
    char *symbols;   // where names of addresses are asked for, owned; NULL: the path is not Go's
    const char *type; // as in the path: "profile", "heap"; NULL: the path is not Go's
    double seconds;  // that the server takes for it; 0: it answers at once
    bool is_trace;
};

struct profile_wish {
    const char *type; // as in the path; NULL: what the URL says, and "profile" if it says nothing
    double seconds;   // 0: what the URL says, and 30 for cpu and wall, 1 for a trace
};

// Returns how long (s) an endpoint takes when nothing is said; 0: it answers at once.
double profile_url_usual(const char *type);

// Completes a URL that a user gave. Fails with RC_USAGE: what is wrong with it, if it has
// credentials, or names another type than the one that is wished for.
enum rc profile_url_make(const char *text, struct profile_wish wish, struct profile_url *url,
                         struct err *err) MUST_CHECK;
void profile_url_fini(struct profile_url *url);
