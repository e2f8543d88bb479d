// SPDX-License-Identifier: MIT
#include "serve/metrics_pss.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "sample/task_file.h"
#include "serve/metrics.h"

#define RESIDENT_MOST (512ull << 20) // bytes: some milliseconds of walking
#define MAPS_BYTES (64u << 10)       // of maps: some 700 mappings

static int open_file(pid_t pid, const char *name)
{
    char path[48];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    return open(path, O_RDONLY | O_CLOEXEC);
}

static bool has_few_mappings(pid_t pid)
{
    AUTO_FD int fd = open_file(pid, "maps");
    AUTO_FREE char *text = xmalloc(MAPS_BYTES);
    size_t length = 0;
    ssize_t got = 1;
    while (fd >= 0 && length < MAPS_BYTES && got > 0) {
        got = read(fd, text + length, MAPS_BYTES - length);
        length += got > 0 ? (size_t)got : 0;
    }
    return got == 0;
}

static uint64_t read_sum(pid_t pid)
{
    char text[4096];
    AUTO_FD int fd = open_file(pid, "smaps_rollup");
    const char *at = task_file_read(fd, text, sizeof text) ? strstr(text, "\nPss:") : NULL;
    return at ? strtoull(at + 5, NULL, 10) * 1024 : METRIC_UNKNOWN;
}

// What was read of another size of the process tells nothing of this one.
static bool is_past(const struct metrics_pss *pss, uint64_t rss)
{
    uint64_t off = rss > pss->rss ? rss - pss->rss : pss->rss - rss;
    return rss >= RESIDENT_MOST || off > pss->rss / 8;
}

uint64_t metrics_pss(struct metrics_pss *pss, pid_t pid, int64_t interval,
                     const struct metrics *metrics)
{
    uint64_t rss = metrics->values[METRIC_RSS];
    if (!interval)
        return METRIC_UNKNOWN;
    if (pss->next && metrics->at < pss->next) {
        pss->bytes = is_past(pss, rss) ? METRIC_UNKNOWN : pss->bytes;
        return pss->bytes;
    }
    // Not all processes are asked in the same moment from the second time on.
    pss->next = metrics->at + interval + interval * (pid % 64) / 256;
    pss->rss = rss;
    pss->bytes = rss < RESIDENT_MOST && has_few_mappings(pid) ? read_sum(pid) : METRIC_UNKNOWN;
    return pss->bytes;
}
