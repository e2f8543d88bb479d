// SPDX-License-Identifier: MIT
#include "rows/filter.h"

#include <string.h>

#include "rows/terms.h"

bool filter_is_wall(const struct filter *filter)
{
    return filter->type && strcmp(filter->type, FILTER_WALL) == 0;
}

enum rc filter_check(const struct filter *filter, struct err *err)
{
    struct terms terms;
    enum rc rc = terms_init(&terms, filter->terms, err);
    if (rc == RC_OK)
        terms_fini(&terms);
    return rc;
}
