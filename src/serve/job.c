// SPDX-License-Identifier: MIT
#include "serve/job.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "serve/who_answers.h"

bool job_is_over(void *context)
{
    const struct job *job = context;
    struct pollfd fd = {.fd = job->channel, .events = POLLIN};
    return poll(&fd, 1, 0) > 0; // it is closed: nothing is ever sent to a job
}

static enum rc work(struct job *job, int memory, struct err *err)
{
    int copy = dup(memory);
    FILE *out = copy >= 0 ? fdopen(copy, "w") : NULL;
    if (!out)
        return limits_sys(err, RC_LIMIT, errno, "cannot make an answer");
    enum rc rc = who_answers[job->ask.what].job(job, out, err);
    if (fclose(out) != 0 && rc == RC_OK)
        rc = err_sys(err, RC_IO, errno, "cannot write an answer");
    return rc;
}

void job_serve(int channel, const void *context)
{
    struct job job = *(const struct job *)context;
    struct answer_head answer = {.id = job.ask.id,
                                 .fresh_ms = who_answers[job.ask.what].fresh_ms};
    struct err err = {0};
    int memory = answer_memory();
    job.channel = channel;
    answer.rc = work(&job, memory, &err);
    memcpy(answer.text, err.text, sizeof answer.text);
    answer.size = memory >= 0 ? answer_seal(memory) : 0;
    (void)answer_send(channel, &answer, answer.size ? memory : -1);
    cleanup_fd(&memory);
}
