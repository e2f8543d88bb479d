// SPDX-License-Identifier: MIT
// Which process has the other end: all descriptors of all processes that we may look at, by the
// number of the socket or pipe that they lead to.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum peer_end {
    PEER_SOCKET,
    PEER_PIPE_READER,
    PEER_PIPE_WRITER,
};

struct peers;

// Reads PROC/*/fd once. `self` is the process whose descriptors are described.
struct peers *peers_new(const char *proc, pid_t self);
void peers_free(struct peers *peers);

struct peer {
    pid_t other; // the first process but `self`, 0: none that we may look at
    bool self;   // `self` has it (too)
};

struct peer peers_find(const struct peers *peers, enum peer_end end, uint64_t inode);
