// SPDX-License-Identifier: MIT
#include "serve/job.h"

#include <errno.h>

#include "base/clock.h"
#include "base/mem.h"
#include "dump/dump_pprof.h"
#include "dump/dump_print.h"
#include "dump/dumper.h"
#include "heap/census_profile.h"
#include "heap/heap_print.h"
#include "output/writer.h"

#define DUMP_NS (2ll * NS_PER_S)

static enum rc put(const struct buf *text, FILE *out, struct err *err)
{
    if (fwrite(text->data, 1, text->length, out) == text->length)
        return RC_OK;
    return err_sys(err, RC_IO, errno, "cannot write an answer");
}

static enum rc write_dump(const struct job *job, const struct dump *dump, struct modules *modules,
                          FILE *out, struct err *err)
{
    AUTO_BUF struct buf text = {0};
    const struct dump_style style = {0};
    if (job->ask.form == ASK_PPROF)
        return dump_pprof(dump, modules, out, err);
    if (job->ask.form == ASK_JSON)
        dump_json(&text, dump, &style);
    else
        dump_go(&text, dump, &style);
    return put(&text, out, err);
}

enum rc job_threads(const struct job *job, FILE *out, struct err *err)
{
    const struct dumper_options options = {
        .timeout = DUMP_NS, .interrupted = job_is_over, .context = (void *)job};
    struct dumper *dumper;
    struct dump dump = {0};
    enum rc rc = dumper_open(job->pid, &options, &dumper, err);
    if (rc != RC_OK)
        return rc;
    rc = dumper_take(dumper, &dump, err);
    if (rc == RC_OK)
        rc = write_dump(job, &dump, dumper_modules(dumper), out, err);
    dump_fini(&dump);
    dumper_close(dumper);
    return rc;
}

enum rc job_heap(const struct job *job, FILE *out, struct err *err)
{
    const struct heap_census_options options = {.interrupted = job_is_over,
                                                .context = (void *)job};
    struct heap_census *census = NULL;
    struct heap_target *target;
    enum rc rc = heap_target_open(job->pid, false, &target, err);
    if (rc != RC_OK)
        return rc;
    struct kinds *kinds = kinds_new(target);
    rc = heap_census_take(target, kinds, &options, &census, err);
    if (rc == RC_OK)
        rc = census_write(census, writer_by_name("pprof"), out, err);
    heap_census_free(census);
    kinds_free(kinds);
    heap_target_close(target);
    return rc;
}
