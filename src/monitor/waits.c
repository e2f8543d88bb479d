// SPDX-License-Identifier: MIT
#include "monitor/waits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/thread.h"
#include "dump/dumper.h"

#define READ_SHARE 50
#define TIMEOUT (200 * NS_PER_MS)
#define NOBODY "x^" // matches no name, so that no thread that runs is held

struct waits {
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t lock; // protects what follows
    pthread_cond_t changed;
    pid_t wanted;      // process to dump next
    bool busy, stop;
    int64_t next_read; // CLOCK_MONOTONIC ns
    struct dumper *dumper; // changed by the thread only
    pid_t pid;             // process of the dumper
    struct dump dump;  // the newest
    struct map index;  // tid -> index in it, + 1
};

// --- the thread ---

static void forget(struct waits *waits)
{
    dump_fini(&waits->dump);
    waits->dump = (struct dump){0};
    map_clear(&waits->index);
}

static void publish(struct waits *waits, const struct dump *dump)
{
    pthread_mutex_lock(&waits->lock);
    forget(waits);
    waits->dump = *dump;
    for (uint32_t i = 0; i < dump->count; i++)
        map_put(&waits->index, (uint64_t)dump->threads[i].tid, i + 1);
    pthread_mutex_unlock(&waits->lock);
}

static void use_dumper(struct waits *waits, struct dumper *dumper, pid_t pid)
{
    pthread_mutex_lock(&waits->lock);
    struct dumper *before = waits->dumper;
    forget(waits);
    waits->dumper = dumper;
    waits->pid = pid;
    pthread_mutex_unlock(&waits->lock);
    dumper_close(before);
}

static void look(struct waits *waits, pid_t pid)
{
    const struct dumper_options options = {.threads = NOBODY, .timeout = TIMEOUT};
    struct dumper *dumper = NULL;
    struct dump dump = {0};
    if (waits->pid != pid || !waits->dumper)
        use_dumper(waits, dumper_open(pid, &options, &dumper, NULL) == RC_OK ? dumper : NULL, pid);
    if (waits->dumper && dumper_take(waits->dumper, &dump, NULL) == RC_OK)
        publish(waits, &dump);
}

static void *run(void *context)
{
    struct waits *waits = context;
    pthread_mutex_lock(&waits->lock);
    for (;;) {
        while (!waits->busy && !waits->stop)
            pthread_cond_wait(&waits->changed, &waits->lock);
        if (waits->stop)
            break;
        pid_t pid = waits->wanted;
        pthread_mutex_unlock(&waits->lock);
        int64_t began = clock_now();
        look(waits, pid);
        pthread_mutex_lock(&waits->lock);
        waits->next_read = clock_now() + READ_SHARE * (clock_now() - began);
        waits->busy = false;
        pthread_cond_broadcast(&waits->changed);
    }
    pthread_mutex_unlock(&waits->lock);
    return NULL;
}

struct waits *waits_new(void)
{
    struct waits *waits = xcalloc(1, sizeof *waits);
    pthread_mutex_init(&waits->lock, NULL);
    thread_condition(&waits->changed);
    return waits;
}

static void stop(struct waits *waits)
{
    pthread_mutex_lock(&waits->lock);
    waits->stop = true;
    if (waits->dumper)
        symbolizer_cancel(dumper_symbolizer(waits->dumper));
    pthread_cond_broadcast(&waits->changed);
    pthread_mutex_unlock(&waits->lock);
    pthread_join(waits->thread, NULL);
}

void waits_free(struct waits *waits)
{
    if (!waits)
        return;
    if (waits->has_thread)
        stop(waits);
    forget(waits);
    dumper_close(waits->dumper);
    map_fini(&waits->index);
    pthread_cond_destroy(&waits->changed);
    pthread_mutex_destroy(&waits->lock);
    free(waits);
}

void waits_read(struct waits *waits, pid_t pid, int milliseconds)
{
    struct timespec deadline = thread_deadline(milliseconds);
    int rc = 0;
    if (!waits->has_thread)
        waits->has_thread = thread_start(&waits->thread, run, waits) == 0;
    pthread_mutex_lock(&waits->lock);
    if (waits->has_thread && !waits->busy && clock_now() >= waits->next_read) {
        waits->wanted = pid;
        waits->busy = true;
        pthread_cond_broadcast(&waits->changed);
    }
    while (waits->busy && rc != ETIMEDOUT)
        rc = pthread_cond_timedwait(&waits->changed, &waits->lock, &deadline);
    pthread_mutex_unlock(&waits->lock);
}

// --- what it found ---

// Cuts what does not fit, between two characters.
static void describe(struct thread_fact *fact, const struct wait *wait)
{
    size_t length = strlen(wait->text), room = sizeof fact->wait - 1;
    if (length > room)
        for (length = room; length && (wait->text[length] & 0xc0) == 0x80;)
            length--;
    memcpy(fact->wait, wait->text, length);
    fact->wait[length] = '\0';
    fact->owner = wait->owner_tid;
}

static bool sleeps(const struct thread_fact *fact)
{
    return fact->state == 'S' || fact->state == 'D';
}

// Returns the index in the dump, + 1, or 0 if the thread is not there.
static uint32_t find(const struct waits *waits, const struct thread_fact *fact)
{
    return fact->pid == waits->pid ? map_get(&waits->index, (uint64_t)fact->tid, 0) : 0;
}

void waits_apply(struct waits *waits, struct moment *moment)
{
    pthread_mutex_lock(&waits->lock);
    for (size_t i = 0; i < moment->thread_count; i++) {
        struct thread_fact *fact = &moment->threads[i];
        uint32_t at = sleeps(fact) ? find(waits, fact) : 0;
        if (!at)
            continue;
        const struct wait *wait = &waits->dump.waits[at - 1];
        if (wait->kind != WAIT_NONE && wait->kind != WAIT_CPU && wait->text)
            describe(fact, wait);
    }
    pthread_mutex_unlock(&waits->lock);
}

static void add_frame(struct moment *moment, const struct dump_frame *frame, size_t *capacity)
{
    const char *path = frame->module ? frame->module->path : "";
    for (size_t i = 0; i < frame->symbol->line_count; i++) {
        const struct symbol_line *line = &frame->symbol->lines[i];
        uint32_t function = names_give(moment->names, line->name, path);
        ARRAY_RESERVE(moment->asleep, moment->asleep_count, *capacity);
        moment->asleep[moment->asleep_count++] = (struct stack_row){
            .function = names_function(moment->names, function),
            .inlined = i + 1 < frame->symbol->line_count,
            .file = names_text(moment->names, line->file),
            .line = line->line,
            .offset = frame->offset,
        };
    }
}

void waits_stack(struct waits *waits, pid_t tid, struct moment *moment)
{
    size_t capacity = 0;
    pthread_mutex_lock(&waits->lock);
    for (size_t i = 0; i < moment->thread_count; i++) {
        const struct thread_fact *fact = &moment->threads[i];
        uint32_t at = fact->tid == tid && sleeps(fact) ? find(waits, fact) : 0;
        if (!at || waits->dump.threads[at - 1].running)
            continue;
        const struct dump_thread *thread = &waits->dump.threads[at - 1];
        for (size_t k = 0; k < thread->frame_count; k++)
            add_frame(moment, &thread->frames[k], &capacity);
        moment->asleep_tid = tid;
    }
    pthread_mutex_unlock(&waits->lock);
}
