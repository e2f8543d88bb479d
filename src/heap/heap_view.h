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

#define HEAP_VIEW_WINDOW (256ull << 10) // bytes that are read at once

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
    bool holes;          // some page of the window is missing
    int64_t page_time;   // ns that a page took when it was read fastest
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

// Returns bytes of the window from an offset on that it holds; NULL when some are missing.
const void *heap_view_among(const struct heap_view *view, uint64_t at, size_t length);

// Returns the bytes where the window holds them, as they were when it was read; else NULL.
static inline const void *heap_view_held(const struct heap_view *view, uint64_t address,
                                         size_t length)
{
    uint64_t at = address - view->start, size = view->end - view->start;
    if (at >= size || length > size - at)
        return NULL;
    return view->holes ? heap_view_among(view, at, length) : view->bytes + at;
}

// Copies bytes that the window holds, as they were when it was read; false when it does not. It
// reads nothing.
bool heap_view_peek(const struct heap_view *view, uint64_t address, void *to, size_t length);

// Has the window read again when it is asked for.
void heap_view_forget(struct heap_view *view);

// Copies bytes as they are now; false when some are not there. For what lies anywhere.
bool heap_view_read(struct heap_view *view, uint64_t address, void *to, size_t length);

// Copies a NUL-terminated text, at most `size` bytes with its NUL; false when there is none.
bool heap_view_text(struct heap_view *view, uint64_t address, char *to, size_t size);

// Returns the first address from `address` on, below `limit`, whose page is there; `limit` when
// there is none.
uint64_t heap_view_next_present(struct heap_view *view, uint64_t address, uint64_t limit);

// Copies the first `length` bytes of each of `count` pages from `address` on into `heads`, one
// behind the other, and says in `there` which of them are there. For at most 512 pages; false when
// none could be read.
bool heap_view_page_heads(struct heap_view *view, uint64_t address, size_t count, size_t length,
                          unsigned char *heads, bool *there);

// Returns how many bytes of whole pages in [start, end) are there.
uint64_t heap_view_present(struct heap_view *view, uint64_t start, uint64_t end);
