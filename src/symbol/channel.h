// SPDX-License-Identifier: MIT
// Messages over a SOCK_SEQPACKET socket, a descriptor with each where one is wanted. Allocates
// nothing: a signal handler may call it.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

// Waits for room. fd -1: none goes with it. False when the other side is gone.
bool channel_send(int channel, const void *message, size_t length, int fd);

// Waits for a message; 0: the other side is gone, -1: an error, or a message longer than `length`.
// *fd: what came with it, -1: nothing; the caller closes it. fd NULL: nothing is accepted.
ssize_t channel_receive(int channel, void *message, size_t length, int *fd);
