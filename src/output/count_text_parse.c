// SPDX-License-Identifier: MIT
// What Go counts by stack (goroutine?debug=1, threadcreate?debug=1):
//   goroutine profile: total 5
//   3 @ 0x43a1d6 0x40726c
//   #	0x47a9c0	main.work+0x30	/src/main.go:12
// Its threadcreate has lines without an address, "6 @": those stacks are not known.
#include <string.h>

#include "output/legacy.h"
#include "output/parsers.h"

// Takes the name of what is counted from the first line.
static bool take_name(struct text_span *line, struct text_span *name)
{
    uint64_t total;
    *name = (struct text_span){line->at, line->at};
    while (scan_left(line) && !scan_is_at(line, ' ') && !scan_is_at(line, '\t'))
        line->at++;
    name->end = line->at;
    return scan_left(name) && scan_text(line, " profile: total ") && scan_number(line, &total) &&
           !scan_left(line);
}

static bool find_first(struct text_lines *lines, struct text_span *line)
{
    while (scan_line(lines, line))
        if (!scan_is_comment(*line))
            return true;
    return false;
}

bool count_text_recognizes(const char *bytes, size_t length)
{
    struct text_lines lines = {bytes, bytes + length, 0};
    struct text_span line, name;
    return find_first(&lines, &line) && take_name(&line, &name);
}

static void put_head(struct plain_profile *to, const struct text_span *name)
{
    char text[64] = "";
    size_t length = scan_left(name) < sizeof text ? scan_left(name) : sizeof text - 1;
    memcpy(text, name->at, length);
    plain_add_type(to, text, "count");
    to->period_type = to->types[0];
    to->period = 1;
}

static enum rc take_sample(struct legacy *legacy, struct text_span line, size_t number)
{
    int64_t count;
    if (!scan_signed(&line, &count) || count < 0 || !scan_text(&line, " @"))
        return err_set(legacy->err, RC_FORMAT, "line %zu is no count of stacks", number);
    enum rc rc = legacy_push_returns(legacy, line, number);
    return rc == RC_OK ? legacy_add(legacy, 0, &count) : rc;
}

static enum rc take_all(struct legacy *legacy, struct text_lines *lines)
{
    struct text_span line, name;
    enum rc rc = RC_OK;
    bool ended = false;
    if (!find_first(lines, &line) || !take_name(&line, &name))
        return err_set(legacy->err, RC_FORMAT, "it does not begin with a total");
    put_head(legacy->to, &name);
    legacy_set_drops(legacy, LEGACY_DROPS_CPU); // as of all that is neither heap nor locks
    while (rc == RC_OK && !ended && scan_line(lines, &line)) {
        ended = scan_text(&(struct text_span){line.at, line.end}, "---");
        if (scan_is_comment(line))
            legacy_comment(legacy, line);
        else if (!ended)
            rc = take_sample(legacy, line, lines->number);
    }
    if (rc == RC_OK)
        legacy_maps_behind(legacy, lines, ended ? &line : NULL);
    return rc;
}

enum rc count_text_parse(const char *bytes, size_t length, size_t room,
                         struct plain_profile **profile, struct err *err)
{
    struct text_lines lines = {bytes, bytes + length, 0};
    struct legacy legacy = legacy_new(room, err);
    *profile = NULL;
    return legacy_end(&legacy, take_all(&legacy, &lines), profile);
}
