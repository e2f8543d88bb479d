// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/strtab.h"
#include "dump/dump_printer.h"

#define RANGES_SHOWN 12 // ranges of tids

struct group {
    size_t first;    // index of the thread that stands for all
    size_t count;
    uint64_t cpu_ns; // of all threads
    int64_t blocked_ns; // of the thread that is blocked for the shortest time
    size_t same;     // leading bytes that all names share
    bool differ;     // whether the names differ
    struct strtab texts; // what the threads wait for, each text once
    pid_t *tids;
    size_t capacity;
};

static void join(struct group *group, const struct dump *dump, size_t index)
{
    const struct dump_thread *thread = &dump->threads[index];
    const char *name = dump->threads[group->first].comm;
    if (!group->count) {
        group->first = index;
        strtab_init(&group->texts);
        group->same = strlen(thread->comm);
        group->blocked_ns = thread->blocked_ns;
        name = thread->comm;
    }
    size_t same = 0;
    while (same < group->same && thread->comm[same] == name[same])
        same++;
    while (same && (thread->comm[same] & 0xc0) == 0x80)
        same--; // do not cut a UTF-8 character
    group->differ |= same < group->same || thread->comm[same];
    group->same = same;
    if (thread->blocked_ns < group->blocked_ns)
        group->blocked_ns = thread->blocked_ns;
    group->cpu_ns += thread->cpu_ns;
    if (dump->waits[index].text)
        strtab_add(&group->texts, dump->waits[index].text);
    ARRAY_RESERVE(group->tids, group->count, group->capacity);
    group->tids[group->count++] = thread->tid;
}

static int compare_tid(const void *left, const void *right)
{
    pid_t a = *(const pid_t *)left, b = *(const pid_t *)right;
    return a < b ? -1 : a > b;
}

// Prints for example "4251-4267,4270".
static void put_tids(const struct dump_printer *printer, struct group *group)
{
    qsort(group->tids, group->count, sizeof *group->tids, compare_tid);
    size_t ranges = 0;
    for (size_t i = 0, last; i < group->count; i = last + 1) {
        if (ranges++ == RANGES_SHOWN) {
            buf_printf(printer->out, " and %zu more", group->count - i);
            return;
        }
        for (last = i; last + 1 < group->count && group->tids[last + 1] == group->tids[last] + 1;)
            last++;
        buf_printf(printer->out, "%s%d", i ? "," : "", (int)group->tids[i]);
        if (last > i)
            buf_printf(printer->out, "-%d", (int)group->tids[last]);
    }
}

static void put_group(const struct dump_printer *printer, struct group *group)
{
    AUTO_BUF struct buf name = {0};
    if (group->count == 1) {
        dump_printer_thread(printer, group->first);
        return;
    }
    buf_append(&name, printer->dump->threads[group->first].comm, group->same);
    if (group->differ)
        buf_putc(&name, '*');
    dump_printer_begin(printer, ROLE_THREAD);
    buf_printf(printer->out, "%zu threads: ", group->count);
    put_tids(printer, group);
    dump_printer_end(printer, ROLE_THREAD);
    buf_putc(printer->out, ' ');
    dump_printer_quoted(printer, name.length ? name.data : "");
    size_t others = group->texts.count > 2 ? group->texts.count - 2 : 0; // 0 is ""
    dump_printer_state(printer, group->first, others, group->blocked_ns);
    dump_printer_cpu(printer, group->cpu_ns);
    buf_putc(printer->out, '\n');
    dump_printer_frames(printer, &printer->dump->threads[group->first]);
    buf_putc(printer->out, '\n');
}

static int compare_group(const void *left, const void *right)
{
    const struct group *a = left, *b = right;
    if (a->count != b->count)
        return a->count > b->count ? -1 : 1;
    return a->first < b->first ? -1 : a->first > b->first;
}

// Prints the largest groups first.
void dump_printer_groups(const struct dump_printer *printer)
{
    size_t count = printer->dump->count;
    AUTO_FREE size_t *like = xcalloc(count + 1, sizeof *like);
    AUTO_FREE struct group *groups = xcalloc(count + 1, sizeof *groups);
    dump_group(printer->dump, like);
    for (size_t i = 0; i < count; i++)
        if (like[i] != DUMP_NO_GROUP && dump_shows(&printer->dump->threads[i], printer->style))
            join(&groups[like[i]], printer->dump, i);
    qsort(groups, count, sizeof *groups, compare_group);
    for (size_t i = 0; i < count && groups[i].count; i++) {
        put_group(printer, &groups[i]);
        free(groups[i].tids);
        strtab_fini(&groups[i].texts);
    }
}
