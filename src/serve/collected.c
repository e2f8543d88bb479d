// SPDX-License-Identifier: MIT
#include "serve/collected.h"

#include "base/figures.h"
#include "base/json.h"
#include "process/procfs.h"
#include "serve/collector_state.h"
#include "serve/metrics_json.h"

// There is a NUL behind the last argument, and behind one that is empty two. More are what is left
// of the room of a program that has written its own title there.
static void cut_end(struct buf *arguments)
{
    size_t nuls = 0;
    while (nuls < arguments->length && !arguments->data[arguments->length - nuls - 1])
        nuls++;
    arguments->length -= nuls > 2 ? nuls : nuls > 0;
}

enum rc collected_cmdline(struct collector *collector, struct serve_target *target,
                          const struct ask *ask, struct buf *out, struct err *err)
{
    (void)collector, (void)ask;
    if (target_facts_arguments(target->pid, out))
        return RC_OK;
    if (target_check(target), target->ended_at)
        return err_set(err, RC_GONE, "%s has ended", target->id);
    cut_end(out);
    return RC_OK;
}

enum rc collected_index(struct collector *collector, struct serve_target *target,
                        const struct ask *ask, struct buf *out, struct err *err)
{
    struct proc_stat stat;
    (void)collector, (void)ask;
    if (procfs_stat(target->pid, target->pid, &stat) != RC_OK)
        return err_set(err, RC_GONE, "%s has ended", target->id);
    buf_printf(out, "%d %ld %s", (int)target->pid, stat.threads, target->id);
    return RC_OK;
}

static void put_reading(struct api_json *api, const struct history *history, size_t back)
{
    api_item(api);
    metrics_json(api, history_get(history, back), history_before(history, back));
    api_item_end(api);
}

enum rc collected_event(struct collector *collector, struct serve_target *target,
                        const struct ask *ask, struct buf *out, struct err *err)
{
    struct api_json api = {.json = {.out = out}, .quiet = true};
    size_t count = history_count(target->history);
    (void)collector, (void)ask;
    if (target->ended_at || !count)
        return err_set(err, RC_GONE, "%s (%d) has ended", target->id, (int)target->pid);
    put_reading(&api, target->history, 0);
    return RC_OK;
}

enum rc collected_series(struct collector *collector, struct serve_target *target,
                         const struct ask *ask, struct buf *out, struct err *err)
{
    struct api_json api = {.json = {.out = out}, .quiet = true};
    size_t count = history_count(target->history);
    (void)collector, (void)err;
    count = ask->count && ask->count < count ? ask->count : count;
    api_item(&api);
    api_list(&api, "samples");
    while (count-- > 0)
        put_reading(&api, target->history, count);
    api_list_end(&api);
    api_item_end(&api);
    return RC_OK;
}

static void put_target(struct json *json, const struct serve_target *target)
{
    char since[FIGURES_MOST];
    json_line(json);
    json_begin(json, NULL, '{');
    json_text(json, "id", target->id);
    json_number(json, "pid", target->pid);
#define X(name, key, text) json_text(json, #key, target->facts.key);
    TARGET_FACTS(X)
#undef X
    json_text(json, "rule", target->rule ? rule_text(target->rule) : "");
    json_text(json, "state", target->ended_at ? "ended" : target->denied ? "not permitted"
                                                                        : "running");
    json_bool(json, "running", !target->ended_at);
    json_text(json, "why", target->ended_at ? "" : target->denied);
    json_text(json, "since", figures_date(target->since, since));
    json_count(json, "restarts", target->restarts);
    json_end(json, '{');
}

enum rc collected_targets(struct collector *collector, struct serve_target *target,
                          const struct ask *ask, struct buf *out, struct err *err)
{
    const struct target_list *list = &collector->targets;
    struct json json = {.out = out};
    (void)target, (void)ask, (void)err;
    json_begin(&json, NULL, '{');
    json_text(&json, "prefix", collector->settings.http.prefix);
    json_count(&json, "left_out", list->left_out);
    json_begin(&json, "targets", '[');
    for (size_t i = 0; i < list->count; i++)
        put_target(&json, list->targets[i]);
    json_end(&json, '[');
    json_end(&json, '{');
    buf_putc(out, '\n');
    return RC_OK;
}
