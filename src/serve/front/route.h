// SPDX-License-Identifier: MIT
// What there is under which path: a table for each kind of paths.
#pragma once

#include <stddef.h>

#include "serve/front/exchange.h"

enum method { METHOD_GET = 1, METHOD_POST = 2 }; // set; HEAD is as GET

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

extern const struct route pprof_routes[]; // each ends in a row without a path
extern const struct route api_routes[];
extern const struct route page_routes[];

// Returns the row for the path; NULL: there is none. Sets the request's target and rest.
const struct route *route_find(struct exchange *exchange, const char *prefix);
