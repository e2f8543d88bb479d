// SPDX-License-Identifier: MIT
// ptprof heap says what is in the memory that a process has allocated.
#include <stdio.h>
#include <stdlib.h>

#include "base/escape.h"
#include "base/mem.h"
#include "commands/command.h"
#include "heap/heap_census.h"

struct heap_options {
    bool swapped;
};

static const struct heap_options defaults = {0};

#define AT(field) .offset = offsetof(struct heap_options, field)

static const struct option heap_options[] = {
    {"swapped", 0, OPTION_FLAG, NULL, AT(swapped),
     .help = "read pages that are swapped out too, which brings them back into memory"},
    {NULL},
};

static int compare(const void *left, const void *right)
{
    const struct heap_census_row *a = left, *b = right;
    return a->bytes > b->bytes ? -1 : a->bytes < b->bytes;
}

static void print(struct heap_census *census)
{
    if (census->count)
        qsort(census->rows, census->count, sizeof *census->rows, compare);
    for (size_t i = 0; i < census->count; i++) {
        const struct heap_census_row *row = &census->rows[i];
        printf("%10llu %14llu  %s %u %6llu %s %s\n", (unsigned long long)row->count,
               (unsigned long long)row->bytes, census->allocators[row->allocator].name, row->arena,
               (unsigned long long)row->size,
               block_kind_words[kinds_kind(census->kinds, row->kind)],
               kinds_name(census->kinds, row->kind));
    }
}

static enum rc take(struct heap_target *target, struct err *err)
{
    struct kinds *kinds = kinds_new(target);
    struct heap_census *census;
    enum rc rc = heap_census_take(target, kinds, &(struct heap_census_options){0}, &census, err);
    if (rc == RC_OK)
        print(census);
    heap_census_free(census);
    kinds_free(kinds);
    return rc;
}

static int heap_run(const struct call *call, struct err *err)
{
    const struct heap_options *options = call->options;
    pid_t pid;
    struct heap_target *target = NULL;
    enum rc rc = command_pid(call->operands[0], &pid, err);
    if (rc == RC_OK)
        rc = heap_target_open(pid, options->swapped, &target, err);
    if (rc == RC_OK)
        rc = take(target, err);
    heap_target_close(target);
    return command_status(rc);
}

static const struct example examples[] = {
    {"ptprof heap 4242", "what the blocks are that process 4242 has allocated"},
    {NULL, NULL},
};

const struct command command_heap = {
    .name = "heap",
    .args = "PID",
    .summary = "count what is in the memory that a running process has allocated",
    .operand = OPERAND_PID,
    .least = 1,
    .most = 1,
    .options = heap_options,
    .defaults = &defaults,
    .options_size = sizeof defaults,
    .examples = examples,
    .run = heap_run,
};
