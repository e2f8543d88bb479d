// SPDX-License-Identifier: MIT
#include "base/patience.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"

#define LOOK_MS 50 // a new bound is noticed after at most this time
#define HALVINGS 5
#define IDLE_MS 1000 // that a helper stays for another call

static _Atomic int64_t bound;   // CLOCK_MONOTONIC ns, 0: none
static _Atomic unsigned hanging; // calls that were given up but have not returned

// A thread that makes the calls of another one. It stays for the next: where others want the CPUs
// too, a new thread may wait for its first turn until a tick of the scheduler, and a target with a
// thousand files needs thousands of calls.
struct patient_helper {
    pid_t process;        // a process that is forked gets the memory, but not the thread
    pthread_mutex_t lock; // protects the members below
    pthread_cond_t changed;
    pid_t tid;                   // 0: it has not begun
    void (*work)(void *context); // NULL: nothing to do
    void (*discard)(void *context);
    void *context;
    bool left;      // by its caller, who gave up or has ended: it frees itself
    bool has_ended; // its caller frees it
};

static _Thread_local struct patient_helper *mine;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t ending; // has the helper of a thread that ends end too
static bool have_ending;

static void free_helper(struct patient_helper *helper)
{
    pthread_cond_destroy(&helper->changed);
    pthread_mutex_destroy(&helper->lock);
    free(helper);
}

// --- in the helper

static bool await_work(struct patient_helper *helper)
{
    const struct timespec last = thread_deadline(IDLE_MS);
    int rc = 0;
    while (!helper->work && !helper->left && rc == 0)
        rc = pthread_cond_timedwait(&helper->changed, &helper->lock, &last);
    return helper->work;
}

static void *help(void *context)
{
    struct patient_helper *helper = context;
    bool given_up = false;
    pthread_mutex_lock(&helper->lock);
    helper->tid = gettid();
    while (!given_up && await_work(helper)) {
        pthread_mutex_unlock(&helper->lock);
        helper->work(helper->context);
        pthread_mutex_lock(&helper->lock);
        helper->work = NULL;
        given_up = helper->left;
        pthread_cond_signal(&helper->changed);
    }
    bool left = helper->left;
    helper->has_ended = !left;
    pthread_mutex_unlock(&helper->lock);
    if (given_up) {
        atomic_fetch_sub(&hanging, 1);
        helper->discard(helper->context);
    }
    if (left)
        free_helper(helper);
    return NULL;
}

// --- in its caller

static void leave(void *context)
{
    struct patient_helper *helper = context;
    pthread_mutex_lock(&helper->lock);
    bool has_ended = helper->has_ended;
    helper->left = true;
    pthread_cond_signal(&helper->changed);
    pthread_mutex_unlock(&helper->lock);
    if (has_ended)
        free_helper(helper);
}

static void forget(void)
{
    mine = NULL;
    if (have_ending)
        pthread_setspecific(ending, NULL);
}

static void make_key(void)
{
    have_ending = pthread_key_create(&ending, leave) == 0;
}

// Whoever reads a file, which may be long, does not get real-time priority from who waits for it.
static void give(struct patient_helper *helper, const struct patient_helper *call)
{
    helper->work = call->work;
    helper->discard = call->discard;
    helper->context = call->context;
    if (helper->tid && !thread_is_realtime())
        thread_lead(helper->tid);
    pthread_cond_signal(&helper->changed);
}

// Returns false if the calling thread has no helper that still runs.
static bool ask_again(const struct patient_helper *call)
{
    if (!mine)
        return false;
    if (mine->process != getpid()) {
        free(mine);
        forget();
        return false;
    }
    pthread_mutex_lock(&mine->lock);
    bool has_ended = mine->has_ended; // then its tid may be another thread's
    if (!has_ended)
        give(mine, call);
    pthread_mutex_unlock(&mine->lock);
    if (has_ended) {
        free_helper(mine);
        forget();
    }
    return mine;
}

static bool ask_another(const struct patient_helper *call)
{
    struct patient_helper *helper = xcalloc(1, sizeof *helper);
    pthread_t thread;
    *helper = *call;
    helper->process = getpid();
    pthread_mutex_init(&helper->lock, NULL);
    thread_condition(&helper->changed);
    if (thread_start(&thread, help, helper) != 0) {
        free_helper(helper);
        return false;
    }
    pthread_detach(thread);
    pthread_once(&once, make_key);
    mine = helper;
    if (have_ending)
        pthread_setspecific(ending, mine);
    return true;
}

// Returns false if it was given up; then the helper is no longer the caller's.
static bool await(struct patient_helper *helper, int milliseconds)
{
    unsigned halvings = atomic_load(&hanging);
    int64_t patience = (int64_t)milliseconds * NS_PER_MS;
    int64_t deadline = clock_now() + (patience >> (halvings < HALVINGS ? halvings : HALVINGS));
    pthread_mutex_lock(&helper->lock);
    for (int left; helper->work && (left = patience_left(deadline)) > 0;) {
        struct timespec next = thread_deadline(left);
        pthread_cond_timedwait(&helper->changed, &helper->lock, &next);
    }
    bool done = !helper->work;
    helper->left = !done;
    if (!done)
        atomic_fetch_add(&hanging, 1);
    pthread_mutex_unlock(&helper->lock);
    return done;
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

bool patience_call(void (*work)(void *context), void (*discard)(void *context), void *context,
                   int milliseconds)
{
    const struct patient_helper call = {.work = work, .discard = discard, .context = context};
    if (!patience_left(clock_now() + (int64_t)milliseconds * NS_PER_MS)) {
        discard(context);
        return false;
    }
    if (!ask_again(&call) && !ask_another(&call)) {
        work(context); // no thread could be started: call it here, without a time limit
        return true;
    }
    bool done = await(mine, milliseconds);
    if (!done)
        forget();
    return done;
}
