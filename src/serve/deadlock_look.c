// SPDX-License-Identifier: MIT
#include "serve/deadlock_look.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "base/escape.h"
#include "base/mem.h"
#include "dump/dumper.h"

#define PATIENCE (2ll * NS_PER_S)
#define NOBODY "^.{100}$" // no thread has such a name: those that run are not stopped

struct deadlock_look *deadlock_look_new(void)
{
    struct deadlock_look *look = mmap(NULL, sizeof *look, PROT_READ | PROT_WRITE,
                                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return look == MAP_FAILED ? NULL : look;
}

void deadlock_look_free(struct deadlock_look *look)
{
    if (look)
        munmap(look, sizeof *look);
}

// Returns whether this process is the one to look now.
static bool claim(struct deadlock_look *look, uint64_t start_time, int64_t often)
{
    int64_t now = clock_now(), begun = atomic_load(&look->begun);
    bool same = begun && look->start_time == start_time;
    if ((same && now - begun < often) ||
        !atomic_compare_exchange_strong(&look->begun, &begun, now))
        return false;
    if (!same)
        look->at = 0;
    look->start_time = start_time;
    return true;
}

static void put_text(struct deadlock_look *look, const char *text)
{
    size_t length = strlen(text), most = sizeof look->text - 1;
    length = length < most ? length : most;
    memcpy(look->text, text, length);
    look->text[length] = '\0';
}

// "a (12) waits: mutex m, held by b (13); b (13) waits: ..."
static void put_circle(struct deadlock_look *look, const struct dump *dump,
                       const struct verdict *verdict)
{
    AUTO_BUF struct buf text = {0};
    for (size_t i = 0; i < verdict->count && text.length < sizeof look->text; i++) {
        const struct dump_thread *thread = &dump->threads[verdict->chain[i]];
        AUTO_FREE char *comm = escape_text_dup(thread->comm);
        const char *why = dump->waits[verdict->chain[i]].text;
        buf_printf(&text, "%s%s (%d) waits: %s", i ? "; " : "", comm, (int)thread->tid,
                   why ? why : "for the next");
    }
    put_text(look, text.data ? text.data : "");
}

static void judge(struct deadlock_look *look, const struct dump *dump)
{
    look->threads = dump->count;
    look->unread = 0;
    for (size_t i = 0; i < dump->count; i++)
        look->unread += dump->threads[i].problem != DUMP_FINE;
    look->found = dump->end == DUMP_COMPLETE ? HEALTH_DEADLOCK_NONE : HEALTH_DEADLOCK_UNKNOWN;
    put_text(look, dump->end == DUMP_COMPLETE ? "" : "not all threads could be read in time");
    for (size_t i = 0; i < dump->verdict_count; i++) { // the certain ones come first
        enum verdict_kind kind = dump->verdicts[i].kind;
        if (kind != VERDICT_DEADLOCK && kind != VERDICT_PROBABLE_DEADLOCK)
            continue;
        look->found = kind == VERDICT_DEADLOCK ? HEALTH_DEADLOCK_CERTAIN
                                               : HEALTH_DEADLOCK_PROBABLE;
        put_circle(look, dump, &dump->verdicts[i]);
        return;
    }
}

void deadlock_look_take(struct deadlock_look *look, const struct serve_target *target,
                        int64_t often, bool (*over)(void *context), void *context)
{
    const struct dumper_options options = {
        .threads = NOBODY, .timeout = PATIENCE, .interrupted = over, .context = context};
    struct dumper *dumper = NULL;
    struct dump dump = {0};
    struct err err = {0};
    if (!claim(look, target->start_time, often))
        return;
    enum rc rc = dumper_open(target->pid, &options, &dumper, &err);
    if (rc == RC_OK)
        rc = dumper_take(dumper, &dump, &err);
    if (rc == RC_OK) {
        judge(look, &dump);
    } else {
        look->found = HEALTH_DEADLOCK_UNKNOWN;
        put_text(look, err.text);
    }
    look->at = clock_now();
    dump_fini(&dump);
    dumper_close(dumper);
}
