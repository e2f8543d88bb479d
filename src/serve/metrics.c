// SPDX-License-Identifier: MIT
#include "serve/metrics.h"

#include "base/clock.h"
#include "process/memory_status.h"

const struct metric_row metric_rows[METRIC_COUNT] = {
#define X(name, key, metric, kind, unit, text)                                                     \
    [METRIC_##name] = {key, metric, text, METRIC_IS_##kind, METRIC_IN_##unit},
    METRICS(X)
#undef X
};

// A first form: memory and threads only.
enum rc metrics_read(pid_t pid, bool with_pss, struct metrics *metrics)
{
    struct memory_status status;
    pid_t tid;
    (void)with_pss;
    *metrics = (struct metrics){.at = clock_now(), .wall = clock_wall()};
    for (size_t i = 0; i < METRIC_COUNT; i++)
        metrics->values[i] = METRIC_UNKNOWN;
    enum rc rc = memory_status_read(pid, &status, &tid);
    if (rc != RC_OK)
        return rc;
    metrics->values[METRIC_RSS] = status.bytes[MEMORY_RSS];
    metrics->values[METRIC_THREADS] = status.threads;
    return RC_OK;
}
