// SPDX-License-Identifier: MIT
// The other end of a unix socket. No file of /proc has it, but sock_diag gives it to any user.
#pragma once

#include <stdint.h>
#include <sys/types.h>

// Returns the inode number of the peer, as in socket:[N]; 0 when there is none, or the process is
// not in our network namespace.
uint64_t unix_peer_find(const char *proc, pid_t pid, uint64_t inode);
