// SPDX-License-Identifier: MIT
// The other end of a unix socket, which no file of /proc tells: sock_diag does, to anybody.
#pragma once

#include <stdint.h>
#include <sys/types.h>

// Its number, as in socket:[N]; 0: none, or not in our network namespace.
uint64_t unix_peer_find(const char *proc, pid_t pid, uint64_t inode);
