// SPDX-License-Identifier: MIT
#include "process/resident.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define PAGE 4096u // of entries of the pagemap
#define ENTRIES 1024u
#define USER_END (1ull << 63) // the kernel's own mapping, [vsyscall], lies above
#define PAGES_MOST (16u << 20) // that are asked for one by one: half a second

#define PRESENT (1ull << 63) // bits of an entry
#define SWAPPED (1ull << 62)

// PAGEMAP_SCAN of Linux 6.7 (linux/fs.h), which the headers of Debian 12 lack.
struct scanned {
    uint64_t start, end, categories;
};
struct page_scan {
    uint64_t size, flags, start, end, walk_end, regions, room, most_pages;
    uint64_t inverted, mask, any_of, wanted;
};
#define SCAN _IOWR('f', 16, struct page_scan)
#define SCAN_PRESENT 8u
#define SCAN_SWAPPED 16u
#define SCAN_ZERO 32u
#define SCAN_HUGE 64u

static bool is_user(const struct proc_map *map)
{
    return map->end < USER_END;
}

// Adds what one region has in common with the mappings from *at on, and moves *at to the last one
// that it reaches.
static void add_region(const struct scanned *region, const struct proc_map *list, size_t count,
                       struct resident *residents, size_t *at)
{
    while (*at < count && list[*at].end <= region->start)
        ++*at;
    for (size_t i = *at; i < count && list[i].start < region->end; i++) {
        uint64_t start = region->start > list[i].start ? region->start : list[i].start;
        uint64_t end = region->end < list[i].end ? region->end : list[i].end;
        if (region->categories & SCAN_SWAPPED)
            residents[i].swapped += end - start;
        else if (region->categories & SCAN_PRESENT && !(region->categories & SCAN_ZERO))
            residents[i].bytes += end - start;
        if (region->categories & SCAN_HUGE && !(region->categories & SCAN_ZERO))
            residents[i].huge += end - start;
    }
}

static enum rc scan_all(int pagemap, const struct proc_map *list, size_t count,
                        struct resident *residents)
{
    struct scanned regions[ENTRIES];
    size_t at = 0;
    uint64_t start = list[0].start, end = list[count - 1].end;
    while (start < end) {
        struct page_scan scan = {
            .size = sizeof scan, .start = start, .end = end,
            .regions = (uint64_t)(uintptr_t)regions, .room = ENTRIES,
            .any_of = SCAN_PRESENT | SCAN_SWAPPED,
            .wanted = SCAN_PRESENT | SCAN_SWAPPED | SCAN_ZERO | SCAN_HUGE,
        };
        int got = ioctl(pagemap, SCAN, &scan);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return errno == ESRCH ? RC_GONE : RC_LIMIT;
        for (int i = 0; i < got; i++)
            add_region(&regions[i], list, count, residents, &at);
        if (scan.walk_end <= start)
            return RC_LIMIT;
        start = scan.walk_end;
    }
    return RC_OK;
}

static enum rc read_pages_of(int pagemap, const struct proc_map *map, struct resident *resident)
{
    uint64_t entries[ENTRIES];
    for (uint64_t page = map->start / PAGE, end = map->end / PAGE; page < end;) {
        size_t wanted = end - page < ENTRIES ? end - page : ENTRIES;
        ssize_t got = pread(pagemap, entries, wanted * sizeof *entries,
                            (off_t)(page * sizeof *entries));
        if (got <= 0)
            return RC_GONE;
        size_t read = (size_t)got / sizeof *entries;
        for (size_t i = 0; i < read; i++) {
            resident->bytes += entries[i] & PRESENT ? PAGE : 0;
            resident->swapped += !(entries[i] & PRESENT) && entries[i] & SWAPPED ? PAGE : 0;
        }
        page += read;
    }
    return RC_OK;
}

enum rc resident_read_pages(int pagemap, const struct proc_map *list, size_t count,
                            struct resident *residents)
{
    uint64_t pages = 0;
    memset(residents, 0, count * sizeof *residents);
    for (size_t i = 0; i < count; i++)
        pages += is_user(&list[i]) ? (list[i].end - list[i].start) / PAGE : 0;
    if (pages > PAGES_MOST)
        return RC_LIMIT;
    for (size_t i = 0; i < count; i++) {
        enum rc rc = is_user(&list[i]) ? read_pages_of(pagemap, &list[i], &residents[i]) : RC_OK;
        if (rc != RC_OK)
            return rc;
    }
    return RC_OK;
}

enum rc resident_read(int pagemap, const struct proc_map *list, size_t count,
                      struct resident *residents)
{
    memset(residents, 0, count * sizeof *residents);
    size_t user = count;
    while (user && !is_user(&list[user - 1]))
        user--;
    enum rc rc = user ? scan_all(pagemap, list, user, residents) : RC_OK;
    return rc == RC_LIMIT ? resident_read_pages(pagemap, list, count, residents) : rc;
}
