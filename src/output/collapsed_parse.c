// SPDX-License-Identifier: MIT
// Collapsed ("folded") stacks, "root;...;leaf COUNT", as stackcollapse-*.pl and others write them
// and flamegraph.pl reads them. The last blank of a line splits; empty lines and those that begin
// with '#' are nothing. What flamegraph.pl only warns of is an error here: a line without a count.
//   decimals   are rounded in the sum of a stack
//   _[k]       the frame is in "[kernel.kallsyms]", as perf says
//   _[j]       its process made the code ("[jit]")
//   _[i]       it was inlined into the frame before it; others stay part of the name
//   a;b 7 150  if all lines are so, they are of difffolded.pl: the difference of two profiles. That
//              is refused, because the two files say more. If some are, it is a name with a number
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "output/known.h"
#include "output/parsers.h"
#include "output/scan.h"
#include "profile/plain.h"

#define BEGINNING 10 // lines with stacks that have to be good for the format to be this one

struct collapsed_line {
    struct text_span stack;
    uint64_t count;
    double part; // of one, behind the point
};

enum suffix {
    SUFFIX_NONE,
    SUFFIX_KERNEL,
    SUFFIX_JIT,
    SUFFIX_INLINED,
    SUFFIXES,
};

struct collapsed_text {
    struct text_lines lines;
    struct plain_profile *to;
    struct known frames; // with what was inlined into them -> location + 1
    struct known names;  // of functions -> number + 1
    uint32_t mappings[SUFFIXES];
    struct plain_line *inlined; // the function that has code of its own first
    size_t inlined_count, inlined_capacity;
    double *parts; // [sample]: sum of what counts have behind the point
    size_t capacity;
    bool has_parts;
    size_t room; // as in struct parser
    struct err *err;
};

// --- lines ---

// Takes a count off the end of a line, with the blanks before it: "12", "12.", "12.5".
static bool take_count(struct text_span *line, uint64_t *count, double *part)
{
    const char *at = line->end;
    while (at > line->at && at[-1] != ' ' && at[-1] != '\t')
        at--;
    struct text_span digits = {at, line->end};
    uint64_t decimals = 0;
    *part = 0;
    if (!scan_number(&digits, count))
        return false;
    const char *point = digits.at;
    if (scan_text(&digits, ".") && scan_number(&digits, &decimals))
        *part = (double)decimals / pow(10, (double)(digits.at - point - 1));
    if (scan_left(&digits))
        return false;
    line->end = at;
    scan_trim(line);
    return true;
}

static bool parse_line(struct text_span line, struct collapsed_line *parsed)
{
    scan_trim(&line);
    bool counted = take_count(&line, &parsed->count, &parsed->part);
    parsed->stack = line;
    return counted && scan_left(&line);
}

bool collapsed_recognizes(const char *bytes, size_t length)
{
    struct text_lines lines = {bytes, bytes + length, 0};
    struct collapsed_line parsed;
    struct text_span line;
    int good = 0;
    while (good < BEGINNING && scan_line(&lines, &line)) {
        if (scan_is_comment(line))
            continue;
        if (memchr(line.at, '\0', scan_left(&line)) || !parse_line(line, &parsed))
            return false;
        good++;
    }
    return good;
}

// Says whether all lines have two counts.
static bool has_two_columns(const struct collapsed_text *collapsed)
{
    struct text_lines lines = collapsed->lines;
    struct collapsed_line parsed;
    struct text_span line;
    uint64_t other;
    double part;
    size_t count = 0;
    while (scan_line(&lines, &line)) {
        if (scan_is_comment(line))
            continue;
        if (!parse_line(line, &parsed) || !take_count(&parsed.stack, &other, &part) ||
            !scan_left(&parsed.stack))
            return false;
        count++;
    }
    return count;
}

// --- frames ---

static enum suffix take_suffix(struct text_span *name)
{
    static const char *const texts[] = {
        [SUFFIX_KERNEL] = "_[k]", [SUFFIX_JIT] = "_[j]", [SUFFIX_INLINED] = "_[i]"};
    for (enum suffix i = SUFFIX_KERNEL; i < SUFFIXES; i++) {
        if (scan_left(name) > 4 && memcmp(name->end - 4, texts[i], 4) == 0) {
            name->end -= 4;
            return i;
        }
    }
    return SUFFIX_NONE;
}

static uint32_t mapping_of(struct collapsed_text *collapsed, enum suffix suffix)
{
    static const char *const files[SUFFIXES] = {
        [SUFFIX_KERNEL] = "[kernel.kallsyms]", [SUFFIX_JIT] = "[jit]"};
    uint32_t *known = &collapsed->mappings[suffix];
    if (*known == PLAIN_NONE && files[suffix])
        *known = plain_add_mapping(collapsed->to, (struct plain_mapping){
            .file = plain_text(collapsed->to, files[suffix]),
            .made = suffix == SUFFIX_JIT,
            .has_functions = true,
        });
    return *known;
}

static void add_line(struct collapsed_text *collapsed, struct text_span name)
{
    uint32_t *known = known_number(&collapsed->names, name.at, name.end);
    if (!*known) {
        AUTO_FREE char *text = xstrndup(name.at, scan_left(&name));
        *known = plain_add_function(collapsed->to, (struct plain_function){
                     .name = plain_text(collapsed->to, text)}) + 1;
    }
    ARRAY_RESERVE(collapsed->inlined, collapsed->inlined_count, collapsed->inlined_capacity);
    collapsed->inlined[collapsed->inlined_count++] = (struct plain_line){.function = *known - 1};
}

static struct text_span take_name(struct text_span *stack)
{
    const char *end = memchr(stack->at, ';', scan_left(stack));
    struct text_span name = {stack->at, end ? end : stack->end};
    stack->at = end ? end + 1 : stack->end;
    return name;
}

// Takes a frame, and those behind it that were inlined into it.
static struct text_span take_group(struct text_span *stack)
{
    struct text_span group = take_name(stack), rest = *stack;
    while (scan_left(&rest)) {
        struct text_span name = take_name(&rest);
        if (take_suffix(&name) != SUFFIX_INLINED)
            break;
        group.end = name.end + 4;
        *stack = rest;
    }
    return group;
}

static uint32_t add_location(struct collapsed_text *collapsed, struct text_span group)
{
    struct text_span name = take_name(&group);
    enum suffix suffix = take_suffix(&name);
    collapsed->inlined_count = 0;
    add_line(collapsed, name);
    while (scan_left(&group)) {
        name = take_name(&group);
        take_suffix(&name);
        add_line(collapsed, name);
    }
    struct plain_line *lines = collapsed->inlined;
    for (size_t i = 0, j = collapsed->inlined_count - 1; i < j; i++, j--) {
        struct plain_line kept = lines[i];
        lines[i] = lines[j];
        lines[j] = kept;
    }
    return plain_add_location(collapsed->to, mapping_of(collapsed, suffix), 0, lines,
                              collapsed->inlined_count);
}

static uint32_t location_of(struct collapsed_text *collapsed, struct text_span group)
{
    uint32_t *known = known_number(&collapsed->frames, group.at, group.end);
    if (!*known)
        *known = add_location(collapsed, group) + 1;
    return *known - 1;
}

// --- stacks ---

// Returns how many bytes there are beside the profile.
static size_t memory_of(const struct collapsed_text *collapsed)
{
    return known_memory(&collapsed->frames) + known_memory(&collapsed->names) +
           collapsed->capacity * sizeof *collapsed->parts +
           collapsed->inlined_capacity * sizeof *collapsed->inlined;
}

static enum rc take_stack(struct collapsed_text *collapsed, struct text_span stack, uint32_t *node)
{
    *node = 0;
    while (scan_left(&stack)) {
        struct text_span group = take_group(&stack);
        enum rc rc = parser_check_room(collapsed->to, 1, memory_of(collapsed), collapsed->room,
                                       collapsed->err);
        if (rc != RC_OK)
            return rc;
        if (scan_left(&group))
            *node = plain_child(collapsed->to, *node, location_of(collapsed, group));
    }
    return RC_OK;
}

static void add_count(struct collapsed_text *collapsed, uint32_t stack,
                      const struct collapsed_line *line)
{
    size_t known = collapsed->to->samples.count;
    uint32_t sample = plain_sample(collapsed->to, stack, 0);
    int64_t value = line->count < INT64_MAX ? (int64_t)line->count : INT64_MAX;
    plain_add(collapsed->to, sample, &value);
    ARRAY_RESERVE(collapsed->parts, sample, collapsed->capacity);
    collapsed->parts[sample] = sample < known ? collapsed->parts[sample] + line->part : line->part;
    collapsed->has_parts |= line->part > 0;
}

static enum rc take_lines(struct collapsed_text *collapsed)
{
    struct text_lines lines = collapsed->lines;
    struct collapsed_line parsed;
    struct text_span line;
    uint32_t stack;
    while (scan_line(&lines, &line)) {
        if (scan_is_comment(line))
            continue;
        if (!parse_line(line, &parsed))
            return err_set(collapsed->err, RC_FORMAT, "line %zu is no stack with a count at its "
                           "end", lines.number);
        enum rc rc = take_stack(collapsed, parsed.stack, &stack);
        if (rc != RC_OK)
            return rc;
        add_count(collapsed, stack, &parsed);
    }
    return RC_OK;
}

static void put_parts(struct collapsed_text *collapsed)
{
    if (!collapsed->has_parts)
        return;
    for (uint32_t i = 0; i < collapsed->to->samples.count; i++) {
        int64_t value = (int64_t)round(collapsed->parts[i]);
        plain_add(collapsed->to, i, &value);
    }
    plain_add_comment(collapsed->to, "counts with decimals were rounded");
}

static enum rc take_all(struct collapsed_text *collapsed)
{
    const struct text_lines *lines = &collapsed->lines;
    if (memchr(lines->at, '\0', (size_t)(lines->end - lines->at)))
        return err_set(collapsed->err, RC_FORMAT, PARSER_HAS_NUL);
    if (has_two_columns(collapsed))
        return err_set(collapsed->err, RC_FORMAT, "it is a difference of two profiles: each line "
                       "ends in two counts, as difffolded.pl writes them. `ptprof diff OLD NEW` "
                       "compares the two files that it was made of");
    plain_add_type(collapsed->to, "samples", "count");
    enum rc rc = take_lines(collapsed);
    if (rc == RC_OK)
        put_parts(collapsed);
    return rc;
}

enum rc collapsed_parse(const char *bytes, size_t length, size_t room,
                        struct plain_profile **profile, struct err *err)
{
    struct collapsed_text collapsed = {
        .lines = {bytes, bytes + length, 0}, .to = plain_new(), .room = room, .err = err};
    for (size_t i = 0; i < SUFFIXES; i++)
        collapsed.mappings[i] = PLAIN_NONE;
    known_init(&collapsed.frames);
    known_init(&collapsed.names);
    enum rc rc = take_all(&collapsed);
    *profile = rc == RC_OK ? collapsed.to : NULL;
    if (rc != RC_OK)
        plain_free(collapsed.to);
    known_fini(&collapsed.frames);
    known_fini(&collapsed.names);
    free(collapsed.inlined);
    free(collapsed.parts);
    return rc;
}
