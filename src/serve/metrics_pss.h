// SPDX-License-Identifier: MIT
// The proportional memory of a process, read now and then: the kernel walks all its pages for that,
// and who maps memory there may have to wait meanwhile. So only processes of few pages and few
// mappings are asked for it.
#pragma once

#include <stdint.h>
#include <sys/types.h>

struct metrics;

struct metrics_pss { // zeroed: not read yet
    int64_t next;    // CLOCK_MONOTONIC ns: not before
    uint64_t bytes;  // as it was last; METRIC_UNKNOWN
    uint64_t rss;    // bytes, when it was read
};

// Returns the bytes as they were last, METRIC_UNKNOWN where they are not read. They are forgotten
// when resident memory is another by more than an eighth, until it is time to read them again.
// metrics: what is known of this moment. interval: ns, 0: never.
uint64_t metrics_pss(struct metrics_pss *pss, pid_t pid, int64_t interval,
                     const struct metrics *metrics);
