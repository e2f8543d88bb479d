// SPDX-License-Identifier: MIT
// A request of HTTP from its first line to its answer. What its route wants to know it asks the
// collector, and waits suspended meanwhile.
#pragma once

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "serve/ask.h"
#include "serve/http_counts.h"

struct connection;
struct route;
struct serve_settings;
struct stream;

enum exchange_state {
    EXCHANGE_NEW,     // its header is there
    EXCHANGE_WAITING, // suspended: the collector is asked
    EXCHANGE_ANSWERED,
};

struct exchange {
    struct MHD_Connection *connection;
    const struct serve_settings *settings;
    struct connection *client;  // whose connection it is
    const char *method;     // MHD's; NULL: its header is not whole yet
    char *uri;              // raw, as the client sent it: path and query; owned
    char *path;             // without the query; owned
    bool is_of_go;          // the path is below the one that Go programs have
    const struct route *route;
    enum http_kind kind;    // of the path
    char rest[ASK_TARGET_MOST]; // what the route's path has in place of its '*'
    struct buf body;            // whole, when the route begins
    bool body_too_long;         // of which nothing was kept
    enum exchange_state state;
    unsigned status;        // that was sent, of HTTP; HTTP_NO_STATUS: none, or nobody was there
    bool left;              // who asked has
    struct ask ask;
    struct answer_head answer;
    int memory;  // that came with the answer, -1: none
    bool delta;  // the question is about a window of something that is counted for all time
    bool joined; // others may have the same answer (waiting.c)
    struct stream *stream; // NULL: it ends with its answer
    bool unfinished;       // somebody expects an end of it: it is no stream
    struct exchange *next; // of those that wait
};

// Says whether there are requests that somebody expects an end of: streams have none.
bool exchange_unfinished(void);

// Has those counted that end.
void exchange_count_in(struct http_counts *counts);

// What MHD calls: when the first line is there; for the header and each part of the body; at the
// end. settings: struct serve_settings.
void *exchange_begin(void *settings, const char *uri, struct MHD_Connection *connection);
enum MHD_Result exchange_take(void *settings, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *body,
                              size_t *length, void **exchange);
void exchange_end(void *settings, struct MHD_Connection *connection, void **exchange,
                  enum MHD_RequestTerminationCode how);

// Asks the collector. The request waits from here on, and its route's answer is called when the
// collector has answered. text: memory that goes with the question, -1: none.
enum MHD_Result exchange_ask(struct exchange *exchange, int text);

// Passes the collector's answer to the route of a request that waited for it.
void exchange_answer(struct exchange *exchange, const struct answer_head *answer, int memory);

// The client has left: nobody waits for its answer any more.
void exchange_leave(struct exchange *exchange);

// Returns an argument of the query, decoded; the first one of several, NULL: there is none.
const char *exchange_argument(const struct exchange *exchange, const char *name);

// Returns fresh memory that holds the body, sealed, for exchange_ask; -1: there is no body.
int exchange_body(const struct exchange *exchange);
