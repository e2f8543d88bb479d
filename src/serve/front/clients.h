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

struct client;
struct exchange;

// Returns a descriptor that is readable when there is something to look at (clients_look).
int clients_begin(const struct serve_settings *settings);

// Notices who has left, and ends connections that take too long. Costs nothing for those that are
// idle.
void clients_look(int64_t now);

// What MHD calls. listener: struct listener.
enum MHD_Result clients_accept(void *listener, const struct sockaddr *address, socklen_t length);
void clients_notify(void *listener, struct MHD_Connection *connection, void **client,
                    enum MHD_ConnectionNotificationCode what);

struct client *client_of(struct MHD_Connection *connection);

// Why its requests are refused; NULL: they are not.
const char *client_refused(const struct client *client);

// What is known of where it connected to, and from where: text for a log.
const struct listener *client_listener(const struct client *client);
const char *client_name(const struct client *client);

// The client begins a request (whose header may take so long, and then its body); waits for an
// answer; is sent one; has got it.
void client_begins(struct client *client, struct exchange *exchange);
void client_sends_body(struct client *client);
void client_waits(struct client *client);
void client_is_sent(struct client *client);
void client_is_done(struct client *client);

// Ends the connection.
void client_end(struct client *client);
