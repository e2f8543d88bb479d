// SPDX-License-Identifier: MIT
#include "process/thread_filter.h"

#include <regex.h>
#include <stdlib.h>

#include "base/escape.h"
#include "base/mem.h"

struct thread_filter {
    regex_t pattern;
};

enum rc thread_filter_new(const char *text, struct thread_filter **filter, struct err *err)
{
    char reason[256];
    regex_t pattern;
    *filter = NULL;
    if (!text)
        return RC_OK;
    int failed = regcomp(&pattern, text, REG_EXTENDED | REG_NOSUB);
    if (failed) {
        regerror(failed, &pattern, reason, sizeof reason);
        AUTO_FREE char *shown = escape_text_dup(text);
        return err_set(err, RC_USAGE, "'%s' is not a regular expression: %s", shown, reason);
    }
    *filter = xmalloc(sizeof **filter);
    (*filter)->pattern = pattern;
    return RC_OK;
}

void thread_filter_free(struct thread_filter *filter)
{
    if (filter)
        regfree(&filter->pattern);
    free(filter);
}

bool thread_filter_matches(const struct thread_filter *filter, const char *comm)
{
    return !filter || regexec(&filter->pattern, comm, 0, NULL, 0) == 0;
}
