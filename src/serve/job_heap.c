// SPDX-License-Identifier: MIT
#include "serve/job.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "heap/census_profile.h"

#define CENSUS_NS (2ll * NS_PER_S) // who scrapes does not wait for longer

struct heap_looking {
    const struct job *job;
    struct heap_target *target;
    struct kinds *kinds;
    int64_t until; // CLOCK_MONOTONIC ns
};

static bool is_over(void *context)
{
    const struct heap_looking *looking = context;
    return clock_now() >= looking->until || job_is_over((void *)looking->job);
}

// What is known of the C library's malloc then is that it was never called.
static bool has_unused_malloc(const struct heap_looking *looking, const struct heap_census *census)
{
    static const char *const names[] = {"/libc.so.6", "/libc-2."};
    const struct regions *regions = &looking->target->regions;
    if (census->allocator_count || *census->why) // signs of an allocator that could not be read
        return false;
    for (size_t i = 0; i < regions->count; i++) {
        const char *name = strrchr(regions->list[i].path, '/');
        for (size_t k = 0; name && k < ARRAY_LENGTH(names); k++)
            if (strncmp(name, names[k], strlen(names[k])) == 0)
                return true;
    }
    return false;
}

// What is only a part is not comparable with what another look counted.
static enum rc judge(const struct heap_looking *looking, const struct heap_census *census,
                     struct err *err)
{
    if (!census->allocator_count && !has_unused_malloc(looking, census))
        return err_set(err, RC_ABSENT, "no allocator was found in %d that ptprof knows: there is "
                                       "no heap profile", (int)census->pid);
    if (!census->complete && looking->job->ask.window)
        return err_set(err, RC_TIMEOUT, "not all blocks of %d could be counted in time: there is "
                                        "no difference", (int)census->pid);
    *looking->job->partial |= !census->complete;
    return RC_OK;
}

static enum rc look(void *context, struct plain_profile **profile, struct err *err)
{
    struct heap_looking *looking = context;
    const struct heap_census_options options = {.interrupted = is_over, .context = looking};
    struct heap_census *census;
    looking->until = clock_now() + CENSUS_NS;
    enum rc rc = heap_census_take(looking->target, looking->kinds, &options, &census, err);
    if (rc != RC_OK)
        return rc;
    rc = judge(looking, census, err);
    if (rc == RC_OK)
        *profile = census_profile(census);
    heap_census_free(census);
    return rc;
}

enum rc job_heap(const struct job *job, FILE *out, struct err *err)
{
    struct heap_looking looking = {.job = job};
    enum rc rc = heap_target_open(job->pid, false, &looking.target, err);
    if (rc != RC_OK)
        return rc;
    looking.kinds = kinds_new(looking.target);
    rc = job_write_looks(job, look, &looking, out, err);
    kinds_free(looking.kinds);
    heap_target_close(looking.target);
    return rc;
}
