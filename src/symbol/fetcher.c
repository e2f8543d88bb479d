// SPDX-License-Identifier: MIT
#include "symbol/fetcher.h"

#include <errno.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/thread.h"

#define STOP_MS 1000

struct fetcher {
    struct symbolizer *symbolizer;
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t lock; // protects the members below
    pthread_cond_t changed;
    bool busy, stop;
};

static void *run(void *context)
{
    struct fetcher *fetcher = context;
    thread_come_last();
    pthread_mutex_lock(&fetcher->lock);
    for (;;) {
        while (!fetcher->busy && !fetcher->stop)
            pthread_cond_wait(&fetcher->changed, &fetcher->lock);
        if (!fetcher->busy)
            break;
        pthread_mutex_unlock(&fetcher->lock);
        symbolizer_fetch(fetcher->symbolizer);
        pthread_mutex_lock(&fetcher->lock);
        fetcher->busy = false;
        pthread_cond_broadcast(&fetcher->changed);
    }
    pthread_mutex_unlock(&fetcher->lock);
    return NULL;
}

enum rc fetcher_new(struct symbolizer *symbolizer, struct fetcher **out, struct err *err)
{
    struct fetcher *fetcher = xcalloc(1, sizeof *fetcher);
    fetcher->symbolizer = symbolizer;
    pthread_mutex_init(&fetcher->lock, NULL);
    thread_condition(&fetcher->changed);
    int errnum = thread_start(&fetcher->thread, run, fetcher);
    fetcher->has_thread = !errnum;
    if (errnum) {
        fetcher_free(fetcher);
        return limits_sys(err, RC_FAIL, errnum, "cannot start a thread");
    }
    *out = fetcher;
    return RC_OK;
}

void fetcher_start(struct fetcher *fetcher)
{
    pthread_mutex_lock(&fetcher->lock);
    fetcher->busy = fetcher->has_thread;
    pthread_cond_broadcast(&fetcher->changed);
    pthread_mutex_unlock(&fetcher->lock);
}

bool fetcher_wait(struct fetcher *fetcher, int milliseconds)
{
    struct timespec deadline = thread_deadline(milliseconds);
    int rc = 0;
    pthread_mutex_lock(&fetcher->lock);
    while (fetcher->busy && rc != ETIMEDOUT)
        rc = pthread_cond_timedwait(&fetcher->changed, &fetcher->lock, &deadline);
    bool idle = !fetcher->busy;
    pthread_mutex_unlock(&fetcher->lock);
    return idle;
}

void fetcher_stop(struct fetcher *fetcher)
{
    if (!fetcher || !fetcher->has_thread)
        return;
    if (!fetcher_wait(fetcher, STOP_MS))
        symbolizer_cancel(fetcher->symbolizer);
    pthread_mutex_lock(&fetcher->lock);
    fetcher->stop = true;
    pthread_cond_broadcast(&fetcher->changed);
    pthread_mutex_unlock(&fetcher->lock);
    pthread_join(fetcher->thread, NULL);
    fetcher->has_thread = false;
}

void fetcher_free(struct fetcher *fetcher)
{
    if (!fetcher)
        return;
    fetcher_stop(fetcher);
    pthread_cond_destroy(&fetcher->changed);
    pthread_mutex_destroy(&fetcher->lock);
    free(fetcher);
}
