// SPDX-License-Identifier: MIT
#include "session/waits.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

#define READ_SHARE 50
#define TIMEOUT (200 * NS_PER_MS) // a screen waits for it
#define NOBODY "x^" // no name matches: none of the threads that run is held

static void forget(struct waits *waits)
{
    dump_fini(&waits->dump);
    waits->dump = (struct dump){0};
    map_clear(&waits->index);
}

static void look(struct waits *waits)
{
    struct dump dump = {0};
    if (dumper_take(waits->dumper, &dump, NULL) != RC_OK)
        return;
    forget(waits);
    waits->dump = dump;
    for (uint32_t i = 0; i < dump.count; i++)
        map_put(&waits->index, (uint64_t)dump.threads[i].tid, i + 1);
}

void waits_read(struct waits *waits, pid_t pid)
{
    const struct dumper_options options = {.threads = NOBODY, .timeout = TIMEOUT};
    int64_t began = clock_now();
    if (began < waits->next_read)
        return;
    if (waits->dumper && waits->pid != pid)
        waits_fini(waits);
    if (!waits->dumper && dumper_open(pid, &options, &waits->dumper, NULL) != RC_OK)
        waits->dumper = NULL;
    waits->pid = pid;
    if (waits->dumper)
        look(waits);
    int64_t now = clock_now();
    waits->next_read = now + READ_SHARE * (now - began);
}

// What does not fit is cut between two characters.
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

void waits_apply(const struct waits *waits, struct thread_fact *threads, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct thread_fact *fact = &threads[i];
        bool sleeps = fact->state == 'S' || fact->state == 'D';
        uint32_t at = map_get(&waits->index, (uint64_t)fact->tid, 0);
        if (!at || !sleeps || fact->pid != waits->pid)
            continue;
        const struct wait *wait = &waits->dump.waits[at - 1];
        if (wait->kind != WAIT_NONE && wait->kind != WAIT_CPU && wait->text)
            describe(fact, wait);
    }
}

void waits_fini(struct waits *waits)
{
    forget(waits);
    dumper_close(waits->dumper);
    map_fini(&waits->index);
    *waits = (struct waits){0};
}
