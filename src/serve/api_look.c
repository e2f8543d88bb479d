// SPDX-License-Identifier: MIT
#include "serve/api_look.h"

#include <errno.h>
#include <math.h>
#include <sched.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "heap/memory_print.h"

// --- collections ---

static void take_go(struct heap_target *target, struct api_collection *collection)
{
    struct go_collector go;
    go_collector_read(target, &go);
    collection->why = go.why;
    collection->next_why = go.pace_why ? go.pace_why : go.goal_why;
    collection->next = collection->next_why ? API_UNKNOWN : go.goal;
    collection->total_why = go.pace_why;
    collection->total_alloc = go.pace_why ? API_UNKNOWN : go.total_alloc;
    if (go.why)
        return;
    collection->source = "runtime.memstats";
    collection->count = go.count;
    collection->pause_total = go.pause_total;
    collection->last = (int64_t)go.last;
    collection->cpu_fraction = go.cpu_fraction;
    collection->pause_count = go.pause_count;
    collection->last_pause = go.pause_count ? go.pauses[0] : API_UNKNOWN;
    memcpy(collection->pauses, go.pauses, sizeof collection->pauses);
}

// Work beside the program is no pause: of such collectors only phases that stop it count.
static bool stops_the_program(const struct hsperf_collector *collector)
{
    return !strstr(collector->name, "oncurrent") || strstr(collector->name, "pause");
}

static void take_jvm(const struct hsperf *hsperf, struct api_collection *collection)
{
    uint64_t newest = 0;
    collection->why = NULL;
    collection->source = "hsperfdata";
    collection->count = collection->pause_total = 0;
    for (size_t i = 0; i < HSPERF_COLLECTORS; i++) {
        const struct hsperf_collector *each = &hsperf->collectors[i];
        if (!stops_the_program(each))
            continue;
        collection->count += each->count;
        collection->pause_total += hsperf_ns(hsperf, each->time);
        if (!each->count || each->left < each->entered || each->left <= newest)
            continue;
        newest = each->left;
        collection->last_pause = hsperf_ns(hsperf, each->left - each->entered);
        collection->last = (int64_t)(hsperf->started_ms * NS_PER_MS + hsperf_ns(hsperf, newest));
        collection->pauses[0] = collection->last_pause;
        collection->pause_count = 1;
    }
    collection->next_why = "a JVM collects when a space is full, and names no size in advance";
    collection->total_why = "a JVM keeps no count of it that can be read";
    collection->fraction_why = "a JVM counts the time of pauses, and no CPU time";
}

static void take_collection(struct heap_target *target, struct api_look *look)
{
    static const char *const none[] = {
        [RUNTIME_NATIVE] = "nothing collects garbage there",
        [RUNTIME_GO] = NULL,
        [RUNTIME_JVM] = "the JVM has no hsperfdata (-XX:-UsePerfData), where its counts would be",
        [RUNTIME_CPYTHON] = "CPython frees by counting references; what its collector of circles "
                            "counts is not read",
        [RUNTIME_NODE] = "V8 keeps its counts for its own program only",
    };
    struct api_collection *collection = &look->collection;
    collection->why = none[look->runtime.kind];
    if (look->runtime.kind == RUNTIME_GO)
        take_go(target, collection);
    else if (look->runtime.kind == RUNTIME_JVM && hsperf_read(target, &look->hsperf))
        take_jvm(&look->hsperf, collection);
}

// --- the look ---

static void nothing_known(struct api_look *look)
{
    *look = (struct api_look){.runtime_why = "it was not asked for"};
    struct api_collection *collection = &look->collection;
    collection->why = look->runtime_why;
    collection->count = collection->pause_total = collection->last_pause = API_UNKNOWN;
    collection->next = collection->total_alloc = API_UNKNOWN;
    collection->cpu_fraction = NAN;
}

static enum rc take_runtime(const struct job *job, unsigned parts, struct api_look *look)
{
    struct heap_target *target;
    enum rc rc = heap_target_open(job->pid, false, &target, &look->err);
    look->runtime_why = rc == RC_OK ? NULL : look->err.text;
    look->collection.why = look->runtime_why;
    if (rc != RC_OK)
        return rc;
    runtime_read(target, parts & API_VERSIONS, &look->runtime);
    take_collection(target, look);
    heap_target_close(target);
    return RC_OK;
}

enum rc api_look_take(const struct job *job, unsigned parts, struct api_look *look,
                      struct err *err)
{
    const struct memory_look_options options = {.allocators = true};
    struct memory_look *memory = NULL;
    enum rc rc = RC_OK;
    nothing_known(look);
    if (parts & API_RUNTIME && take_runtime(job, parts, look) == RC_GONE)
        return err_set(err, RC_GONE, "%s", look->err.text);
    if (parts & API_MEMORY)
        rc = memory_look_open(job->pid, &options, &memory, err);
    if (memory)
        rc = memory_look_take(memory, &look->use, err);
    memory_look_close(memory);
    return rc;
}

void api_look_fini(struct api_look *look)
{
    memory_use_free(look->use);
}

// --- single figures ---

// What the collection tells goes before what a process that is not Go's has of it.
static const struct {
    const char *name;
    size_t value, why;
} told[] = {
#define TOLD(member) offsetof(struct api_collection, member)
    {"TotalAlloc", TOLD(total_alloc), TOLD(total_why)},
    {"NextGC", TOLD(next), TOLD(next_why)},
    {"LastGC", TOLD(last), TOLD(why)},
    {"PauseTotalNs", TOLD(pause_total), TOLD(why)},
    {"NumGC", TOLD(count), TOLD(why)},
#undef TOLD
};

// Where most of a program's memory has other books than those that are read, sums without it would
// mislead.
static const struct {
    enum runtime_kind kind;
    const char *beginning, *reader, *why; // reader: of the allocator that makes it known
} misleading[] = {
    {RUNTIME_NODE, "Heap", "V8", "objects of V8's heap are not counted"},
    {RUNTIME_NODE, "Alloc", "V8", "objects of V8's heap are not counted"},
    {RUNTIME_JVM, "Heap", "JVM", "the Java heap of this collector is not known"},
    {RUNTIME_JVM, "Alloc", "JVM", "the Java heap of this collector is not known"},
    {RUNTIME_GO, "Stack", "", "stacks of goroutines lie among objects"},
};

static bool has_allocator(const struct api_look *look, const char *name)
{
    for (size_t i = 0; look->use && i < look->use->allocator_count; i++)
        if (strcmp(look->use->allocators[i].name, name) == 0)
            return true;
    return false;
}

static const char *why_misleading(const struct api_look *look, const char *name)
{
    for (size_t i = 0; !look->runtime_why && i < ARRAY_LENGTH(misleading); i++)
        if (misleading[i].kind == look->runtime.kind &&
            strncmp(name, misleading[i].beginning, strlen(misleading[i].beginning)) == 0 &&
            !has_allocator(look, misleading[i].reader))
            return misleading[i].why;
    return NULL;
}

uint64_t api_look_memstat(const struct api_look *look, const char *name, const char **why)
{
    if ((*why = why_misleading(look, name)))
        return API_UNKNOWN;
    const char *bytes = (const char *)&look->collection;
    for (size_t i = 0; !look->collection.why && i < ARRAY_LENGTH(told); i++)
        if (strcmp(told[i].name, name) == 0) {
            memcpy(why, bytes + told[i].why, sizeof *why);
            return *(const uint64_t *)(const void *)(bytes + told[i].value);
        }
    for (const struct memory_go_row *row = memory_go_rows; row->name; row++)
        if (strcmp(row->name, name) == 0) {
            *why = row->why;
            return row->count && look->use ? row->count(look->use, why) : API_UNKNOWN;
        }
    return API_UNKNOWN;
}

double api_uptime(const struct serve_target *target)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / NS_PER_S -
           (double)target->start_time / (double)sysconf(_SC_CLK_TCK);
}

uint64_t api_cpus(pid_t pid)
{
    cpu_set_t set;
    return sched_getaffinity(pid, sizeof set, &set) == 0 ? (uint64_t)CPU_COUNT(&set) : API_UNKNOWN;
}

enum rc api_finish(struct api_json *api, struct buf *text, FILE *out, struct err *err)
{
    api_end(api);
    buf_putc(text, '\n');
    if (fwrite(text->data, 1, text->length, out) == text->length)
        return RC_OK;
    return err_sys(err, RC_IO, errno, "cannot write an answer");
}
