// SPDX-License-Identifier: MIT
// Memory and what collects it: /api/profiling/memory, gc, and /debug/stats.
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "heap/memory_print.h"
#include "serve/api_answers.h"
#include "serve/api_figures.h"
#include "serve/memory_share.h"

// --- memory ---

static const struct {
    const char *key, *name;
} in_megabytes[] = {
    {"alloc_mb", "HeapAlloc"},      {"total_alloc_mb", "TotalAlloc"}, {"sys_mb", NULL},
    {"heap_alloc_mb", "HeapAlloc"}, {"heap_sys_mb", "HeapSys"},       {"stack_mb", "StackInuse"},
};

static uint64_t resident_and_swapped(const struct memory_use *use)
{
    uint64_t rss = use->status.bytes[MEMORY_RSS], swap = use->status.bytes[MEMORY_SWAP];
    return rss == MEMORY_UNKNOWN || swap == MEMORY_UNKNOWN ? API_UNKNOWN : rss + swap;
}

static void put_details(struct api_json *api, const struct api_look *look)
{
    api_group(api, "details");
    for (size_t i = 0; i < ARRAY_LENGTH(in_megabytes); i++) {
        const char *why = NULL;
        uint64_t bytes = in_megabytes[i].name
                             ? api_look_memstat(look, in_megabytes[i].name, &why)
                             : resident_and_swapped(look->use);
        api_megabytes(api, in_megabytes[i].key, bytes, why);
    }
    api_group_end(api);
}

static void put_share(struct api_json *api, const struct memory_share *share)
{
    api_count(api, "limit", share->limit, NULL);
    api_text(api, "limit_of", share->of, NULL);
}

// The same document as of `ptprof memory --json`, in one member.
static void put_use(struct api_json *api, const struct memory_use *use)
{
    const struct memory_style style = {.looks = 1};
    memory_json_put(&api->json, "use", use, &style);
}

// The figures are those of this look.
static void fill_in(struct metrics *metrics, const struct memory_use *use)
{
    for (size_t i = 0; i < METRIC_COUNT; i++)
        metrics->values[i] = METRIC_UNKNOWN;
    metrics->values[METRIC_RSS] = use->status.bytes[MEMORY_RSS];
    metrics->values[METRIC_SWAP] = use->status.bytes[MEMORY_SWAP];
}

static void put_memory(struct api_json *api, const struct job *job, const struct api_look *look)
{
    struct metrics metrics = {0};
    struct memory_share share = memory_share_of(
        &look->use->group, look->use->status.bytes[MEMORY_RSS], memory_share_ram());
    fill_in(&metrics, look->use);
    const struct api_figures figures = {.target = job->target, .metrics = &metrics, .look = look,
                                        .memory_percent = share.percent};
    api_time(api, "timestamp", look->use->time, NULL);
    api_figures_put_memory(api, &figures);
    put_details(api, look);
    put_share(api, &share);
    put_use(api, look->use);
}

enum rc api_job_memory(const struct job *job, FILE *out, struct err *err)
{
    AUTO_BUF struct buf text = {0};
    struct api_json api;
    struct api_look look;
    enum rc rc = api_look_take(job, API_MEMORY | API_RUNTIME, &look, err);
    if (rc == RC_OK) {
        api_begin(&api, &text);
        put_memory(&api, job, &look);
        rc = api_finish(&api, &text, out, err);
    }
    api_look_fini(&look);
    return rc;
}

// --- garbage ---

static void put_pauses(struct api_json *api, const struct api_collection *from)
{
    if (from->why) {
        api_null(api, "recent_pauses_ns", from->why);
        return;
    }
    json_begin(&api->json, "recent_pauses_ns", '[');
    for (size_t i = 0; i < from->pause_count; i++)
        json_count(&api->json, NULL, from->pauses[i]);
    json_end(&api->json, '[');
}

// As Go prints a duration: "1.5ms", "2m3.5s".
static void put_duration(struct api_json *api, const char *key, uint64_t ns, const char *why)
{
    static const struct {
        uint64_t from;
        const char *unit;
        double ns;
    } units[] = {{NS_PER_S, "s", 1e9}, {NS_PER_MS, "ms", 1e6}, {NS_PER_US, "\u00b5s", 1e3}};
    char text[48];
    uint64_t minutes = ns / (60ull * NS_PER_S);
    snprintf(text, sizeof text, "%dns", (int)(ns % NS_PER_US));
    for (size_t i = ARRAY_LENGTH(units); i-- > 0;)
        if (ns >= units[i].from)
            snprintf(text, sizeof text, "%.9g%s", (double)ns / units[i].ns, units[i].unit);
    if (minutes)
        snprintf(text, sizeof text, "%dm%.9gs", (int)minutes,
                 (double)(ns - minutes * 60 * NS_PER_S) / NS_PER_S);
    api_text(api, key, ns == API_UNKNOWN ? NULL : text, why);
}

static void put_collections(struct api_json *api, const struct api_collection *from)
{
    bool any = !from->why && from->count;
    const char *never = from->why ? from->why : "nothing has been collected yet";
    api_count(api, "num_gc", from->count, from->why);
    put_duration(api, "pause_total", from->pause_total, from->why);
    api_real(api, "pause_total_ms",
             from->why ? NAN : (double)from->pause_total / NS_PER_MS, 6, from->why);
    api_time(api, "last_gc", any ? from->last : 0, never);
    api_megabytes(api, "next_gc_mb", from->next, from->why ? from->why : from->next_why);
    api_real(api, "gc_cpu_fraction", from->cpu_fraction, 9,
             from->why ? from->why : from->fraction_why);
    put_pauses(api, from);
    api_real(api, "avg_pause_ns", any ? (double)from->pause_total / (double)from->count : NAN, 0,
             never);
    api_text(api, "source", from->why ? NULL : from->source, from->why);
}

static void put_jvm(struct api_json *api, const struct hsperf *hsperf)
{
    if (!hsperf->frequency)
        return;
    api_group(api, "jvm");
    json_text(&api->json, "policy", hsperf->policy);
    json_count(&api->json, "used_after_last_gc", hsperf->used);
    json_count(&api->json, "capacity", hsperf->capacity);
    api_list(api, "collectors");
    for (size_t i = 0; i < HSPERF_COLLECTORS; i++) {
        const struct hsperf_collector *each = &hsperf->collectors[i];
        if (!*each->name)
            continue;
        api_item(api);
        json_text(&api->json, "name", each->name);
        json_count(&api->json, "count", each->count);
        json_count(&api->json, "time_ns", hsperf_ns(hsperf, each->time));
        api_item_end(api);
    }
    api_list_end(api);
    api_group_end(api);
}

static void put_figure(struct api_json *api, const char *key, const struct heap_figures *figures,
                       enum figure figure)
{
    const char *why = figures->why[figure];
    api_count(api, key, figures->known[figure] ? figures->value[figure] : API_UNKNOWN,
              why ? why : "its books do not say it");
}

// The first one is the one that most blocks come from: what others have, /memory tells.
static void put_allocator(struct api_json *api, const struct memory_use *use)
{
    if (!use->allocator_count) {
        api_null(api, "allocator", *use->allocators_why ? use->allocators_why
                                                        : "no allocator's books were found");
        return;
    }
    const struct memory_allocator *allocator = &use->allocators[0];
    api_group(api, "allocator");
    json_text(&api->json, "name", allocator->name);
    json_text(&api->json, "version", allocator->version);
    put_figure(api, "arenas", &allocator->figures, FIGURE_ARENAS);
    put_figure(api, "free", &allocator->figures, FIGURE_FREE);
    api_null(api, "top", "free blocks at the end of arenas are counted with the free ones");
    put_figure(api, "trimmable", &allocator->figures, FIGURE_TRIMMABLE);
    api_group_end(api);
}

enum rc api_job_collection(const struct job *job, FILE *out, struct err *err)
{
    AUTO_BUF struct buf text = {0};
    struct api_json api;
    struct api_look look;
    enum rc rc = api_look_take(job, API_MEMORY | API_RUNTIME, &look, err);
    if (rc == RC_OK) {
        api_begin(&api, &text);
        api_time(&api, "timestamp", look.use->time, NULL);
        put_collections(&api, &look.collection);
        put_jvm(&api, &look.hsperf);
        put_allocator(&api, look.use);
        rc = api_finish(&api, &text, out, err);
    }
    api_look_fini(&look);
    return rc;
}

// --- Go's MemStats ---

static void put_memstats(struct api_json *api, const struct api_look *look)
{
    api_group(api, "memstats");
    for (const struct memory_go_row *row = memory_go_rows; row->name; row++) {
        const char *why = NULL;
        uint64_t value = api_look_memstat(look, row->name, &why);
        api_count(api, row->name, value, why);
    }
    api_group_end(api);
}

enum rc api_job_stats(const struct job *job, FILE *out, struct err *err)
{
    AUTO_BUF struct buf text = {0};
    struct api_json api;
    struct api_look look;
    enum rc rc = api_look_take(job, API_MEMORY | API_RUNTIME | API_VERSIONS, &look, err);
    if (rc == RC_OK) {
        const char *version = look.runtime.kind == RUNTIME_GO ? look.runtime.version : "";
        AUTO_FREE char *go = xasprintf("go%s", version);
        api_begin(&api, &text);
        api_time(&api, "timestamp", look.use->time, NULL);
        json_number(&api.json, "pid", job->pid);
        api_text(&api, "go_version", *version ? go : NULL, "it is no program of Go's");
        api_count(&api, "num_cpu", api_cpus(job->pid), "the process has ended");
        api_count(&api, "num_goroutine", look.use->status.threads, NULL);
        api_null(&api, "num_cgo_call",
                 "calls from Go to C are counted inside of the program only");
        api_real(&api, "uptime_seconds", api_uptime(job->target), 3, NULL);
        put_memstats(&api, &look);
        rc = api_finish(&api, &text, out, err);
    }
    api_look_fini(&look);
    return rc;
}
