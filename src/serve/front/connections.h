// SPDX-License-Identifier: MIT
// Those who are connected: how many there may be, how long they may take for what they send and for
// what they are sent, and who has left.
#pragma once

#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "serve/listeners.h"
#include "serve/settings.h"

struct connection;
struct access;
struct exchange;

// Returns a descriptor that is readable when there is something to look at (connections_look).
int connections_begin(const struct serve_settings *settings, const struct access *access);

// Notices who has left, and ends connections that take too long. Costs nothing for those that are
// idle. has_events: that descriptor is readable.
void connections_look(bool has_events, int64_t now);

// What MHD calls. listener: struct listener.
enum MHD_Result connections_accept(void *listener, const struct sockaddr *address,
                                   socklen_t length);
void connections_notify(void *listener, struct MHD_Connection *connection, void **client,
                        enum MHD_ConnectionNotificationCode what);

struct connection *connection_of(struct MHD_Connection *connection);

// Why its requests are refused; NULL: they are not.
const char *connection_refused(const struct connection *client);

// Whether it needs no password: it came to a unix socket, which knows who it is.
bool connection_is_trusted(const struct connection *connection);

// From where it came: text for a log, and a number that is the same for all of one address.
const char *connection_name(const struct connection *connection);
uint64_t connection_origin(const struct connection *connection);

// The client begins a request (whose header may take so long, and then its body); waits for an
// answer; is sent one; has got it.
void connection_begins(struct connection *client, struct exchange *exchange);
void connection_sends_body(struct connection *client);
void connection_waits(struct connection *client);
void connection_is_sent(struct connection *client);
void connection_is_done(struct connection *client);

// Ends the connection.
void connection_end(struct connection *client);
