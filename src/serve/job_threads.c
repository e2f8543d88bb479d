// SPDX-License-Identifier: MIT
// Where the threads are, and who starts them.
#include "serve/job.h"

#include <errno.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "dump/dump_print.h"
#include "dump/dump_profile.h"
#include "dump/dumper.h"
#include "dump/thread_types.h"
#include "serve/profile_form.h"

#define DUMP_NS (2ll * NS_PER_S) // who scrapes does not wait for longer

struct thread_looking {
    const struct job *job;
    struct dumper *dumper;
    struct plain_profile *(*profile)(const struct dump *dump, struct modules *modules);
};

static enum rc open_dumper(const struct job *job, struct dumper **dumper, struct err *err)
{
    const struct dumper_options options = {
        .timeout = DUMP_NS, .interrupted = job_is_over, .context = (void *)job};
    return dumper_open(job->pid, &options, dumper, err);
}

static enum rc look(void *context, struct plain_profile **profile, struct err *err)
{
    const struct thread_looking *looking = context;
    struct dump dump;
    enum rc rc = dumper_take(looking->dumper, &dump, err);
    if (rc != RC_OK)
        return rc;
    *profile = looking->profile(&dump, dumper_modules(looking->dumper));
    *looking->job->partial |= dump.end != DUMP_COMPLETE;
    dump_fini(&dump);
    return RC_OK;
}

static enum rc write_text(const struct job *job, struct dumper *dumper, FILE *out, struct err *err)
{
    AUTO_BUF struct buf text = {0};
    const struct dump_style style = {0};
    struct dump dump;
    enum rc rc = dumper_take(dumper, &dump, err);
    if (rc != RC_OK)
        return rc;
    *job->partial |= dump.end != DUMP_COMPLETE;
    if (job->ask.form == ASK_JSON)
        dump_json(&text, &dump, &style);
    else
        dump_go(&text, &dump, &style);
    dump_fini(&dump);
    if (fwrite(text.data, 1, text.length, out) == text.length)
        return RC_OK;
    return err_sys(err, RC_IO, errno, "cannot write an answer");
}

enum rc job_threads(const struct job *job, FILE *out, struct err *err)
{
    struct thread_looking looking = {.job = job, .profile = dump_threads_profile};
    enum rc rc = open_dumper(job, &looking.dumper, err);
    if (rc != RC_OK)
        return rc;
    if (job->ask.form == ASK_PPROF || job->ask.form == ASK_TEXT)
        rc = job_write_looks(job, look, &looking, out, err);
    else
        rc = write_text(job, looking.dumper, out, err);
    dumper_close(looking.dumper);
    return rc;
}

// --- who starts threads ---

static struct plain_profile *all_starts(const struct dump *dump, struct modules *modules)
{
    static const struct map none;
    return dump_starts_profile(dump, modules, &none);
}

static enum rc write_creations(const struct job *job, FILE *out, struct err *err)
{
    const struct thread_types_options options = {.types = PROFILE_BIT(PROFILE_THREADCREATE),
                                                 .timeout = DUMP_NS,
                                                 .only_later = true};
    struct thread_types *types;
    int64_t began = clock_now();
    enum rc rc = thread_types_start(&job->pid, 1, &options, &types, err);
    if (rc != RC_OK)
        return rc;
    rc = job_wait(job, began + job->ask.window, err);
    *job->partial |= rc == RC_GONE;
    if (rc == RC_OK || rc == RC_GONE) {
        thread_types_stop(types);
        struct plain_profile *profile = thread_types_profile(types, PROFILE_THREADCREATE);
        profile->time = clock_wall();
        profile->duration = clock_now() - began;
        rc = profile_form_write(profile, &job->ask, out, err);
        plain_free(profile);
    }
    thread_types_free(types);
    return rc;
}

// Of a window it is told who has started threads in it, of all time only where those began that
// there are.
enum rc job_threadcreate(const struct job *job, FILE *out, struct err *err)
{
    struct thread_looking looking = {.job = job, .profile = all_starts};
    if (job->ask.window)
        return write_creations(job, out, err);
    enum rc rc = open_dumper(job, &looking.dumper, err);
    if (rc != RC_OK)
        return rc;
    rc = job_write_looks(job, look, &looking, out, err);
    dumper_close(looking.dumper);
    return rc;
}
