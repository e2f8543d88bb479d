// SPDX-License-Identifier: MIT
#include "base/patience.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/thread.h"

struct call {
    void (*work)(void *context);
    void (*discard)(void *context);
    void *context;
    pthread_mutex_t lock; // for what follows
    pthread_cond_t ended;
    bool done, given_up;
};

static void free_call(struct call *call)
{
    pthread_cond_destroy(&call->ended);
    pthread_mutex_destroy(&call->lock);
    free(call);
}

static void *run(void *context)
{
    struct call *call = context;
    call->work(call->context);
    pthread_mutex_lock(&call->lock);
    bool given_up = call->given_up;
    call->done = true;
    pthread_cond_signal(&call->ended);
    pthread_mutex_unlock(&call->lock);
    if (given_up) {
        call->discard(call->context);
        free_call(call);
    }
    return NULL;
}

static bool wait_for(struct call *call, int milliseconds)
{
    struct timespec deadline = thread_deadline(milliseconds);
    int rc = 0;
    pthread_mutex_lock(&call->lock);
    while (!call->done && rc != ETIMEDOUT)
        rc = pthread_cond_timedwait(&call->ended, &call->lock, &deadline);
    bool done = call->done;
    call->given_up = !done;
    pthread_mutex_unlock(&call->lock);
    return done;
}

bool patience_call(void (*work)(void *context), void (*discard)(void *context), void *context,
                   int milliseconds)
{
    struct call *call = xcalloc(1, sizeof *call);
    pthread_t thread;
    *call = (struct call){.work = work, .discard = discard, .context = context};
    pthread_mutex_init(&call->lock, NULL);
    thread_condition(&call->ended);
    if (thread_start(&thread, run, call) != 0) {
        free_call(call);
        work(context); // no thread to be had: without patience
        return true;
    }
    if (!wait_for(call, milliseconds)) {
        pthread_detach(thread);
        return false;
    }
    pthread_join(thread, NULL);
    free_call(call);
    return true;
}
