// SPDX-License-Identifier: MIT
#include "serve/job.h"

#include <poll.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "profile/plain_merge.h"
#include "reader/channel.h"
#include "serve/profile_form.h"
#include "serve/who_answers.h"

bool job_is_over(void *context)
{
    const struct job *job = context;
    struct pollfd fd = {.fd = job->channel, .events = POLLIN};
    return poll(&fd, 1, 0) > 0; // it is closed, or ASK_FINISH: nothing else is sent to a job
}

// The order to finish is taken: what there is to be done after it is done as a whole.
static enum rc take_order(const struct job *job, struct err *err)
{
    struct ask ask;
    if (channel_receive(job->channel, &ask, sizeof ask, NULL) <= 0)
        return err_set(err, RC_GONE, "nobody waits for the answer any more");
    *job->partial = true;
    return RC_OK;
}

enum rc job_wait(const struct job *job, int64_t until, struct err *err)
{
    AUTO_FD int target = (int)syscall(SYS_pidfd_open, job->pid, 0);
    struct pollfd fds[] = {{.fd = job->channel, .events = POLLIN},
                           {.fd = target, .events = POLLIN}};
    for (int64_t left; (left = until - clock_now()) > 0;) {
        const struct timespec patience = {left / NS_PER_S, left % NS_PER_S};
        (void)ppoll(fds, ARRAY_LENGTH(fds), &patience, NULL);
        if (fds[1].revents)
            return err_set(err, RC_GONE, "%d ended meanwhile", (int)job->pid);
        if (fds[0].revents)
            return take_order(job, err);
    }
    return RC_OK;
}

// --- looks ---

static enum rc write_growth(const struct job *job, const struct plain_profile *first,
                            const struct plain_profile *last, FILE *out, struct err *err)
{
    struct plain_profile *growth;
    enum rc rc = plain_subtract(last, first, &growth, err);
    if (rc != RC_OK)
        return rc;
    growth->time = last->time;
    growth->duration = last->time - first->time;
    rc = profile_form_write(growth, &job->ask, out, err);
    plain_free(growth);
    return rc;
}

enum rc job_write_looks(const struct job *job, job_look *look, void *context, FILE *out,
                        struct err *err)
{
    struct plain_profile *first = NULL, *last = NULL;
    int64_t began = clock_now();
    enum rc rc = look(context, &first, err);
    if (rc == RC_OK && !job->ask.window)
        rc = profile_form_write(first, &job->ask, out, err);
    if (rc == RC_OK && job->ask.window) {
        rc = job_wait(job, began + job->ask.window, err);
        if (rc == RC_OK)
            rc = look(context, &last, err);
        if (rc == RC_OK)
            rc = write_growth(job, first, last, out, err);
    }
    plain_free(first);
    plain_free(last);
    return rc;
}

// --- the process ---

static enum rc work(struct job *job, int memory, struct err *err)
{
    FILE *out = answer_stream(memory, err);
    if (!out)
        return RC_LIMIT;
    return answer_written(out, who_answers[job->ask.what].job(job, out, err), err);
}

// An order that lay there unread when the channel is closed would take the answer with it.
static void await_close(int channel)
{
    struct ask ask;
    while (channel_receive(channel, &ask, sizeof ask, NULL) > 0)
        continue;
}

void job_serve(int channel, const void *context)
{
    struct job job = *(const struct job *)context;
    struct answer_head answer = {.id = job.ask.id,
                                 .fresh_ms = who_answers[job.ask.what].fresh_ms};
    struct err err = {0};
    int memory = answer_memory();
    job.channel = channel;
    job.partial = &answer.partial;
    answer.rc = work(&job, memory, &err);
    memcpy(answer.text, err.text, sizeof answer.text);
    answer.size = memory >= 0 ? answer_seal(memory) : 0;
    (void)answer_send(channel, &answer, answer.size ? memory : -1);
    cleanup_fd(&memory);
    await_close(channel);
}
