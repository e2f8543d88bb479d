// SPDX-License-Identifier: MIT
// Messages over a SOCK_SEQPACKET socket, each with a descriptor if needed. Nothing is allocated, so
// that a signal handler may call these functions.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

// Sends a message, with fd unless that is -1. Waits for room. False when the peer has closed.
bool channel_send(int channel, const void *message, size_t length, int fd);

// Waits for a message and returns its length; 0 when the peer has closed, -1 on an error and for a
// message longer than `length` or with several descriptors. *fd becomes the one that came with it,
// or -1; the caller closes it. With fd NULL no descriptor is accepted.
ssize_t channel_receive(int channel, void *message, size_t length, int *fd);
