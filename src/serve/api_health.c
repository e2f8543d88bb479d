// SPDX-License-Identifier: MIT
// Whether a target is well: /api/profiling/health.
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "serve/api_answers.h"
#include "serve/api_figures.h"
#include "serve/deadlock_look.h"
#include "serve/health.h"
#include "serve/memory_share.h"

static const char *const deadlock_words[] = {
    [HEALTH_DEADLOCK_UNKNOWN] = NULL,
    [HEALTH_DEADLOCK_NONE] = "none",
    [HEALTH_DEADLOCK_PROBABLE] = "probable",
    [HEALTH_DEADLOCK_CERTAIN] = "certain",
};

// All beside `status`, `timestamp`, `uptime_seconds`, `memory_usage_pct`, `num_goroutines` and
// `issues` is our own.

static void put_issues(struct api_json *api, const struct health *health)
{
    json_begin(&api->json, "issues", '[');
    for (size_t i = 0; i < health->count; i++)
        json_text(&api->json, NULL, health->issues[i].text);
    json_end(&api->json, '[');
    json_begin(&api->json, "rules", '[');
    for (size_t i = 0; i < health->count; i++) {
        json_begin(&api->json, NULL, '{');
        json_text(&api->json, "rule", health->issues[i].rule);
        json_text(&api->json, "status", health_words[health->issues[i].status]);
        json_text(&api->json, "text", health->issues[i].text);
        json_end(&api->json, '{');
    }
    json_end(&api->json, '[');
}

static void put_deadlock(struct api_json *api, const struct deadlock_look *look)
{
    api_group(api, "deadlock");
    bool known = look && look->at && deadlock_words[look->found];
    const char *why = look && look->at && *look->text ? look->text : "it is being looked for";
    api_text(api, "verdict", known ? deadlock_words[look->found] : NULL, why);
    api_text(api, "text", known ? look->text : NULL, why);
    api_count(api, "threads", known ? look->threads : API_UNKNOWN, why);
    api_count(api, "threads_not_read", known ? look->unread : API_UNKNOWN, why);
    api_real(api, "age_seconds",
             known ? (double)(clock_now() - look->at) / NS_PER_S : NAN, 3, why);
    api_group_end(api);
}

static void put_trend(struct api_json *api, const char *key, const struct trend *trend)
{
    if (!trend->points) {
        api_null(api, key, "the history is too short to tell");
        return;
    }
    api_group(api, key);
    api_real(api, "per_minute", trend->slope * 60, 3, NULL);
    api_real(api, "late_per_minute", trend->late_slope * 60, 3, NULL);
    api_real(api, "steadiness", trend->steady, 3, NULL);
    api_real(api, "level", trend->level, 0, NULL);
    json_count(&api->json, "readings", trend->points);
    api_real(api, "seconds", trend->span, 3, NULL);
    api_group_end(api);
}

static struct memory_share share_of(pid_t pid, uint64_t rss)
{
    struct memory_group group;
    memory_group_read(&group, "", pid);
    struct memory_share share = memory_share_of(&group, rss, memory_share_ram());
    memory_group_fini(&group);
    return share;
}

static void put_health(struct api_json *api, const struct job *job, const struct health *health,
                       const struct memory_share *share)
{
    json_text(&api->json, "status", health_words[health->status]);
    api_time(api, "timestamp", clock_wall(), NULL);
    api_real(api, "uptime_seconds", api_uptime(job->target), 3, NULL);
    api_real(api, "memory_usage_pct", share->percent, 2, "there is no reading yet");
    api_text(api, "memory_usage_of", share->of, NULL);
    api_count(api, "num_goroutines", api_figures_now(job->target, METRIC_THREADS),
              "there is no reading yet");
    put_issues(api, health);
    put_deadlock(api, job->target->deadlock);
    api_group(api, "trends");
    put_trend(api, "resident_bytes", &health->memory);
    put_trend(api, "threads", &health->threads);
    api_group_end(api);
}

enum rc api_job_health(const struct job *job, FILE *out, struct err *err)
{
    AUTO_BUF struct buf text = {0};
    struct api_json api;
    struct health health;
    struct deadlock_look *look = job->target->deadlock;
    struct memory_share share = share_of(job->pid, api_figures_now(job->target, METRIC_RSS));
    if (look)
        deadlock_look_take(look, job->target, job->settings->health.look, job_is_over,
                           (void *)job);
    const struct health_facts facts = {
        .memory_percent = share.percent,
        .memory_of = share.of,
        .deadlock = look && look->at ? look->found : HEALTH_DEADLOCK_UNKNOWN,
        .deadlock_text = look ? look->text : "",
        .history = job->target->history,
        .since = clock_wall() - (int64_t)(api_uptime(job->target) * NS_PER_S),
    };
    health_judge(job->settings, &facts, &health);
    api_begin(&api, &text);
    put_health(&api, job, &health, &share);
    return api_finish(&api, &text, out, err);
}
