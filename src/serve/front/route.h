// SPDX-License-Identifier: MIT
// What there is under which path: a table for each kind of paths.
#pragma once

#include <stddef.h>

#include "serve/front/exchange.h"

enum method { // set; HEAD is as GET
    METHOD_GET = 1,
    METHOD_POST = 2,
    METHOD_ACT = 4, // a POST that changes something: its body is JSON, which no form can send
};

struct route {
    const char *path; // one '*' stands for the rest up to the next '/', or for all at its end.
                      // "{prefix}" is the one that Go programs have, of a target or of the only one
    unsigned methods;
    // Answers at once, or asks (exchange_ask).
    enum MHD_Result (*begin)(struct exchange *exchange);
    // Sends what the collector has answered; it may have failed.
    enum MHD_Result (*answer)(struct exchange *exchange);
    uint32_t what;    // enum ask_what
    const char *name; // of the file that a browser saves; NULL: it shows it
};

extern const struct route metrics_routes[];
extern const struct route pprof_routes[]; // each ends in a row without a path
extern const struct route api_routes[];
extern const struct route page_routes[];
extern const struct route pprof_rest_routes[]; // asked last: all that is below the prefix

// Returns the row for the path that has one of the methods; NULL: there is none, and *methods are
// those of other rows for the path (0: there is no such path). Sets the request's kind, target and
// rest.
const struct route *route_find(struct exchange *exchange, const char *prefix, unsigned method,
                               unsigned *methods);

// Returns how many bytes a body may have.
size_t route_body_most(const struct route *route);
