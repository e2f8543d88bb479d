// SPDX-License-Identifier: MIT
#include "profile/plain_filter.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "profile/plain_transfer.h"

enum { FOCUS, IGNORE, TEXT, EXPRESSIONS };

struct filtering {
    const struct plain_profile *profile;
    const struct plain_filter *filter;
    regex_t expressions[EXPRESSIONS];
    bool given[EXPRESSIONS];
    bool *stacks; // [node]: focus and ignore let it pass
};

static enum rc compile(regex_t *compiled, const char *text, struct err *err)
{
    char reason[256];
    int failed = regcomp(compiled, text, REG_EXTENDED | REG_NOSUB);
    if (!failed)
        return RC_OK;
    regerror(failed, NULL, reason, sizeof reason);
    AUTO_FREE char *shown = escape_text_dup(text);
    return err_set(err, RC_USAGE, "/%s/ is not a regular expression: %s", shown, reason);
}

static enum rc compile_all(struct filtering *filtering, struct err *err)
{
    const struct plain_filter *filter = filtering->filter;
    const char *const texts[] = {
        [FOCUS] = filter->focus, [IGNORE] = filter->ignore, [TEXT] = filter->text};
    enum rc rc = RC_OK;
    for (size_t i = 0; i < EXPRESSIONS && rc == RC_OK; i++) {
        if (texts[i])
            rc = compile(&filtering->expressions[i], texts[i], err);
        filtering->given[i] = texts[i] && rc == RC_OK;
    }
    return rc;
}

static bool matches(const struct filtering *filtering, int expression, uint32_t text)
{
    return regexec(&filtering->expressions[expression],
                   plain_string(filtering->profile, text), 0, NULL, 0) == 0;
}

static bool location_matches(const struct filtering *filtering, int expression, uint32_t location)
{
    const struct plain_code *code = &filtering->profile->code;
    const struct plain_location *at = &code->locations[location];
    bool found = at->mapping != PLAIN_NONE &&
                 matches(filtering, expression, code->mappings[at->mapping].file);
    for (uint32_t i = 0; i < at->count && !found; i++) {
        const struct plain_function *function =
            &code->functions[code->lines[at->first + i].function];
        found = matches(filtering, expression, function->name) ||
                matches(filtering, expression, function->file);
    }
    return found;
}

// Says of each stack whether the expression matches anything in it. The caller frees the result.
static bool *find_stacks(const struct filtering *filtering, int expression)
{
    const struct plain_profile *profile = filtering->profile;
    const struct plain_node *nodes = profile->stacks.nodes;
    AUTO_FREE bool *locations = xcalloc(profile->code.location_count + 1, sizeof *locations);
    bool *found = xcalloc(profile->stacks.count, sizeof *found);
    for (uint32_t i = 0; i < profile->code.location_count; i++)
        locations[i] = location_matches(filtering, expression, i);
    for (uint32_t i = 1; i < profile->stacks.count; i++)
        found[i] = found[nodes[i].parent] || locations[nodes[i].location];
    return found;
}

static void choose_stacks(struct filtering *filtering)
{
    size_t count = filtering->profile->stacks.count;
    AUTO_FREE bool *focus = filtering->given[FOCUS] ? find_stacks(filtering, FOCUS) : NULL;
    AUTO_FREE bool *ignore = filtering->given[IGNORE] ? find_stacks(filtering, IGNORE) : NULL;
    filtering->stacks = xcalloc(count, sizeof *filtering->stacks);
    for (size_t i = 0; i < count; i++)
        filtering->stacks[i] = (!focus || focus[i]) && (!ignore || !ignore[i]);
}

static bool labels_pass(const struct filtering *filtering, uint32_t set)
{
    const struct plain_filter *filter = filtering->filter;
    if (!filter->label)
        return true;
    const struct plain_label *label = plain_label(filtering->profile, set, filter->label);
    if (!label || (filtering->given[TEXT] && !matches(filtering, TEXT, label->text)))
        return false;
    return !filter->numbered ||
           (!label->text && label->number >= filter->least && label->number <= filter->most);
}

static struct plain_profile *take_part(const struct filtering *filtering)
{
    const struct plain_profile *profile = filtering->profile;
    struct plain_profile *part = plain_head_of(profile);
    struct plain_transfer *transfer = plain_transfer_new(part);
    plain_transfer_from(transfer, profile);
    for (uint32_t i = 0; i < profile->samples.count; i++) {
        struct plain_sample sample = profile->samples.list[i];
        if (filtering->stacks[sample.stack] && labels_pass(filtering, sample.labels))
            plain_transfer_sample(transfer, i, plain_values(profile, i));
    }
    plain_transfer_free(transfer);
    return part;
}

enum rc plain_filter(const struct plain_profile *profile, const struct plain_filter *filter,
                     struct plain_profile **part, struct err *err)
{
    struct filtering filtering = {.profile = profile, .filter = filter};
    *part = NULL;
    enum rc rc = compile_all(&filtering, err);
    if (rc == RC_OK) {
        choose_stacks(&filtering);
        *part = take_part(&filtering);
    }
    for (size_t i = 0; i < EXPRESSIONS; i++)
        if (filtering.given[i])
            regfree(&filtering.expressions[i]);
    free(filtering.stacks);
    return rc;
}
