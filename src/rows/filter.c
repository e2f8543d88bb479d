// SPDX-License-Identifier: MIT
#include "rows/filter.h"

#include "rows/terms.h"

enum profile_kind filter_kind(const struct filter *filter)
{
    const struct profile_type *type = filter->type ? profile_type_named(filter->type) : NULL;
    return type ? (enum profile_kind)(type - profile_types) : PROFILE_CPU;
}

bool filter_is_wall(const struct filter *filter)
{
    return filter_kind(filter) == PROFILE_WALL;
}

bool filter_is_delay(const struct filter *filter)
{
    enum profile_kind kind = filter_kind(filter);
    return kind == PROFILE_BLOCK || kind == PROFILE_MUTEX;
}

enum rc filter_check(const struct filter *filter, struct err *err)
{
    struct terms terms;
    enum rc rc = terms_init(&terms, filter->terms, err);
    if (rc == RC_OK)
        terms_fini(&terms);
    return rc;
}
