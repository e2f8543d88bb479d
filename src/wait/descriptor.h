// SPDX-License-Identifier: MIT
// Describes in words what a file descriptor of the process refers to.
#pragma once

#include "wait/finder.h"

enum descriptor_detail {
    DESCRIPTOR_BRIEF, // for one of many: without peers and without what an epoll watches
    DESCRIPTOR_FULL,
};

// Appends "fd 5 (tcp 127.0.0.1:6379 to 127.0.0.1:40312 of 4312 "redis-cli")", escaped. Returns what
// a thread that waits for the descriptor waits for: WAIT_SOCKET, WAIT_PIPE, WAIT_POLL or WAIT_FILE.
enum wait_kind descriptor_put(struct finder *finder, int fd, enum descriptor_detail detail,
                              struct buf *out);

// Returns the same without describing it. A regular file and a block device are WAIT_DISK: other
// than by reading from the medium they do not keep a thread waiting.
enum wait_kind descriptor_kind(const struct finder *finder, int fd);

struct descriptors;
void descriptors_free(struct descriptors *descriptors);
