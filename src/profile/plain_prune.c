// SPDX-License-Identifier: MIT
#include "profile/plain_prune.h"

#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "base/pattern.h"
#include "profile/plain_reshape.h"

enum fate { STAYS, CUT, GOES }; // of a location: of CUT the lines nearest to the root stay

struct pruning {
    const struct plain_profile *profile;
    struct plain_profile *copy;
    struct pattern drop, keep;
    enum fate *fates; // [location]
};

// The name up to its arguments: "a::operator()(int)" is "a::operator()".
static size_t simple_length(const char *name)
{
    static const char *const names[] = {"(anonymous namespace)", "operator()"};
    for (size_t at = 0; name[at]; at++) {
        size_t skip = 0;
        for (size_t i = 0; i < ARRAY_LENGTH(names) && !skip; i++)
            if (strncmp(name + at, names[i], strlen(names[i])) == 0)
                skip = strlen(names[i]);
        if (skip)
            at += skip - 1;
        else if (name[at] == '(')
            return at;
    }
    return strlen(name);
}

static bool is_dropped(const struct pruning *pruning, uint32_t function)
{
    const char *name = plain_string(pruning->profile,
                                    pruning->profile->code.functions[function].name);
    if (!*name)
        return false;
    name += *name == '.'; // symbols of an old ABI begin with it
    AUTO_FREE char *simple = xstrndup(name, simple_length(name));
    return pattern_matches(&pruning->drop, simple) && !pattern_matches(&pruning->keep, simple);
}

static void judge(struct pruning *pruning, uint32_t location)
{
    const struct plain_code *code = &pruning->profile->code;
    const struct plain_location *at = &code->locations[location];
    AUTO_FREE bool *keeps = xcalloc(at->count + 1, sizeof *keeps);
    uint32_t line = at->count;
    while (line > 0 && !is_dropped(pruning, code->lines[at->first + line - 1].function))
        keeps[--line] = true;
    pruning->fates[location] = !line ? STAYS : line == at->count ? GOES : CUT;
    if (pruning->fates[location] == CUT)
        plain_reshape_lines(pruning->copy, location, keeps);
}

// Walks from callers, which have lower numbers, to what they call.
static void cut_stacks(const struct pruning *pruning, bool *gone)
{
    const struct plain_stacks *stacks = &pruning->profile->stacks;
    AUTO_FREE bool *found = xcalloc(stacks->count, sizeof *found); // a function that stays
    AUTO_FREE bool *ended = xcalloc(stacks->count, sizeof *ended); // nothing below is left
    for (uint32_t i = 1; i < stacks->count; i++) {
        uint32_t parent = stacks->nodes[i].parent;
        enum fate fate = pruning->fates[stacks->nodes[i].location];
        found[i] = found[parent] || fate == STAYS;
        ended[i] = ended[parent] || (found[parent] && fate != STAYS);
        gone[i] = ended[parent] || (ended[i] && fate == GOES);
    }
}

static enum rc compile(struct pattern *pattern, const char *text, struct err *err)
{
    AUTO_FREE char *whole = xasprintf("^(%s)$", text);
    struct err reason = {0};
    if (!*text || pattern_init(pattern, whole, &reason) == RC_OK)
        return RC_OK;
    return err_set(err, RC_FORMAT, "which frames it drops: %s", reason.text);
}

enum rc plain_prune(const struct plain_profile *profile, struct plain_profile **pruned,
                    struct err *err)
{
    struct pruning pruning = {.profile = profile};
    *pruned = NULL;
    if (!profile->drop_frames)
        return RC_OK;
    enum rc rc = compile(&pruning.drop, plain_string(profile, profile->drop_frames), err);
    if (rc == RC_OK)
        rc = compile(&pruning.keep, plain_string(profile, profile->keep_frames), err);
    if (rc == RC_OK) {
        AUTO_FREE bool *gone = xcalloc(profile->stacks.count, sizeof *gone);
        AUTO_FREE enum fate *fates = xcalloc(profile->code.location_count + 1, sizeof *fates);
        pruning.copy = plain_reshape_begin(profile);
        pruning.fates = fates;
        for (uint32_t i = 0; i < profile->code.location_count; i++)
            judge(&pruning, i);
        cut_stacks(&pruning, gone);
        plain_reshape_end(pruning.copy, profile, NULL, gone, false);
        *pruned = pruning.copy;
    }
    pattern_fini(&pruning.drop);
    pattern_fini(&pruning.keep);
    return rc;
}
