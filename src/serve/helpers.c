// SPDX-License-Identifier: MIT
#include "serve/helpers.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "serve/deadlock_look.h"
#include "serve/job.h"
#include "serve/runner.h"
#include "serve/runner_answer.h"
#include "serve/target_report.h"
#include "serve/who_answers.h"

#define LOOKS_MOST 64 // at one time

static struct helper *add_helper(struct collector *collector, struct serve_target *target,
                                 const struct ask *ask, bool is_runner)
{
    struct helper *helper = xcalloc(1, sizeof *helper);
    helper->target = target;
    helper->pid = target->pid;
    helper->about = *ask;
    helper->is_runner = is_runner;
    target->users++;
    if (is_runner)
        target_report_begin(target);
    ARRAY_RESERVE(collector->helpers, collector->helper_count, collector->helper_capacity);
    collector->helpers[collector->helper_count++] = helper;
    return helper;
}

void helpers_forget(struct collector *collector, struct helper *helper)
{
    for (size_t i = 0; i < collector->helper_count; i++)
        if (collector->helpers[i] == helper)
            collector->helpers[i--] = collector->helpers[--collector->helper_count];
    if (helper->is_runner)
        target_report_end(helper->target);
    worker_process_close(&helper->process);
    helper->target->users--;
    free(helper);
}

static enum rc start_runner(struct collector *collector, struct helper *helper, struct err *err)
{
    const struct serve_target *target = helper->target;
    const int kept[] = {target->kept[0], target->kept[1], -1};
    const struct runner_config config = {
        .pid = target->pid,
        .rate = collector->settings.profiles.rate,
        .min_block = collector->settings.profiles.min_block,
        .linger_waits = collector->settings.profiles.linger_waits,
        .linger_views = collector->settings.profiles.linger_views,
        .kept = {target->kept[0], target->kept[1]},
    };
    return worker_process_start(&helper->process, "ptprof-runner", kept[0] < 0 ? kept + 1 : kept,
                                runner_serve, &config, err);
}

static enum rc start_job(struct collector *collector, struct helper *helper, int text,
                         struct err *err)
{
    if (!helper->target->deadlock)
        helper->target->deadlock = deadlock_look_new();
    const struct job job = {.ask = helper->about, .pid = helper->target->pid,
                            .target = helper->target, .text = text,
                            .settings = &collector->settings};
    const int kept[] = {text, -1};
    return worker_process_start(&helper->process, "ptprof-job", kept, job_serve, &job, err);
}

// A job that has begun for the same question answers this one too.
static bool answers_too(const struct helper *helper, const struct ask *ask)
{
    const struct ask *about = &helper->about;
    return about->what == ask->what && about->form == ask->form && !about->window &&
           !ask->window && ask->what != ASK_SYMBOL;
}

struct helper *helpers_find(const struct collector *collector, const struct serve_target *target,
                            const struct ask *ask)
{
    bool is_runner = who_answers[ask->what].by == BY_RUNNER;
    for (size_t i = 0; i < collector->helper_count; i++) {
        struct helper *helper = collector->helpers[i];
        if (helper->target == target && helper->pid == target->pid &&
            helper->is_runner == is_runner && (is_runner || answers_too(helper, ask)))
            return helper;
    }
    return NULL;
}

// --- how many there may be ---

bool helpers_is_look(const struct helper *helper)
{
    return !helper->is_runner && who_answers[helper->about.what].by == BY_LOOK;
}

void helpers_note_use(const struct collector *collector, struct helper *helper,
                      const struct ask *ask)
{
    const struct serve_settings *settings = &collector->settings;
    bool is_view = ask->what == ASK_VIEW || ask->what == ASK_FLAME;
    int64_t linger = runner_answer_keeps(ask) < RUNNER_KEPT ? settings->profiles.linger_waits
                     : is_view                              ? settings->profiles.linger_views
                                                            : 0;
    int64_t until = clock_now() + ask->window + linger;
    if (until > helper->samples_until)
        helper->samples_until = until;
    helper->gives_way = false;
}

bool helpers_has_waiting(const struct collector *collector, const struct helper *helper)
{
    for (size_t i = 0; i < collector->waiting_count; i++)
        if (collector->waiting[i].helper == helper)
            return true;
    return false;
}

// Returns the one that has sampled nothing for longest; NULL: all do.
static struct helper *longest_idle(const struct collector *collector)
{
    struct helper *found = NULL;
    int64_t until = clock_now();
    for (size_t i = 0; i < collector->helper_count; i++) {
        struct helper *helper = collector->helpers[i];
        if (!helper->is_runner || helper->gives_way || helper->samples_until >= until ||
            helpers_has_waiting(collector, helper))
            continue;
        until = helper->samples_until;
        found = helper;
    }
    return found;
}

static size_t count_of(const struct collector *collector, bool looks)
{
    size_t count = 0;
    for (size_t i = 0; i < collector->helper_count; i++)
        count += helpers_is_look(collector->helpers[i]) == looks &&
                 !collector->helpers[i]->gives_way;
    return count;
}

// It hands over what it has counted before it goes.
static bool make_way(struct collector *collector)
{
    const struct ask finish = {.what = ASK_FINISH};
    struct helper *idle = longest_idle(collector);
    if (!idle)
        return false;
    idle->gives_way = true;
    (void)worker_process_send(&idle->process, &finish, sizeof finish, -1);
    return true;
}

static enum rc has_room(struct collector *collector, const struct ask *ask, struct err *err)
{
    bool is_look = who_answers[ask->what].by == BY_LOOK;
    uint64_t most = is_look ? LOOKS_MOST : collector->settings.profiles.runs_most;
    if (count_of(collector, is_look) < most || (!is_look && make_way(collector)))
        return RC_OK;
    return err_set(err, RC_LIMIT, "%zu processes are looked into now: try again later",
                   (size_t)most);
}

enum rc helpers_start(struct collector *collector, struct serve_target *target,
                      const struct ask *ask, int text, struct helper **helper, struct err *err)
{
    bool is_runner = who_answers[ask->what].by == BY_RUNNER;
    enum rc rc = has_room(collector, ask, err);
    if (rc != RC_OK)
        return rc;
    *helper = add_helper(collector, target, ask, is_runner);
    rc = is_runner ? start_runner(collector, *helper, err)
                   : start_job(collector, *helper, text, err);
    if (rc != RC_OK)
        helpers_forget(collector, *helper);
    return rc;
}
