// SPDX-License-Identifier: MIT
// The sockets of a network namespace, as /proc/PID/net shows them: tcp, tcp6, udp, udp6, unix.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"

struct socket_end { // IPv4 addresses as IPv6 ones (::ffff:a.b.c.d)
    unsigned char address[16];
    uint16_t port;
};

struct socket_entry {
    uint64_t inode;
    const char *protocol; // "tcp", "udp", "unix"
    struct socket_end local, remote; // not for unix
    unsigned state; // TCP_ESTABLISHED, ...
    bool listening;
    char *path; // for unix, raw bytes; NULL: it has none
};

struct socket_table;

// Reads the files of PROC/PID/net; a file that is missing counts as empty.
struct socket_table *socket_table_new(const char *proc, pid_t pid);
void socket_table_free(struct socket_table *table);

const struct socket_entry *socket_table_find(const struct socket_table *table, uint64_t inode);

// Returns the other end of a connection within this machine, or NULL.
const struct socket_entry *socket_table_peer(const struct socket_table *table,
                                             const struct socket_entry *entry);

// Writes "127.0.0.1:6379" or "[::1]:6379".
void socket_end_put(const struct socket_end *end, struct buf *out);

// Returns "close_wait", say; "" for an established connection and for what is not TCP.
const char *socket_entry_state(const struct socket_entry *entry);
