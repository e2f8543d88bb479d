// SPDX-License-Identifier: MIT
// A request of HTTP from its first line to its answer. What its route wants to know it asks the
// collector, and waits suspended meanwhile.
#pragma once

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "serve/ask.h"
#include "serve/front/front.h"

#define EXCHANGE_TARGET_MOST (8u << 10) // bytes of path and query

struct route;

enum exchange_state {
    EXCHANGE_NEW,     // its header is there
    EXCHANGE_WAITING, // suspended: the collector is asked
    EXCHANGE_ANSWERED,
};

struct exchange {
    struct MHD_Connection *connection;
    const char *method; // MHD's
    char *uri;          // raw, as the client sent it: path and query; owned
    char *path;         // without the query; owned
    const struct route *route;
    char rest[ASK_TARGET_MOST]; // what the route's path has in place of its '*'; decoded
    enum exchange_state state;
    struct ask ask;
    struct answer_head answer;
    int memory;  // that came with the answer, -1: none
    bool delta;  // the question is about a window of something that is counted for all time
    struct exchange *next; // of those that wait
};

// Asks the collector. The request waits from here on, and its route's answer is called when the
// collector has answered. text: memory that goes with the question, -1: none.
enum MHD_Result exchange_ask(struct exchange *exchange, int text);

// Returns an argument of the query, decoded; the first one of several, NULL: there is none.
const char *exchange_argument(const struct exchange *exchange, const char *name);
