// SPDX-License-Identifier: MIT
#include "rows/moment.h"

#include <stdlib.h>

#include "base/mem.h"

struct moment moment_of(struct plain_profile *profile, struct slices *slices)
{
    struct moment moment = {.profile = profile, .slices = slices, .names = names_new()};
    for (uint32_t i = 0; i < profile->code.location_count; i++)
        names_add(moment.names, profile, i);
    plain_threads_init(&moment.sampled, profile);
    return moment;
}

void moment_list_by(struct moment *moment, const char *key)
{
    plain_threads_fini(&moment->sampled);
    if (key)
        plain_threads_by(&moment->sampled, moment->profile, key);
    else
        plain_threads_init(&moment->sampled, moment->profile);
}

size_t moment_pair(const struct moment *moment)
{
    return moment->base ? moment->profile->type_count / 2 : 0;
}

struct moment moment_copy(const struct moment *moment)
{
    struct moment copy = *moment;
    copy.profile = plain_copy(moment->profile);
    copy.base = moment->base ? plain_copy(moment->base) : NULL;
    copy.slices = moment->slices ? slices_copy(moment->slices) : NULL;
    copy.names = names_ref(moment->names);
    copy.threads = xcopy(moment->threads, moment->thread_count, sizeof *copy.threads);
    copy.asleep = xcopy(moment->asleep, moment->asleep_count, sizeof *copy.asleep);
    plain_threads_init(&copy.sampled, copy.profile);
    return copy;
}

void moment_fini(struct moment *moment)
{
    plain_free(moment->profile);
    plain_free(moment->base);
    slices_free(moment->slices);
    plain_threads_fini(&moment->sampled);
    names_unref(moment->names);
    free(moment->threads);
    free(moment->asleep);
    *moment = (struct moment){0};
}
