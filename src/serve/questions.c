// SPDX-License-Identifier: MIT
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "serve/collector_state.h"
#include "serve/helpers.h"
#include "serve/log.h"
#include "serve/runner_answer.h"
#include "serve/target_report.h"
#include "serve/who_answers.h"

#define WAITING_MOST 4096 // questions at one time

// --- to the front ---

static void reply(struct collector *collector, const struct answer_head *answer, int memory)
{
    struct worker_process *front = fronts_find(collector, answer->id);
    if (front) // if it has closed, it is replaced soon
        (void)worker_process_send(front, answer, sizeof *answer, memory);
}

static void refuse(struct collector *collector, uint32_t id, enum rc rc, const struct err *err)
{
    struct answer_head answer = {.id = id, .rc = rc};
    memcpy(answer.text, err->text, sizeof answer.text);
    reply(collector, &answer, -1);
}

// --- at once ---

static enum rc put(const struct buf *text, int *memory, struct err *err)
{
    size_t done = 0;
    ssize_t wrote = *memory = answer_memory();
    while (wrote >= 0 && done < text->length) {
        wrote = write(*memory, text->data + done, text->length - done);
        done += wrote > 0 ? (size_t)wrote : 0;
    }
    return wrote >= 0 ? RC_OK
                      : limits_sys(err, RC_LIMIT, errno, "cannot make an answer of %zu bytes",
                                   text->length);
}

static void collect(struct collector *collector, struct serve_target *target,
                    const struct ask *ask)
{
    const struct who_answers *who = &who_answers[ask->what];
    struct answer_head answer = {.id = ask->id, .fresh_ms = who->fresh_ms};
    AUTO_BUF struct buf text = {0};
    AUTO_FD int memory = -1;
    struct err err = {0};
    answer.rc = who->collect(collector, target, ask, &text, &err);
    if (answer.rc == RC_OK)
        answer.rc = put(&text, &memory, &err);
    answer.unknown = answer.rc == RC_GONE && !target; // of those that it asks about
    answer.size = answer.rc == RC_OK ? answer_seal(memory) : 0;
    memcpy(answer.text, err.text, sizeof answer.text);
    reply(collector, &answer, answer.rc == RC_OK ? memory : -1);
}

// --- who waits ---

// Another form of the profile is not what a runner could begin with.
static uint32_t keeps(const struct ask *ask)
{
    return ask->window || ask->form != ASK_PPROF ? RUNNER_KEPT : runner_answer_keeps(ask);
}

static void add_waiting(struct collector *collector, struct waiting waiting)
{
    waiting.target->users++;
    ARRAY_RESERVE(collector->waiting, collector->waiting_count, collector->waiting_capacity);
    collector->waiting[collector->waiting_count++] = waiting;
}

static struct waiting take_waiting(struct collector *collector, size_t number)
{
    struct waiting waiting = collector->waiting[number];
    collector->waiting[number] = collector->waiting[--collector->waiting_count];
    waiting.target->users--;
    return waiting;
}

static enum rc may_wait(const struct collector *collector, struct err *err)
{
    return collector->waiting_count < WAITING_MOST
               ? RC_OK
               : err_set(err, RC_LIMIT, "too many questions wait: try again later");
}

static void await_reading(struct collector *collector, struct serve_target *target,
                          const struct ask *ask)
{
    struct err err;
    enum rc rc = may_wait(collector, &err);
    if (rc == RC_OK)
        add_waiting(collector, (struct waiting){
            .target = target, .front_id = ask->id, .keeps = RUNNER_KEPT});
    else
        refuse(collector, ask->id, rc, &err);
}

void questions_tell(struct collector *collector)
{
    for (size_t i = collector->waiting_count; i-- > 0;) {
        if (collector->waiting[i].helper)
            continue;
        struct waiting told = take_waiting(collector, i);
        const struct ask ask = {.id = told.front_id, .what = ASK_EVENT};
        collect(collector, told.target, &ask);
    }
}

static void await(struct collector *collector, struct helper *helper, const struct ask *ask)
{
    add_waiting(collector, (struct waiting){.helper = helper, .target = helper->target,
                                            .front_id = ask->id, .id = ++collector->last_id,
                                            .keeps = keeps(ask)});
    struct ask passed = *ask;
    passed.id = collector->last_id;
    helpers_note_use(collector, helper, ask);
    if (helper->is_runner) // if it has closed, that is told soon
        (void)worker_process_send(&helper->process, &passed, sizeof passed, -1);
}

static void ask_process(struct collector *collector, struct serve_target *target,
                        const struct ask *ask, int text)
{
    struct helper *helper = helpers_find(collector, target, ask);
    struct err err = {0};
    enum rc rc = may_wait(collector, &err);
    if (rc == RC_OK && !helper)
        rc = helpers_start(collector, target, ask, text, &helper, &err);
    if (rc == RC_OK)
        await(collector, helper, ask);
    else
        refuse(collector, ask->id, rc, &err);
}

// A job that nobody waits for is closed: it notices that and ends.
static void drop(struct collector *collector, const struct waiting *gone)
{
    const struct ask cancel = {.id = gone->id, .what = ASK_CANCEL};
    if (!gone->helper)
        return;
    if (gone->helper->is_runner)
        (void)worker_process_send(&gone->helper->process, &cancel, sizeof cancel, -1);
    else if (!helpers_has_waiting(collector, gone->helper))
        helpers_forget(collector, gone->helper);
}

static void cancel(struct collector *collector, uint32_t front_id)
{
    for (size_t i = collector->waiting_count; i-- > 0;)
        if (collector->waiting[i].front_id == front_id) {
            struct waiting gone = take_waiting(collector, i);
            drop(collector, &gone);
            return;
        }
}

// --- questions ---

static enum rc may_be_asked(const struct collector *collector, const struct ask *ask,
                            struct err *err)
{
    const struct serve_settings *settings = &collector->settings;
    enum answerer by = who_answers[ask->what].by;
    enum rc rc;
    if (settings->profiles.off & 1u << ask->what)
        return err_set(err, RC_DENIED, "%s is switched off here", ask_words[ask->what]);
    if (by == BY_NOBODY)
        return err_set(err, RC_ABSENT, "this cannot be had yet");
    if (by >= BY_RUNNER && (rc = control_may_start(collector, by != BY_LOOK, err)) != RC_OK)
        return rc;
    if (ask->window > settings->profiles.longest)
        return err_set(err, RC_USAGE, "this is at most of %lld s",
                       (long long)(settings->profiles.longest / NS_PER_S));
    return RC_OK;
}

// *target: NULL for questions about all. What has ended was a target, and others never were one.
static enum rc find_target(const struct collector *collector, const struct ask *ask,
                           struct serve_target **target, struct err *err)
{
    *target = NULL;
    if (!who_answers[ask->what].of_target)
        return RC_OK;
    *target = target_list_find(&collector->targets, ask->target, err);
    if (!*target)
        return RC_GONE;
    if ((*target)->ended_at && !who_answers[ask->what].of_ended)
        return err_set(err, RC_GONE, "%s (%d) has ended", (*target)->id, (int)(*target)->pid);
    return RC_OK;
}

static void pass_on(struct collector *collector, const struct ask *ask, int text)
{
    struct serve_target *target = NULL;
    struct answer_head answer = {.id = ask->id};
    struct err err = {0};
    answer.rc = may_be_asked(collector, ask, &err);
    if (answer.rc == RC_OK) {
        answer.rc = find_target(collector, ask, &target, &err);
        answer.unknown = answer.rc == RC_GONE && !target;
    }
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

// A front that goes by older settings may let somebody in who is not to come in any more.
static void take_ask(struct collector *collector, const struct worker_process *front,
                     const struct ask *ask, int text)
{
    struct err err;
    if (ask->what == ASK_LOG)
        log_bounded(LOG_LEVEL_WARNING, ask->text);
    else if (fronts_find(collector, ask->id) != front) // its answer would go to another front
        return;
    else if (ask->what == ASK_CANCEL)
        cancel(collector, ask->id);
    else if (!fronts_may_ask(collector, front))
        refuse(collector, ask->id, err_set(&err, RC_BUSY, ASK_AGAIN), &err);
    else
        pass_on(collector, ask, text);
}

bool questions_take(struct collector *collector, struct worker_process *front)
{
    struct ask ask;
    int text, got = ask_receive(front->channel, &ask, &text);
    if (got > 0)
        take_ask(collector, front, &ask, text);
    cleanup_fd(&text);
    return got > 0;
}

// --- answers ---

// What somebody has been told of all time is what the next runner begins with, should this one die:
// so no count goes backwards.
static void keep(struct helper *helper, unsigned number, int memory)
{
    int copy = memory >= 0 ? dup(memory) : -1;
    if (copy < 0)
        return;
    cleanup_fd(&helper->target->kept[number]);
    helper->target->kept[number] = copy;
}

static void pass_back(struct collector *collector, const struct waiting *waiting,
                      const struct answer_head *answer, int memory)
{
    struct answer_head passed = *answer;
    passed.id = waiting->front_id;
    if (waiting->keeps < RUNNER_KEPT && answer->rc == RC_OK)
        keep(waiting->helper, waiting->keeps, memory);
    reply(collector, &passed, memory);
}

// A job has one answer, for all who wait for it.
static void take_answer(struct collector *collector, struct helper *helper,
                        const struct answer_head *answer, int memory)
{
    for (size_t i = collector->waiting_count; i-- > 0;) {
        const struct waiting *each = &collector->waiting[i];
        if (each->helper != helper || (helper->is_runner && each->id != answer->id))
            continue;
        struct waiting waiting = take_waiting(collector, i);
        pass_back(collector, &waiting, answer, memory);
    }
    if (!helper->is_runner)
        helpers_forget(collector, helper);
}

// It has nothing to do; unless it has just been asked something, it may go.
static void take_note(struct collector *collector, struct helper *helper, uint32_t number,
                      int memory)
{
    if (number < RUNNER_KEPT)
        keep(helper, number, memory);
    else if (number == RUNNER_REPORT)
        target_report_take(helper->target, memory);
    else if (!helpers_has_waiting(collector, helper))
        helpers_forget(collector, helper);
}

static void end_of(struct collector *collector, struct helper *helper)
{
    struct answer_head answer = {.rc = RC_FAIL};
    snprintf(answer.text, sizeof answer.text,
             "the process that looked into %s has ended unexpectedly: try again",
             helper->target->id);
    for (size_t i = collector->waiting_count; i-- > 0;)
        if (collector->waiting[i].helper == helper) {
            struct waiting waiting = take_waiting(collector, i);
            pass_back(collector, &waiting, &answer, -1);
        }
    helpers_forget(collector, helper);
}

static void receive(struct collector *collector, struct helper *helper)
{
    struct answer_head answer;
    AUTO_FD int memory = -1;
    int got = answer_receive(helper->process.channel, &answer, &memory);
    if (got <= 0)
        end_of(collector, helper);
    else if (helper->is_runner && !answer.id)
        take_note(collector, helper, answer.partial, memory);
    else
        take_answer(collector, helper, &answer, memory);
}

void questions_answer(struct collector *collector, struct helper *helper, short events)
{
    if (!worker_process_take(&helper->process, events))
        end_of(collector, helper);
    else if (events & ~POLLOUT)
        receive(collector, helper);
}

void questions_forget(struct collector *collector, const struct worker_process *front)
{
    for (size_t i = 0; i < collector->waiting_count;) {
        uint32_t id = collector->waiting[i].front_id;
        bool forgotten = fronts_find(collector, id) == front;
        if (forgotten)
            cancel(collector, id);
        i = forgotten ? 0 : i + 1; // the order has changed
    }
}

void questions_finish(struct collector *collector)
{
    const struct ask finish = {.what = ASK_FINISH};
    for (size_t i = 0; i < collector->helper_count; i++)
        if (collector->end_by || !helpers_is_look(collector->helpers[i]))
            (void)worker_process_send(&collector->helpers[i]->process, &finish, sizeof finish, -1);
}

void questions_end(struct collector *collector)
{
    while (collector->helper_count)
        helpers_forget(collector, collector->helpers[0]);
    free(collector->helpers);
    free(collector->waiting);
}
