// SPDX-License-Identifier: MIT
#include "base/patience.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"

#define LOOK_MS 50 // a new bound is noticed after at most this time
#define HALVINGS 5

static _Atomic int64_t bound;   // CLOCK_MONOTONIC ns, 0: none
static _Atomic unsigned hanging; // calls that were given up but have not returned

struct patient_call {
    void (*work)(void *context);
    void (*discard)(void *context);
    void *context;
    pthread_mutex_t lock; // protects the members below
    pthread_cond_t ended;
    bool done, given_up;
};

static void free_call(struct patient_call *call)
{
    pthread_cond_destroy(&call->ended);
    pthread_mutex_destroy(&call->lock);
    free(call);
}

static void *run(void *context)
{
    struct patient_call *call = context;
    call->work(call->context);
    pthread_mutex_lock(&call->lock);
    bool given_up = call->given_up;
    call->done = true;
    pthread_cond_signal(&call->ended);
    pthread_mutex_unlock(&call->lock);
    if (given_up) {
        atomic_fetch_sub(&hanging, 1);
        call->discard(call->context);
        free_call(call);
    }
    return NULL;
}

void patience_until(int64_t moment)
{
    atomic_store(&bound, moment);
}

int patience_left(int64_t deadline)
{
    int64_t until = atomic_load(&bound), now = clock_now();
    int64_t left = ((until && until < deadline ? until : deadline) - now) / NS_PER_MS;
    return left < 0 ? 0 : left < LOOK_MS ? (int)left : LOOK_MS;
}

static bool wait_for(struct patient_call *call, int milliseconds)
{
    unsigned halvings = atomic_load(&hanging);
    int64_t patience = (int64_t)milliseconds * NS_PER_MS;
    int64_t deadline = clock_now() + (patience >> (halvings < HALVINGS ? halvings : HALVINGS));
    pthread_mutex_lock(&call->lock);
    for (int left; !call->done && (left = patience_left(deadline)) > 0;) {
        struct timespec next = thread_deadline(left);
        pthread_cond_timedwait(&call->ended, &call->lock, &next);
    }
    bool done = call->done;
    call->given_up = !done;
    if (!done)
        atomic_fetch_add(&hanging, 1);
    pthread_mutex_unlock(&call->lock);
    return done;
}

bool patience_call(void (*work)(void *context), void (*discard)(void *context), void *context,
                   int milliseconds)
{
    struct patient_call *call = xcalloc(1, sizeof *call);
    pthread_t thread;
    *call = (struct patient_call){.work = work, .discard = discard, .context = context};
    pthread_mutex_init(&call->lock, NULL);
    thread_condition(&call->ended);
    if (thread_start(&thread, run, call) != 0) {
        free_call(call);
        work(context); // no thread could be started: call it here, without a time limit
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
