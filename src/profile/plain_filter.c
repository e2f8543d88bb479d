// SPDX-License-Identifier: MIT
#include "profile/plain_filter.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/pattern.h"
#include "profile/plain_reshape.h"
#include "profile/plain_tags.h"
#include "profile/plain_transfer.h"

enum { FOCUS, IGNORE, HIDE, SHOW, TEXT, EXPRESSIONS };

struct name_matcher {
    struct pattern pattern;
    unsigned char *known; // [text]: 0, or 1 + whether it matches
};

struct filtering {
    const struct plain_profile *profile;
    const struct plain_filter *filter;
    struct name_matcher matchers[EXPRESSIONS];
    struct plain_tags *tag_focus, *tag_ignore;
    bool *takes; // [sample]
};

static enum rc compile_tags(const struct plain_profile *profile, const char *text,
                            struct plain_tags **tags, struct err *err)
{
    return text ? plain_tags_new(profile, text, tags, err) : RC_OK;
}

static enum rc compile_all(struct filtering *filtering, struct err *err)
{
    const struct plain_filter *filter = filtering->filter;
    const char *const texts[] = {[FOCUS] = filter->focus, [IGNORE] = filter->ignore,
                                 [HIDE] = filter->hide,   [SHOW] = filter->show,
                                 [TEXT] = filter->text};
    enum rc rc = RC_OK;
    for (size_t i = 0; i < EXPRESSIONS && rc == RC_OK; i++) {
        struct name_matcher *matcher = &filtering->matchers[i];
        rc = pattern_init(&matcher->pattern, texts[i], err);
        if (matcher->pattern.given)
            matcher->known = xcalloc(filtering->profile->texts.count, sizeof *matcher->known);
    }
    if (rc == RC_OK)
        rc = compile_tags(filtering->profile, filter->tag_focus, &filtering->tag_focus, err);
    if (rc == RC_OK)
        rc = compile_tags(filtering->profile, filter->tag_ignore, &filtering->tag_ignore, err);
    return rc;
}

static bool matches(const struct filtering *filtering, int expression, uint32_t text)
{
    const struct name_matcher *matcher = &filtering->matchers[expression];
    unsigned char *known = &matcher->known[text];
    if (!*known)
        *known = 1 + pattern_matches(&matcher->pattern, plain_string(filtering->profile, text));
    return *known - 1;
}

static bool given(const struct filtering *filtering, int expression)
{
    return filtering->matchers[expression].pattern.given;
}

static bool mapping_matches(const struct filtering *filtering, int expression,
                            const struct plain_location *at)
{
    return at->mapping != PLAIN_NONE &&
           matches(filtering, expression, filtering->profile->code.mappings[at->mapping].file);
}

static bool line_matches(const struct filtering *filtering, int expression, uint32_t line)
{
    const struct plain_code *code = &filtering->profile->code;
    const struct plain_function *function = &code->functions[code->lines[line].function];
    return matches(filtering, expression, function->name) ||
           matches(filtering, expression, function->file);
}

static bool location_matches(const struct filtering *filtering, int expression, uint32_t location)
{
    const struct plain_location *at = &filtering->profile->code.locations[location];
    bool found = mapping_matches(filtering, expression, at);
    for (uint32_t i = 0; i < at->count && !found; i++)
        found = line_matches(filtering, expression, at->first + i);
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

static bool has_label(const struct filtering *filtering, uint32_t set)
{
    const struct plain_filter *filter = filtering->filter;
    if (!filter->label)
        return true;
    const struct plain_label *label = plain_label(filtering->profile, set, filter->label);
    if (!label || (given(filtering, TEXT) && !matches(filtering, TEXT, label->text)))
        return false;
    return !filter->numbered ||
           (!label->text && label->number >= filter->least && label->number <= filter->most);
}

static bool set_passes(const struct filtering *filtering, uint32_t set)
{
    return has_label(filtering, set) &&
           (!filtering->tag_focus || plain_tags_match(filtering->tag_focus, set)) &&
           (!filtering->tag_ignore || !plain_tags_match(filtering->tag_ignore, set));
}

static void choose_samples(struct filtering *filtering)
{
    const struct plain_profile *profile = filtering->profile;
    AUTO_FREE bool *focus = given(filtering, FOCUS) ? find_stacks(filtering, FOCUS) : NULL;
    AUTO_FREE bool *ignore = given(filtering, IGNORE) ? find_stacks(filtering, IGNORE) : NULL;
    AUTO_FREE bool *sets = xcalloc(profile->labels.set_count, sizeof *sets);
    filtering->takes = xcalloc(profile->samples.count + 1, sizeof *filtering->takes);
    for (uint32_t i = 0; i < profile->labels.set_count; i++)
        sets[i] = set_passes(filtering, i);
    for (uint32_t i = 0; i < profile->samples.count; i++) {
        struct plain_sample sample = profile->samples.list[i];
        filtering->takes[i] = (!focus || focus[sample.stack]) &&
                              (!ignore || !ignore[sample.stack]) && sets[sample.labels];
    }
}

// --- parts ---

static struct plain_profile *take_part(const struct filtering *filtering)
{
    const struct plain_profile *profile = filtering->profile;
    struct plain_profile *part = plain_head_of(profile);
    struct plain_transfer *transfer = plain_transfer_new(part);
    plain_transfer_from(transfer, profile);
    for (uint32_t i = 0; i < profile->samples.count; i++)
        if (filtering->takes[i])
            plain_transfer_sample(transfer, i, plain_values(profile, i));
    plain_transfer_free(transfer);
    return part;
}

// What matches a mapping's file matches all its lines.
static bool keeps_line(const struct filtering *filtering, const struct plain_location *at,
                       uint32_t line)
{
    bool hidden = given(filtering, HIDE) && (mapping_matches(filtering, HIDE, at) ||
                                             line_matches(filtering, HIDE, line));
    return !hidden && (!given(filtering, SHOW) || mapping_matches(filtering, SHOW, at) ||
                       line_matches(filtering, SHOW, line));
}

// Says whether nothing is left of the location. One without lines has none to show.
static bool hide_lines(const struct filtering *filtering, struct plain_profile *part,
                       uint32_t location)
{
    const struct plain_location *at = &filtering->profile->code.locations[location];
    if (!at->count)
        return given(filtering, SHOW) || mapping_matches(filtering, HIDE, at);
    AUTO_FREE bool *keeps = xcalloc(at->count, sizeof *keeps);
    size_t count = 0;
    for (uint32_t i = 0; i < at->count; i++) {
        keeps[i] = keeps_line(filtering, at, at->first + i);
        count += keeps[i];
    }
    if (count)
        plain_reshape_lines(part, location, keeps);
    return !count;
}

static struct plain_profile *take_frames(const struct filtering *filtering)
{
    const struct plain_profile *profile = filtering->profile;
    struct plain_profile *part = plain_reshape_begin(profile);
    AUTO_FREE bool *locations = xcalloc(profile->code.location_count + 1, sizeof *locations);
    AUTO_FREE bool *gone = xcalloc(profile->stacks.count, sizeof *gone);
    bool any = false;
    for (uint32_t i = 0; i < profile->code.location_count; i++) {
        locations[i] = hide_lines(filtering, part, i);
        any |= locations[i];
    }
    for (uint32_t i = 1; i < profile->stacks.count; i++)
        gone[i] = locations[profile->stacks.nodes[i].location];
    plain_reshape_end(part, profile, filtering->takes, gone, any);
    return part;
}

enum rc plain_filter(const struct plain_profile *profile, const struct plain_filter *filter,
                     struct plain_profile **part, struct err *err)
{
    struct filtering filtering = {.profile = profile, .filter = filter};
    *part = NULL;
    enum rc rc = compile_all(&filtering, err);
    if (rc == RC_OK) {
        choose_samples(&filtering);
        *part = filter->hide || filter->show ? take_frames(&filtering) : take_part(&filtering);
    }
    for (size_t i = 0; i < EXPRESSIONS; i++) {
        pattern_fini(&filtering.matchers[i].pattern);
        free(filtering.matchers[i].known);
    }
    plain_tags_free(filtering.tag_focus);
    plain_tags_free(filtering.tag_ignore);
    free(filtering.takes);
    return rc;
}
