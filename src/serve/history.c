// SPDX-License-Identifier: MIT
#include "serve/history.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

struct history {
    struct metrics *ring; // owned
    size_t most, count, next;
    struct metrics_reader *reader; // owned
    pid_t pid;                     // of whom
};

struct history *history_new(size_t most)
{
    struct history *history = xcalloc(1, sizeof *history);
    history->most = most;
    history->ring = xcalloc(most, sizeof *history->ring);
    return history;
}

void history_free(struct history *history)
{
    if (!history)
        return;
    metrics_reader_free(history->reader);
    free(history->ring);
    free(history);
}

void history_add(struct history *history, const struct metrics *metrics)
{
    history->ring[history->next] = *metrics;
    history->next = (history->next + 1) % history->most;
    history->count += history->count < history->most;
}

enum rc history_read(struct history *history, pid_t pid, const struct metrics_wish *wish)
{
    struct metrics metrics;
    if (pid != history->pid) {
        metrics_reader_free(history->reader);
        history->reader = metrics_reader_new(pid);
        history->pid = pid;
    }
    enum rc rc = metrics_read(history->reader, wish, &metrics);
    metrics.pid = pid;
    if (rc == RC_OK)
        history_add(history, &metrics);
    return rc;
}

const struct latency *history_run_queue(const struct history *history)
{
    return history->reader ? metrics_run_queue(history->reader) : NULL;
}

void history_take_queue_waits(struct history *history, struct queue_wait waits[LATENCY_BUCKETS])
{
    memset(waits, 0, LATENCY_BUCKETS * sizeof *waits);
    if (history->reader)
        metrics_take_queue_waits(history->reader, waits);
}

size_t history_count(const struct history *history)
{
    return history->count;
}

const struct metrics *history_get(const struct history *history, size_t back)
{
    return &history->ring[(history->next + 2 * history->most - 1 - back) % history->most];
}

const struct metrics *history_before(const struct history *history, size_t back)
{
    const struct metrics *one = history_get(history, back);
    if (back + 1 >= history->count)
        return NULL;
    const struct metrics *before = history_get(history, back + 1);
    return before->pid == one->pid ? before : NULL;
}

double history_rate(const struct metrics *from, const struct metrics *to, enum metric metric)
{
    uint64_t before = from->values[metric], after = to->values[metric];
    if (before == METRIC_UNKNOWN || after == METRIC_UNKNOWN || after < before || to->at <= from->at)
        return -1;
    return (double)(after - before) * NS_PER_S / (double)(to->at - from->at);
}
