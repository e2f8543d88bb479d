// SPDX-License-Identifier: MIT
#include "output/perf_line.h"

#include <string.h>

#include "base/clock.h"

// --- the line that begins a record ---

static bool take_ids(struct text_span *line, struct perf_head *head)
{
    if (!scan_number(line, &head->tid) || head->tid > INT32_MAX)
        return false;
    head->pid = head->tid;
    head->has_pid = scan_text(line, "/");
    if (head->has_pid && (!scan_number(line, &head->tid) || head->tid > INT32_MAX))
        return false;
    head->thread.end = line->at;
    return scan_blank(line);
}

// The CPU, "[003]", and flags such as "d..1." that follow on request are skipped.
static void skip_cpu(struct text_span *line)
{
    struct text_span rest = *line;
    uint64_t cpu;
    if (scan_text(&rest, "[") && scan_number(&rest, &cpu) && scan_text(&rest, "]") &&
        scan_blank(&rest))
        *line = rest;
}

// Takes "100.000100:" with however many decimals.
static void take_time(struct text_span *line, struct perf_head *head)
{
    struct text_span rest = *line;
    uint64_t seconds, part;
    if (!scan_number(&rest, &seconds) || !scan_text(&rest, "."))
        return;
    const char *start = rest.at;
    if (!scan_number(&rest, &part) || !scan_text(&rest, ":") || seconds > INT32_MAX)
        return;
    size_t digits = (size_t)(rest.at - 1 - start);
    for (; digits < 9; digits++)
        part *= 10;
    for (; digits > 9; digits--)
        part /= 10;
    head->time = (int64_t)(seconds * NS_PER_S + part);
    *line = rest;
    scan_blanks(line);
}

static void take_period(struct text_span *line, struct perf_head *head)
{
    struct text_span rest = *line;
    int64_t period;
    if (!scan_signed(&rest, &period) || !scan_blank(&rest))
        return;
    head->period = period;
    *line = rest;
}

// Names of events have colons of their own: "sched:sched_switch:", "cycles:u:".
static bool take_event(struct text_span *line, struct perf_head *head)
{
    const char *end = line->at;
    while (end < line->end && *end != ' ' && *end != '\t')
        end++;
    head->event = (struct text_span){line->at, end - 1};
    line->at = end;
    scan_trim(line);
    head->rest = *line;
    return end > head->event.at + 1 && end[-1] == ':';
}

static bool parse_behind_name(struct text_span line, struct perf_head *head)
{
    head->time = head->period = -1;
    if (!take_ids(&line, head))
        return false;
    skip_cpu(&line);
    take_time(&line, head);
    take_period(&line, head);
    return take_event(&line, head);
}

// --show-mmap-events and the like write lines of other kinds of records.
static bool is_sample(const struct perf_head *head)
{
    static const char mark[] = "PERF_RECORD_";
    const char *start = head->name.at;
    return !memmem(start, (size_t)(head->event.end - start), mark, sizeof mark - 1);
}

bool perf_head_parse(struct text_span line, struct perf_head *head)
{
    scan_blanks(&line);
    const char *start = line.at;
    for (const char *at = start + 1; at < line.end; at++) {
        bool begins = (at[-1] == ' ' || at[-1] == '\t') && *at >= '0' && *at <= '9';
        if (!begins)
            continue;
        head->thread.at = start;
        if (parse_behind_name((struct text_span){at, line.end}, head)) {
            head->name = (struct text_span){start, at};
            scan_trim(&head->name);
            return is_sample(head);
        }
    }
    return false;
}

// --- frames ---

// Takes the file in parentheses off the end of the line. It may have some of its own:
// "(/lib/a.so (deleted))".
static void take_file(struct text_span *line, struct perf_frame *frame)
{
    unsigned depth = 0;
    frame->file = (struct text_span){line->end, line->end};
    if (!scan_left(line) || line->end[-1] != ')')
        return;
    for (const char *at = line->end; at-- > line->at;) {
        depth += *at == ')';
        depth -= *at == '(';
        if (!depth) {
            frame->file = (struct text_span){at + 1, line->end - 1};
            line->end = at;
            return;
        }
    }
}

static void strip_deleted(struct text_span *file)
{
    static const char mark[] = " (deleted)";
    size_t length = sizeof mark - 1;
    if (scan_left(file) > length && memcmp(file->end - length, mark, length) == 0)
        file->end -= length;
}

// "+0x3" behind the name is how far inside the function it is.
static void strip_offset(struct text_span *name)
{
    const char *plus = memrchr(name->at, '+', scan_left(name));
    struct text_span offset = {plus, name->end};
    uint64_t inside;
    if (plus && scan_text(&offset, "+0x") && scan_hex(&offset, &inside) && !scan_left(&offset))
        name->end = plus;
}

bool perf_frame_parse(struct text_span line, struct perf_frame *frame)
{
    scan_trim(&line);
    if (!scan_hex(&line, &frame->address) || (scan_left(&line) && !scan_blank(&line)))
        return false;
    take_file(&line, frame);
    scan_trim(&line);
    frame->name = line;
    strip_deleted(&frame->file);
    strip_offset(&frame->name);
    return true;
}
