// SPDX-License-Identifier: MIT
// /sd: targets for the HTTP service discovery of Prometheus, which Alloy and Parca have too. Labels
// that begin with "__param_" are the query of what is scraped: one target of ours.
#include "serve/collected.h"

#include <stdio.h>

#include "base/json.h"
#include "base/mem.h"
#include "serve/collector_state.h"
#include "serve/who_answers.h"

static const enum ask_what profiles[] = {ASK_PROFILE, ASK_WALL, ASK_BLOCK, ASK_MUTEX, ASK_THREADS,
                                         ASK_THREADCREATE, ASK_HEAP};

// As lists in labels are: with a comma at both ends, so that an expression can look for ",heap,".
static void put_profiles(const struct collector *collector, struct json *json)
{
    AUTO_BUF struct buf text = {0};
    buf_putc(&text, ',');
    for (size_t i = 0; i < ARRAY_LENGTH(profiles); i++)
        if (who_answers[profiles[i]].by != BY_NOBODY &&
            !(collector->settings.profiles.off >> profiles[i] & 1))
            buf_printf(&text, "%s,", ask_words[profiles[i]]);
    json_text(json, "__meta_ptprof_profiles", text.data);
}

static void put_fact(struct json *json, const char *key, const char *fact)
{
    if (fact && *fact)
        json_text(json, key, fact);
}

static void put_labels(const struct collector *collector, const struct serve_target *target,
                       struct json *json)
{
    char pid[16];
    snprintf(pid, sizeof pid, "%d", (int)target->pid);
    json_text(json, "__metrics_path__", "/metrics");
    json_text(json, "__param_target", target->id);
    json_text(json, "service_name", target->id);
    json_text(json, "__meta_ptprof_target", target->id);
    json_text(json, "__meta_ptprof_pid", pid);
    json_text(json, "__meta_ptprof_comm", target->facts.comm);
    put_profiles(collector, json);
    put_fact(json, "__meta_ptprof_exe", target->facts.exe);
    put_fact(json, "__meta_ptprof_user", target->facts.user);
    put_fact(json, "__meta_ptprof_unit", target->facts.unit);
    put_fact(json, "__meta_ptprof_container", target->facts.container);
}

static void put_target(const struct collector *collector, const struct serve_target *target,
                       const char *host, struct json *json)
{
    json_begin(json, NULL, '{');
    json_begin(json, "targets", '[');
    json_text(json, NULL, host);
    json_end(json, '[');
    json_begin(json, "labels", '{');
    put_labels(collector, target, json);
    json_end(json, '{');
    json_end(json, '{');
}

enum rc collected_discovery(struct collector *collector, struct serve_target *target,
                            const struct ask *ask, struct buf *out, struct err *err)
{
    struct json json = {.out = out};
    (void)target, (void)err;
    json_begin(&json, NULL, '[');
    for (size_t i = 0; i < collector->targets.count; i++) {
        const struct serve_target *each = collector->targets.targets[i];
        if (!each->ended_at && !each->denied)
            put_target(collector, each, ask->text, &json);
    }
    json_end(&json, '[');
    return RC_OK;
}
