// SPDX-License-Identifier: MIT
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "serve/collector_state.h"
#include "serve/deadlock_look.h"
#include "serve/job.h"
#include "serve/log.h"
#include "serve/runner.h"
#include "serve/target_report.h"
#include "serve/who_answers.h"

#define LINGER_VIEWS (10ll * NS_PER_S)
#define HELPERS_MOST 256 // processes at one time

static bool is_of(const struct collector *collector, const struct worker_process *front,
                  uint32_t id)
{
    bool is_new = id >> COLLECTOR_FRONT_BITS == collector->front_number;
    return is_new == (front == &collector->front);
}

static void reply(struct collector *collector, const struct answer_head *answer, int memory)
{
    struct worker_process *front = &collector->front;
    if (!is_of(collector, front, answer->id))
        front = &collector->leaving;
    if (front->pid)
        (void)answer_send(front->channel, answer, memory);
}

static void refuse(struct collector *collector, uint32_t id, enum rc rc, const struct err *err)
{
    struct answer_head answer = {.id = id, .rc = rc};
    memcpy(answer.text, err->text, sizeof answer.text);
    reply(collector, &answer, -1);
}

// --- at once ---

static void collect(struct collector *collector, struct serve_target *target,
                    const struct ask *ask)
{
    const struct who_answers *who = &who_answers[ask->what];
    struct answer_head answer = {.id = ask->id, .fresh_ms = who->fresh_ms};
    AUTO_BUF struct buf text = {0};
    struct err err = {0};
    int memory = -1;
    answer.rc = who->collect(collector, target, ask, &text, &err);
    answer.unknown = answer.rc == RC_GONE && !target; // of those that it asks about
    memcpy(answer.text, err.text, sizeof answer.text);
    if (answer.rc == RC_OK && (memory = answer_memory()) >= 0) {
        if (text.length && write(memory, text.data, text.length) != (ssize_t)text.length)
            answer.rc = RC_LIMIT;
        answer.size = answer_seal(memory);
    }
    reply(collector, &answer, memory);
    cleanup_fd(&memory);
}

// --- by a process ---

static struct helper *add_helper(struct collector *collector, struct serve_target *target,
                                 const struct ask *ask, bool is_runner)
{
    struct helper *helper = xcalloc(1, sizeof *helper);
    helper->target = target;
    helper->about = *ask;
    helper->is_runner = is_runner;
    if (is_runner)
        target_report_begin(target);
    ARRAY_RESERVE(collector->helpers, collector->helper_count, collector->helper_capacity);
    collector->helpers[collector->helper_count++] = helper;
    return helper;
}

static enum rc start_runner(struct collector *collector, struct helper *helper, struct err *err)
{
    struct serve_target *target = helper->target;
    const int kept[] = {target->kept[0], target->kept[1], -1};
    // Descriptors that are not there end the list early.
    const int *first = kept[0] < 0 ? kept + 1 : kept;
    struct runner_config config = {
        .pid = target->pid,
        .rate = collector->settings.profiles.rate,
        .linger_waits = collector->settings.profiles.linger_waits,
        .linger_views = LINGER_VIEWS,
        .kept = {target->kept[0], target->kept[1]},
    };
    return worker_process_start(&helper->process, "ptprof-runner", first, runner_serve, &config,
                                err);
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
static struct helper *find_helper(struct collector *collector, const struct serve_target *target,
                                  const struct ask *ask, bool is_runner)
{
    for (size_t i = 0; i < collector->helper_count; i++) {
        struct helper *helper = collector->helpers[i];
        if (helper->target != target || helper->is_runner != is_runner || helper->finishes)
            continue;
        if (is_runner || (helper->about.what == ask->what && helper->about.form == ask->form &&
                          !ask->window && !helper->about.window && ask->what != ASK_SYMBOL))
            return helper;
    }
    return NULL;
}

static void forget_helper(struct collector *collector, struct helper *helper)
{
    for (size_t i = 0; i < collector->helper_count; i++)
        if (collector->helpers[i] == helper)
            collector->helpers[i--] = collector->helpers[--collector->helper_count];
    if (helper->is_runner)
        target_report_end(helper->target);
    worker_process_close(&helper->process);
    free(helper);
}

static void await(struct collector *collector, struct helper *helper, const struct ask *ask)
{
    ARRAY_RESERVE(collector->waiting, collector->waiting_count, collector->waiting_capacity);
    collector->waiting[collector->waiting_count++] = (struct waiting){
        .helper = helper, .front_id = ask->id, .id = ++collector->last_id};
    struct ask passed = *ask;
    passed.id = collector->last_id;
    if (helper->is_runner)
        (void)ask_send(helper->process.channel, &passed, -1);
}

static void ask_process(struct collector *collector, struct serve_target *target,
                        const struct ask *ask, int text)
{
    bool is_runner = who_answers[ask->what].by == BY_RUNNER;
    struct helper *helper = find_helper(collector, target, ask, is_runner);
    struct err err = {0};
    enum rc rc = RC_OK;
    if (!helper && collector->helper_count == HELPERS_MOST)
        rc = err_set(&err, RC_LIMIT, "%d processes are looked at now: try again later",
                     HELPERS_MOST);
    if (!helper && rc == RC_OK) {
        helper = add_helper(collector, target, ask, is_runner);
        rc = is_runner ? start_runner(collector, helper, &err)
                       : start_job(collector, helper, text, &err);
        if (rc != RC_OK)
            forget_helper(collector, helper);
    }
    if (rc == RC_OK)
        await(collector, helper, ask);
    else
        refuse(collector, ask->id, rc, &err);
}

// --- when the next reading is there ---

static void await_reading(struct collector *collector, struct serve_target *target,
                          const struct ask *ask)
{
    ARRAY_RESERVE(collector->waiting, collector->waiting_count, collector->waiting_capacity);
    collector->waiting[collector->waiting_count++] =
        (struct waiting){.target = target, .front_id = ask->id};
}

void questions_tell(struct collector *collector)
{
    for (size_t i = 0; i < collector->waiting_count; i++) {
        struct waiting told = collector->waiting[i];
        if (told.helper)
            continue;
        const struct ask ask = {.id = told.front_id, .what = ASK_EVENT};
        collector->waiting[i--] = collector->waiting[--collector->waiting_count];
        collect(collector, told.target, &ask);
    }
}

// --- questions ---

static bool anybody_waits(const struct collector *collector, const struct helper *helper)
{
    for (size_t i = 0; i < collector->waiting_count; i++)
        if (collector->waiting[i].helper == helper)
            return true;
    return false;
}

// A job that nobody waits for is closed: it notices that and ends.
static void drop(struct collector *collector, struct helper *helper, uint32_t id)
{
    const struct ask cancel = {.id = id, .what = ASK_CANCEL};
    if (helper->is_runner)
        (void)ask_send(helper->process.channel, &cancel, -1);
    else if (!anybody_waits(collector, helper))
        forget_helper(collector, helper);
}

static void cancel(struct collector *collector, uint32_t front_id)
{
    for (size_t i = 0; i < collector->waiting_count; i++)
        if (collector->waiting[i].front_id == front_id) {
            struct waiting gone = collector->waiting[i];
            collector->waiting[i--] = collector->waiting[--collector->waiting_count];
            if (gone.helper)
                drop(collector, gone.helper, gone.id);
        }
}

// *target: NULL for questions about all. What has ended was a target, and others never were one.
static enum rc find_target(struct collector *collector, const struct ask *ask,
                           struct serve_target **target, struct err *err)
{
    const struct who_answers *who = &who_answers[ask->what];
    *target = NULL;
    if (who->by == BY_NOBODY)
        return err_set(err, RC_ABSENT, "this cannot be had yet");
    if (!who->of_target)
        return RC_OK;
    *target = target_list_find(&collector->targets, ask->target, err);
    if (!*target)
        return RC_GONE;
    if ((*target)->ended_at && !who->of_ended)
        return err_set(err, RC_GONE, "%s (%d) has ended", (*target)->id, (int)(*target)->pid);
    return RC_OK;
}

static void pass_on(struct collector *collector, const struct ask *ask, int text)
{
    struct serve_target *target;
    struct err err = {0};
    struct answer_head answer = {.id = ask->id};
    answer.rc = find_target(collector, ask, &target, &err);
    if (answer.rc == RC_OK && who_answers[ask->what].by != BY_COLLECTOR)
        answer.rc = control_may_sample(collector, &err);
    answer.unknown = answer.rc == RC_GONE && !target;
    memcpy(answer.text, err.text, sizeof answer.text);
    if (answer.rc != RC_OK)
        reply(collector, &answer, -1);
    else if (who_answers[ask->what].by == BY_COLLECTOR)
        collect(collector, target, ask);
    else if (who_answers[ask->what].by == BY_READING)
        await_reading(collector, target, ask);
    else
        ask_process(collector, target, ask, text);
}

bool questions_take(struct collector *collector, struct worker_process *front)
{
    struct ask ask;
    int text, got = ask_receive(front->channel, &ask, &text);
    if (got > 0 && ask.what == ASK_CANCEL)
        cancel(collector, ask.id);
    else if (got > 0 && ask.what == ASK_LOG)
        log_bounded(LOG_LEVEL_WARNING, ask.text);
    else if (got > 0)
        pass_on(collector, &ask, text);
    cleanup_fd(&text);
    return got > 0;
}

// --- answers ---

static void keep(struct helper *helper, const struct answer_head *answer, int *memory)
{
    if (answer->partial == RUNNER_REPORT)
        target_report_take(helper->target, *memory);
    if (answer->partial >= RUNNER_KEPT)
        return;
    cleanup_fd(&helper->target->kept[answer->partial]);
    helper->target->kept[answer->partial] = steal_fd(memory);
}

static void pass_back(struct collector *collector, struct helper *helper,
                      const struct answer_head *answer, int memory)
{
    for (size_t i = 0; i < collector->waiting_count; i++) {
        struct waiting *waiting = &collector->waiting[i];
        if (waiting->helper != helper || (helper->is_runner && waiting->id != answer->id))
            continue;
        struct answer_head passed = *answer;
        passed.id = waiting->front_id;
        reply(collector, &passed, memory);
        *waiting = collector->waiting[--collector->waiting_count];
        i--;
    }
}

static void end_of(struct collector *collector, struct helper *helper)
{
    struct answer_head answer = {.rc = RC_FAIL};
    snprintf(answer.text, sizeof answer.text,
             "the process that looked at %s has ended unexpectedly", helper->target->id);
    for (size_t i = 0; i < collector->waiting_count; i++)
        if (collector->waiting[i].helper == helper) {
            answer.id = collector->waiting[i].id;
            pass_back(collector, helper, &answer, -1);
            i = (size_t)-1;
        }
    forget_helper(collector, helper);
}

bool questions_answer(struct collector *collector, struct helper *helper)
{
    struct answer_head answer;
    int memory, got = answer_receive(helper->process.channel, &answer, &memory);
    if (got > 0 && helper->is_runner && !answer.id)
        keep(helper, &answer, &memory);
    else if (got > 0)
        pass_back(collector, helper, &answer, memory);
    cleanup_fd(&memory);
    if (got > 0)
        return true;
    end_of(collector, helper);
    return false;
}

void questions_forget(struct collector *collector, const struct worker_process *front)
{
    for (size_t i = 0; i < collector->waiting_count;) {
        uint32_t id = collector->waiting[i].front_id;
        bool forgotten = is_of(collector, front, id);
        if (forgotten)
            cancel(collector, id);
        i = forgotten ? 0 : i + 1; // the order has changed
    }
}

void questions_finish(struct collector *collector)
{
    const struct ask finish = {.what = ASK_FINISH};
    for (size_t i = 0; i < collector->helper_count; i++)
        if (collector->helpers[i]->is_runner && !collector->helpers[i]->finishes) {
            collector->helpers[i]->finishes = true;
            (void)ask_send(collector->helpers[i]->process.channel, &finish, -1);
        }
}

void questions_end(struct collector *collector)
{
    while (collector->helper_count)
        forget_helper(collector, collector->helpers[0]);
    free(collector->helpers);
    free(collector->waiting);
}
