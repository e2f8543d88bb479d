// SPDX-License-Identifier: MIT
// Which process has the other end of a socket or pipe: found by reading all descriptors of all
// processes that we may see, indexed by the inode number of the socket or pipe.
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

// Reads PROC/*/fd once. `self` is the process whose descriptors are to be described.
struct peers *peers_new(const char *proc, pid_t self);
void peers_free(struct peers *peers);

struct peer {
    pid_t other; // the first process other than `self`; 0: none that we may see
    bool self;   // `self` has it (too)
};

struct peer peers_find(const struct peers *peers, enum peer_end end, uint64_t inode);
