// SPDX-License-Identifier: MIT
#include "serve/helpers.h"

#include <stdlib.h>

#include "base/mem.h"
#include "serve/deadlock_look.h"
#include "serve/job.h"
#include "serve/runner.h"
#include "serve/target_report.h"
#include "serve/who_answers.h"

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

enum rc helpers_start(struct collector *collector, struct serve_target *target,
                      const struct ask *ask, int text, struct helper **helper, struct err *err)
{
    bool is_runner = who_answers[ask->what].by == BY_RUNNER;
    uint64_t most = collector->settings.profiles.runs_most;
    if (collector->helper_count >= most)
        return err_set(err, RC_LIMIT, "%zu processes are looked into now: try again later",
                       (size_t)most);
    *helper = add_helper(collector, target, ask, is_runner);
    enum rc rc = is_runner ? start_runner(collector, *helper, err)
                           : start_job(collector, *helper, text, err);
    if (rc != RC_OK)
        helpers_forget(collector, *helper);
    return rc;
}
