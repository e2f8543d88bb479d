// SPDX-License-Identifier: MIT
#include "heap/heap_view.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

#define PAGE 4096u // of the machines that this runs on; entries of the pagemap are of that size
#define ENTRIES 1024u // of the pagemap that are read at once
#define HEADS 512u    // pages whose beginnings are read at once
#define READ_TRIES 4u // of a window
#define SLACK 20000u  // ns that a read may be interrupted for
#define PRESENT (1ull << 63)
#define SWAPPED (1ull << 62)
#define ADDRESSES_END (1ull << 47) // what programs get without asking for more; behind it the
                                   // pagemap ends, as that of a process does that has ended

enum rc heap_view_open(struct heap_view *view, pid_t pid, bool swapped, struct err *err)
{
    char path[48];
    *view = (struct heap_view){.pid = pid, .swapped = swapped};
    snprintf(path, sizeof path, "/proc/%d/pagemap", (int)pid);
    view->pagemap = open(path, O_RDONLY | O_CLOEXEC);
    if (view->pagemap < 0)
        return err_sys(err, errno == ENOENT || errno == ESRCH ? RC_GONE : RC_DENIED, errno,
                       "cannot read which pages of process %d are there", (int)pid);
    view->bytes = xmalloc(HEAP_VIEW_WINDOW);
    view->missing = xcalloc(HEAP_VIEW_WINDOW / PAGE + 1, 1);
    return RC_OK;
}

void heap_view_close(struct heap_view *view)
{
    if (view->bytes)
        close(view->pagemap);
    free(view->bytes);
    free(view->missing);
    *view = (struct heap_view){.pagemap = -1};
}

// Of an address that no process has there is no entry either, as of all when the image has ended.
static bool has_entries(const struct heap_view *view)
{
    uint64_t entry;
    return pread(view->pagemap, &entry, sizeof entry, 0) > 0;
}

// Reads entries of the pages from `page` on. Returns how many.
static size_t read_entries(struct heap_view *view, uint64_t page, uint64_t *entries, size_t count)
{
    off_t at = (off_t)(page * sizeof *entries);
    if (page >= ADDRESSES_END / PAGE - 1)
        return 0;
    ssize_t got = pread(view->pagemap, entries, count * sizeof *entries, at);
    if (got == 0 && !has_entries(view))
        view->gone = true;
    return got > 0 ? (size_t)got / sizeof *entries : 0;
}

static bool is_there(const struct heap_view *view, uint64_t entry)
{
    return entry & PRESENT || (view->swapped && entry & SWAPPED);
}

static size_t read_memory(const struct heap_view *view, void *to, uint64_t address, size_t length)
{
    struct iovec here = {to, length};
    struct iovec there = {(void *)(uintptr_t)address, length};
    ssize_t got = process_vm_readv(view->pid, &here, 1, &there, 1, 0);
    return got > 0 ? (size_t)got : 0;
}

// Says which pages of the window are missing, and counts what the others do not hold.
static void look_at_pages(struct heap_view *view)
{
    uint64_t entries[ENTRIES];
    uint64_t count = (view->end - view->start + PAGE - 1) / PAGE;
    for (uint64_t done = 0; done < count;) {
        size_t wanted = count - done < ENTRIES ? count - done : ENTRIES;
        size_t got = read_entries(view, view->start / PAGE + done, entries, wanted);
        for (size_t i = 0; i < wanted; i++) {
            bool there = i < got && is_there(view, entries[i]);
            view->missing[done + i] = !there;
            view->holes |= !there;
            if (!there && i < got && entries[i] & SWAPPED)
                view->counts.swapped += PAGE;
            else if (!there)
                view->counts.absent += PAGE;
        }
        done += wanted;
    }
}

// Reads pages [from, to) of the window, which are there.
static void read_run(struct heap_view *view, uint64_t from, uint64_t to)
{
    uint64_t start = from * PAGE, end = to * PAGE;
    if (end > view->end - view->start)
        end = view->end - view->start;
    while (start < end) {
        size_t got = read_memory(view, view->bytes + start, view->start + start, end - start);
        view->counts.read += got;
        start += got;
        if (start >= end)
            return;
        uint64_t next = (start / PAGE + 1) * PAGE; // this page has gone meanwhile
        view->missing[start / PAGE] = view->holes = true;
        view->counts.failed += (next < end ? next : end) - start;
        start = next;
    }
}

// Reads the pages of the window that are there.
static void read_pages(struct heap_view *view)
{
    uint64_t count = (view->end - view->start + PAGE - 1) / PAGE;
    for (uint64_t from = 0, to; from < count; from = to) {
        for (to = from; to < count && !view->missing[to];)
            to++;
        if (to > from)
            read_run(view, from, to);
        while (to < count && view->missing[to])
            to++;
    }
}

// A read during which we lost the CPU shows one part of the window long before the other. It is
// made again, and what it takes at best is learnt from all of them.
static void read_window(struct heap_view *view, uint64_t address, uint64_t limit)
{
    view->start = address & ~(uint64_t)(PAGE - 1);
    view->end = limit - view->start < HEAP_VIEW_WINDOW ? limit : view->start + HEAP_VIEW_WINDOW;
    view->holes = false;
    look_at_pages(view);
    struct heap_view_counts counts = view->counts;
    for (unsigned tries = 0; tries < READ_TRIES; tries++) {
        int64_t began = clock_now();
        view->counts = counts;
        read_pages(view);
        int64_t took = (clock_now() - began) * PAGE / (int64_t)(view->end - view->start + PAGE);
        if (!view->page_time || took < view->page_time)
            view->page_time = took + 1;
        if (took <= 3 * view->page_time + (int64_t)(SLACK * PAGE / (view->end - view->start + 1)))
            break;
    }
}

const void *heap_view_window(struct heap_view *view, uint64_t address, size_t length,
                             uint64_t limit)
{
    const void *held = length ? heap_view_held(view, address, length) : NULL;
    if (held || (address >= view->start && address + length <= view->end))
        return held;
    if (!length || address >= limit || length > limit - address || length > HEAP_VIEW_WINDOW - PAGE)
        return NULL;
    read_window(view, address, limit);
    return heap_view_held(view, address, length);
}

const void *heap_view_among(const struct heap_view *view, uint64_t at, size_t length)
{
    for (uint64_t page = at / PAGE; page <= (at + length - 1) / PAGE; page++)
        if (view->missing[page])
            return NULL;
    return view->bytes + at;
}

bool heap_view_peek(const struct heap_view *view, uint64_t address, void *to, size_t length)
{
    const void *held = length ? heap_view_held(view, address, length) : NULL;
    if (held)
        memcpy(to, held, length);
    return held;
}

void heap_view_forget(struct heap_view *view)
{
    view->start = view->end = 0;
}

static bool all_there(struct heap_view *view, uint64_t address, size_t length)
{
    uint64_t entries[ENTRIES];
    uint64_t first = address / PAGE, count = (address + length - 1) / PAGE - first + 1;
    for (uint64_t done = 0; done < count;) {
        size_t wanted = count - done < ENTRIES ? count - done : ENTRIES;
        if (read_entries(view, first + done, entries, wanted) != wanted)
            return false;
        for (size_t i = 0; i < wanted; i++)
            if (!is_there(view, entries[i]))
                return false;
        done += wanted;
    }
    return true;
}

bool heap_view_read(struct heap_view *view, uint64_t address, void *to, size_t length)
{
    return length && address <= UINT64_MAX - length && all_there(view, address, length) &&
           read_memory(view, to, address, length) == length;
}

bool heap_view_text(struct heap_view *view, uint64_t address, char *to, size_t size)
{
    for (size_t got = 0; got < size;) {
        size_t piece = PAGE - (address + got) % PAGE;
        piece = piece < size - got ? piece : size - got;
        if (!heap_view_read(view, address + got, to + got, piece))
            return false;
        if (memchr(to + got, '\0', piece))
            return true;
        got += piece;
    }
    return false;
}

uint64_t heap_view_next_present(struct heap_view *view, uint64_t address, uint64_t limit)
{
    uint64_t entries[ENTRIES];
    while (address < limit) {
        uint64_t page = address / PAGE, count = (limit - 1) / PAGE - page + 1;
        size_t wanted = count < ENTRIES ? count : ENTRIES;
        size_t got = read_entries(view, page, entries, wanted);
        for (size_t i = 0; i < got; i++) {
            uint64_t start = (page + i) * PAGE;
            if (is_there(view, entries[i]))
                return start > address ? start : address;
        }
        if (got < wanted)
            break;
        address = (page + got) * PAGE;
    }
    return limit;
}

bool heap_view_page_heads(struct heap_view *view, uint64_t address, size_t count, size_t length,
                          unsigned char *heads, bool *there)
{
    uint64_t entries[HEADS];
    struct iovec here[HEADS], from[HEADS];
    size_t wanted = 0, known = read_entries(view, address / PAGE, entries, count);
    for (size_t i = 0; i < count; i++) {
        there[i] = i < known && is_there(view, entries[i]);
        if (!there[i])
            continue;
        here[wanted] = (struct iovec){heads + i * length, length};
        from[wanted++] = (struct iovec){(void *)(uintptr_t)(address + i * PAGE), length};
    }
    ssize_t got = wanted ? process_vm_readv(view->pid, here, wanted, from, wanted, 0) : 0;
    size_t full = got > 0 ? (size_t)got / length : 0;
    view->counts.read += full * length;
    for (size_t i = 0, seen = 0; i < count; i++)
        there[i] = there[i] && seen++ < full;
    return known > 0;
}

uint64_t heap_view_present(struct heap_view *view, uint64_t start, uint64_t end)
{
    uint64_t entries[HEADS], bytes = 0;
    for (uint64_t page = (start + PAGE - 1) / PAGE; page < end / PAGE;) {
        uint64_t left = end / PAGE - page;
        size_t got = read_entries(view, page, entries, left < HEADS ? (size_t)left : HEADS);
        for (size_t i = 0; i < got; i++)
            bytes += entries[i] & PRESENT ? PAGE : 0;
        if (!got)
            break;
        page += got;
    }
    return bytes;
}
