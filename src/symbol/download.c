// SPDX-License-Identifier: MIT
#include "symbol/download.h"

#include <stdlib.h>

#include "base/mem.h"
#include "symbol/debuginfod.h"

static bool is_worth_asking(const struct source *source)
{
    const struct module *module = source->module;
    return module && module->kind == MODULE_FILE && module->image &&
           module->image->headers.build_id_length && source->tried && !source->has_lines &&
           !source->failures && !source->downloaded;
}

static void note_failure(struct source *source, const char *why)
{
    AUTO_FREE char *before = source->tried;
    source->tried = xasprintf("%sdebuginfod: %s\n", before, why);
}

static void take(struct source *source, struct debuginfod_job *job)
{
    if (job->path) {
        source->downloaded = steal_ptr(&job->path);
        source_want_again(source);
    } else {
        note_failure(source, job->why);
    }
    free(job->build_id);
    free(job->path);
    free(job->why);
}

void download_debug_files(struct source *sources, size_t count, int milliseconds)
{
    AUTO_FREE struct debuginfod_job *jobs = xcalloc(count + 1, sizeof *jobs);
    AUTO_FREE struct source **asking = xcalloc(count + 1, sizeof *asking);
    size_t asked = 0;
    for (size_t i = 0; i < count; i++) {
        char build_id[2 * BUILD_ID_MAX + 1];
        if (!is_worth_asking(&sources[i]))
            continue;
        image_build_id_hex(sources[i].module->image, build_id);
        asking[asked] = &sources[i];
        jobs[asked++].build_id = xstrdup(build_id);
    }
    if (asked)
        debuginfod_fetch(jobs, asked, milliseconds);
    for (size_t i = 0; i < asked; i++)
        take(asking[i], &jobs[i]);
}
