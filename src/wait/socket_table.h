// SPDX-License-Identifier: MIT
// The sockets of a network namespace as /proc/PID/net tells: tcp, tcp6, udp, udp6, unix.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"

struct socket_end { // IPv4 as an IPv6 address (::ffff:a.b.c.d)
    unsigned char address[16];
    uint16_t port;
};

struct socket_entry {
    uint64_t inode;
    const char *protocol; // "tcp", "udp", "unix"
    struct socket_end local, remote; // not of unix
    unsigned state; // TCP_ESTABLISHED, ...
    bool listening;
    char *path; // of unix, raw bytes; NULL: it has none
};

struct socket_table;

// Reads the files of PROC/PID/net; those that are not there are empty.
struct socket_table *socket_table_new(const char *proc, pid_t pid);
void socket_table_free(struct socket_table *table);

const struct socket_entry *socket_table_find(const struct socket_table *table, uint64_t inode);

// The other end of a connection within this machine, NULL: not known.
const struct socket_entry *socket_table_peer(const struct socket_table *table,
                                             const struct socket_entry *entry);

// "127.0.0.1:6379", "[::1]:6379".
void socket_end_put(const struct socket_end *end, struct buf *out);

// "close_wait"; "" for an established one or no TCP.
const char *socket_entry_state(const struct socket_entry *entry);
