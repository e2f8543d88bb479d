// SPDX-License-Identifier: MIT
#include "rows/moment.h"

#include <stdlib.h>

void moment_fini(struct moment *moment)
{
    profile_free(moment->profile);
    slices_free(moment->slices);
    names_unref(moment->names);
    free(moment->threads);
    free(moment->asleep);
    *moment = (struct moment){0};
}
