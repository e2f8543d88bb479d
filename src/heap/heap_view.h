// SPDX-License-Identifier: MIT
// The memory of a running process, looked at without stopping or changing it. A page that it never
// touched is not read, since reading would make it; one that is swapped out is left where it is,
// unless that was asked for; the pagemap tells which are which. What is read may change meanwhile.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

#define HEAP_VIEW_WINDOW (4ull << 20) // bytes that are read at once

struct heap_view_counts { // bytes that were asked for and
    uint64_t read;
    uint64_t absent;  // are not there: never touched, or of a file and not read in
    uint64_t swapped; // are swapped out and were left there
    uint64_t failed;  // could not be read
};

struct heap_view {
    pid_t pid;
    int pagemap;         // it belongs to one image: of another one it gives nothing
    bool swapped;        // pages that are swapped out are read too
    bool gone;           // the image has ended, or the process executed another one
    uint64_t start, end; // of the window
    unsigned char *bytes;   // of the window; owned
    unsigned char *missing; // for each of its pages whether it is not there; owned
    struct heap_view_counts counts;
};

// Fails with RC_GONE, RC_DENIED.
enum rc heap_view_open(struct heap_view *view, pid_t pid, bool swapped, struct err *err) MUST_CHECK;
void heap_view_close(struct heap_view *view);

// Returns the bytes [address, address + length), of a window that is read from `address` up to
// `limit` when it does not hold them; NULL when some are not there, or when they are about as many
// as a window. They are valid until the next call. For what is read in ascending order.
const void *heap_view_window(struct heap_view *view, uint64_t address, size_t length,
                             uint64_t limit);

// Copies bytes that the window holds, as they were when it was read; false when it does not. It
// reads nothing.
bool heap_view_peek(const struct heap_view *view, uint64_t address, void *to, size_t length);

// Copies bytes as they are now; false when some are not there. For what lies anywhere.
bool heap_view_read(struct heap_view *view, uint64_t address, void *to, size_t length);

// Copies a NUL-terminated text, at most `size` bytes with its NUL; false when there is none.
bool heap_view_text(struct heap_view *view, uint64_t address, char *to, size_t size);

// Returns the first address from `address` on, below `limit`, whose page is there; `limit` when
// there is none.
uint64_t heap_view_next_present(struct heap_view *view, uint64_t address, uint64_t limit);
