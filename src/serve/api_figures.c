// SPDX-License-Identifier: MIT
#include "serve/api_figures.h"

#include <math.h>

#include "base/clock.h"
#include "base/mem.h"
#include "serve/api_answers.h"
#include "serve/collector_state.h"
#include "serve/memory_share.h"
#include "serve/metrics_json.h"

#define SAMPLES_USUAL 100
#define SAMPLES_MOST 1000

static const char not_asked[] = "books of allocators and collectors are read on request only, by "
                                "metrics, memory and gc";
static const char requests[] = "requests are known inside of the program only";

// --- one reading ---

static uint64_t value_of(const struct metrics *metrics, enum metric metric)
{
    return metrics && metrics->values[metric] != METRIC_UNKNOWN ? metrics->values[metric]
                                                                : API_UNKNOWN;
}

static uint64_t sum_of(uint64_t a, uint64_t b)
{
    return a == API_UNKNOWN || b == API_UNKNOWN ? API_UNKNOWN : a + b;
}

uint64_t api_figures_now(const struct serve_target *target, enum metric metric)
{
    return history_count(target->history) ? value_of(history_get(target->history, 0), metric)
                                          : API_UNKNOWN;
}

// Which of Go's MemStats is told under which name.
static const struct {
    const char *key, *name; // NULL: what the kernel says that it has in all
} of_memory[] = {
    {"alloc", "HeapAlloc"},       {"total_alloc", "TotalAlloc"}, {"sys", NULL},
    {"heap_alloc", "HeapAlloc"},  {"heap_sys", "HeapSys"},       {"heap_inuse", "HeapInuse"},
    {"heap_idle", "HeapIdle"},    {"stack_inuse", "StackInuse"}, {"stack_sys", "StackSys"},
};

void api_figures_put_memory(struct api_json *api, const struct api_figures *figures)
{
    uint64_t rss = value_of(figures->metrics, METRIC_RSS);
    uint64_t swap = value_of(figures->metrics, METRIC_SWAP);
    api_group(api, "memory");
    for (size_t i = 0; i < ARRAY_LENGTH(of_memory); i++) {
        const char *why = not_asked;
        uint64_t value = API_UNKNOWN;
        if (!of_memory[i].name)
            value = sum_of(rss, swap), why = "its status does not say it, or has not been read yet";
        else if (figures->look)
            value = api_look_memstat(figures->look, of_memory[i].name, &why);
        api_count(api, of_memory[i].key, value, why);
    }
    api_real(api, "usage_percent", figures->memory_percent, 2,
             "what it may have now need not be what it might have had then");
    api_group_end(api);
}

static void put_cpu(struct api_json *api, const struct api_figures *figures)
{
    api_group(api, "cpu");
    api_count(api, "num_cpu", api_cpus(figures->target->pid), "the process has ended");
    api_count(api, "num_goroutine", value_of(figures->metrics, METRIC_THREADS),
              "there is no reading yet");
    api_null(api, "num_cgo_call", "calls from Go to C are counted inside of the program only");
    api_group_end(api);
}

static void put_collections(struct api_json *api, const struct api_figures *figures)
{
    static const struct api_collection unknown = {
        .why = not_asked, .count = API_UNKNOWN, .pause_total = API_UNKNOWN,
        .last_pause = API_UNKNOWN, .next = API_UNKNOWN,
    };
    const struct api_collection *from = figures->look ? &figures->look->collection : &unknown;
    double uptime = api_uptime(figures->target);
    bool known = from->pause_total != API_UNKNOWN && uptime > 0;
    api_group(api, "gc");
    api_count(api, "num_gc", from->count, from->why);
    api_count(api, "pause_total_ns", from->pause_total, from->why);
    api_count(api, "last_pause_ns", from->last_pause,
              from->why ? from->why : "nothing has been collected yet");
    api_real(api, "pause_percent",
             known ? (double)from->pause_total * 100 / NS_PER_S / uptime : NAN, 4, from->why);
    api_count(api, "next_gc", from->next, from->why ? from->why : from->next_why);
    api_group_end(api);
}

static void put_figures(struct api_json *api, const struct api_figures *figures)
{
    api_group(api, "metrics");
    api_figures_put_memory(api, figures);
    put_cpu(api, figures);
    api_count(api, "goroutines", value_of(figures->metrics, METRIC_THREADS),
              "there is no reading yet");
    put_collections(api, figures);
    api_null(api, "request_rate", requests);
    api_null(api, "error_rate", requests);
    if (figures->metrics)
        metrics_json(api, figures->metrics, figures->before);
    api_group_end(api);
}

// --- now ---

static double share_now(pid_t pid, uint64_t rss)
{
    struct memory_group group;
    memory_group_read(&group, "", pid);
    struct memory_share share = memory_share_of(&group, rss, memory_share_ram());
    memory_group_fini(&group);
    return share.percent;
}

// The newest reading is at most one interval old. Before the first, a job makes one for itself.
enum rc api_job_figures(const struct job *job, FILE *out, struct err *err)
{
    static const struct metrics_wish wish = {.threads_budget = NS_PER_MS};
    AUTO_BUF struct buf text = {0};
    struct api_json api;
    struct api_look look;
    struct history *history = job->target->history;
    if (!history_count(history) && history_read(history, job->pid, &wish) != RC_OK)
        return err_set(err, RC_GONE, "%s has ended", job->target->id);
    enum rc rc = api_look_take(job, API_MEMORY | API_RUNTIME, &look, err);
    if (rc == RC_OK) {
        const struct metrics *newest = history_get(history, 0);
        const struct api_figures figures = {
            .target = job->target,
            .metrics = newest,
            .before = history_before(history, 0),
            .look = &look,
            .memory_percent = share_now(job->pid, newest->values[METRIC_RSS]),
        };
        api_begin(&api, &text);
        api_time(&api, "timestamp", newest->wall, NULL);
        put_figures(&api, &figures);
        api_real(&api, "uptime", api_uptime(job->target), 3, NULL);
        rc = api_finish(&api, &text, out, err);
    }
    api_look_fini(&look);
    return rc;
}

// --- the past ---

static void put_sample(struct api_json *api, const struct serve_target *target, size_t back)
{
    const struct api_figures figures = {
        .target = target,
        .metrics = history_get(target->history, back),
        .before = history_before(target->history, back),
        .memory_percent = NAN,
    };
    api_item(api);
    api_time(api, "timestamp", figures.metrics->wall, NULL);
    put_figures(api, &figures);
    api_item_end(api);
}

enum rc api_collect_history(struct collector *collector, struct serve_target *target,
                            const struct ask *ask, struct buf *out, struct err *err)
{
    struct api_json api;
    size_t count = ask->count ? ask->count : SAMPLES_USUAL, have = history_count(target->history);
    (void)collector, (void)err;
    count = count < SAMPLES_MOST ? count : SAMPLES_MOST;
    count = count < have ? count : have;
    api_begin(&api, out);
    api_list(&api, "samples");
    for (size_t back = count; back-- > 0;) {
        api.quiet = back + 1 < count && history_before(target->history, back);
        put_sample(&api, target, back);
    }
    api.quiet = false;
    api_list_end(&api);
    json_count(&api.json, "count", count);
    api_real(&api, "uptime", api_uptime(target), 3, NULL);
    api_end(&api);
    buf_putc(out, '\n');
    return RC_OK;
}
