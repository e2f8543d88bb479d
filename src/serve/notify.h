// SPDX-License-Identifier: MIT
// What a service manager is told and has given: systemd's protocols, of which one datagram and two
// variables are all. Nothing happens where there is no such manager.
#pragma once

#include <stdint.h>

// Takes what the environment says, and takes it away from there: nobody whom we start is meant.
void notify_begin(void);

// Sends a state: "READY=1", "STOPPING=1". "RELOADING=1" gets the time that it needs.
void notify_send(const char *state);

// Returns ns within which WATCHDOG=1 is expected each time; 0: it is not.
int64_t notify_watchdog(void);

// Copies the numbers of sockets that were opened for us (socket activation) and returns how many
// there are.
#define NOTIFY_SOCKETS_MOST 16
int notify_sockets(int sockets[NOTIFY_SOCKETS_MOST]);
