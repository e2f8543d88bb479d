// SPDX-License-Identifier: MIT
// The text of `perf script`, of perf itself and of ptprof's traces. It is read twice: first for the
// events that there are, which are the types of the profile.
//   one event      samples/count, and the event's periods, as "cpu/nanoseconds" if it is a clock
//   several        EVENT_sample/count and EVENT_event of each, as perf_to_profile calls them
// The addresses that perf writes are those of calls' returns, of the file or of the process; as
// names are there, nothing is looked up, and mappings have a name and no place. Functions that were
// inlined have lines before the one that they were inlined into.
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "output/known.h"
#include "output/mapped_file.h"
#include "output/parsers.h"
#include "output/perf_line.h"
#include "profile/plain.h"

#define EVENTS_MAX 32
#define BEGINNING 1000 // lines that are looked at to know the format

struct event {
    int64_t period; // of its first record
    bool varies;
    size_t records;
};

struct perf_script {
    struct text_lines lines;
    struct plain_profile *to;
    struct strtab names; // of events; [0] is not used
    struct event events[EVENTS_MAX + 1];
    bool has_periods;
    int64_t first, last;   // time of records, ns; -1: none has one
    struct known threads;  // name and ids -> label set
    struct known frames;   // lines -> location + 1
    struct map functions, mappings; // text -> number
    struct plain_line *inlined;     // functions of the frame at hand
    size_t inlined_count, inlined_capacity;
    struct text_span group; // lines of the frame at hand; empty: its first one comes next
    uint32_t *stack;   // of the record at hand
    size_t depth, capacity;
    struct buf text;
    size_t room; // as in struct parser
    struct err *err;
};

static const char *text_of(struct perf_script *perf, const char *start, const char *end)
{
    buf_clear(&perf->text);
    buf_append(&perf->text, start, (size_t)(end - start));
    return perf->text.data;
}

static bool begins_blank(struct text_span line)
{
    return scan_is_at(&line, ' ') || scan_is_at(&line, '\t');
}

bool perf_script_recognizes(const char *bytes, size_t length)
{
    struct text_lines lines = {bytes, bytes + length, 0};
    struct perf_head head;
    struct text_span line;
    while (scan_line(&lines, &line) && lines.number < BEGINNING) {
        bool skipped = scan_is_comment(line) || begins_blank(line) ||
                       memmem(line.at, scan_left(&line), "PERF_RECORD_", 12);
        if (!scan_is_comment(line) && perf_head_parse(line, &head))
            return true;
        if (!skipped)
            return false;
    }
    return false;
}

// --- events ---

static enum rc note_event(struct perf_script *perf, const struct perf_head *head)
{
    uint32_t number = strtab_add(&perf->names, text_of(perf, head->event.at, head->event.end));
    if (number > EVENTS_MAX)
        return err_set(perf->err, RC_LIMIT, "it has more than %d events: perf script -e EVENT "
                       "writes one of them", EVENTS_MAX);
    struct event *event = &perf->events[number];
    bool new = !event->period && !event->varies;
    event->varies |= head->period <= 0 || (!new && event->period != head->period);
    event->period = new ? head->period : event->period;
    event->records++;
    perf->has_periods |= head->period >= 0;
    return RC_OK;
}

static void note_time(struct perf_script *perf, int64_t time)
{
    if (time < 0)
        return;
    perf->first = perf->first < 0 || time < perf->first ? time : perf->first;
    perf->last = time > perf->last ? time : perf->last;
}

// What `perf script --header` says of the recording.
static void note_comment(struct perf_script *perf, struct text_span line)
{
    static const char *const kept[] = {"captured on", "hostname", "cmdline"};
    if (!scan_text(&line, "# "))
        return;
    for (size_t i = 0; i < ARRAY_LENGTH(kept); i++)
        if (scan_text(&(struct text_span){line.at, line.end}, kept[i]))
            plain_add_comment(perf->to, text_of(perf, line.at, line.end));
}

// perf begins the lines of frames with a tab, and those of records never.
static bool is_frame(struct text_span line, struct perf_frame *frame)
{
    struct perf_head head;
    return begins_blank(line) && perf_frame_parse(line, frame) &&
           (scan_is_at(&line, '\t') || !perf_head_parse(line, &head));
}

static enum rc find_events(struct perf_script *perf)
{
    struct text_lines lines = perf->lines;
    struct perf_head head;
    struct perf_frame frame;
    struct text_span line;
    enum rc rc = RC_OK;
    while (rc == RC_OK && scan_line(&lines, &line)) {
        if (scan_is_at(&line, '\t') || is_frame(line, &frame))
            continue;
        if (scan_is_comment(line)) {
            note_comment(perf, line);
        } else if (perf_head_parse(line, &head)) {
            note_time(perf, head.time);
            rc = note_event(perf, &head);
        }
    }
    if (rc == RC_OK && perf->names.count < 2)
        return err_set(perf->err, RC_FORMAT, "it has no record of perf script");
    return rc;
}

static bool is_clock(const char *event)
{
    return strncmp(event, "cpu-clock", 9) == 0 || strncmp(event, "task-clock", 10) == 0;
}

// The event with the most records is shown first.
static void set_default(struct perf_script *perf)
{
    uint32_t most = 1;
    size_t width = perf->has_periods ? 2 : 1;
    for (uint32_t i = 2; i < perf->names.count; i++)
        most = perf->events[i].records > perf->events[most].records ? i : most;
    perf->to->default_type = perf->to->types[most * width - 1].type;
}

static void add_types(struct perf_script *perf)
{
    struct plain_profile *to = perf->to;
    bool single = perf->names.count == 2;
    for (uint32_t i = 1; i < perf->names.count; i++) {
        const char *event = strtab_get(&perf->names, i);
        AUTO_FREE char *counted = xasprintf("%s_sample", event);
        AUTO_FREE char *value = xasprintf("%s_event", event);
        plain_add_type(to, single ? "samples" : counted, "count");
        if (perf->has_periods)
            plain_add_type(to, !single ? value : is_clock(event) ? "cpu" : event,
                           is_clock(event) ? "nanoseconds" : "count");
    }
    if (single && perf->has_periods) {
        to->period_type = to->types[1];
        to->period = perf->events[1].varies ? 0 : perf->events[1].period;
    }
    to->duration = perf->first < 0 ? 0 : perf->last - perf->first;
    set_default(perf);
}

// --- frames ---

static uint32_t function_of(struct perf_script *perf, struct text_span name)
{
    uint32_t text = plain_text(perf->to, text_of(perf, name.at, name.end));
    uint32_t number = map_get(&perf->functions, text, PLAIN_NONE);
    if (number == PLAIN_NONE) {
        number = plain_add_function(perf->to, (struct plain_function){.name = text});
        map_put(&perf->functions, text, number);
    }
    return number;
}

static uint32_t mapping_of(struct perf_script *perf, struct text_span file)
{
    if (!scan_left(&file) || scan_is(file, "[unknown]") || scan_is(file, "inlined"))
        return PLAIN_NONE;
    uint32_t text = plain_text(perf->to, text_of(perf, file.at, file.end));
    uint32_t number = map_get(&perf->mappings, text, PLAIN_NONE);
    if (number == PLAIN_NONE) {
        number = plain_add_mapping(perf->to, (struct plain_mapping){
            .file = text,
            .made = mapped_file_is_made(plain_string(perf->to, text)),
            .has_functions = true,
        });
        map_put(&perf->mappings, text, number);
    }
    return number;
}

static void add_line(struct perf_script *perf, struct text_span name)
{
    if (!scan_left(&name) || scan_is(name, "[unknown]"))
        return;
    ARRAY_RESERVE(perf->inlined, perf->inlined_count, perf->inlined_capacity);
    perf->inlined[perf->inlined_count++] =
        (struct plain_line){.function = function_of(perf, name)};
}

static void push(struct perf_script *perf, uint32_t location)
{
    ARRAY_RESERVE(perf->stack, perf->depth, perf->capacity);
    perf->stack[perf->depth++] = location;
}

// Ends the frame at hand. What stands there again is the same location.
static void end_group(struct perf_script *perf, const struct perf_frame *frame)
{
    uint32_t *known = known_number(&perf->frames, perf->group.at, perf->group.end);
    if (!*known) {
        add_line(perf, frame->name);
        uint32_t mapping = mapping_of(perf, frame->file);
        *known = plain_add_location(perf->to, mapping, frame->address, perf->inlined,
                                    perf->inlined_count) + 1;
    }
    push(perf, *known - 1);
    perf->inlined_count = 0;
    perf->group = (struct text_span){0};
}

static void take_frame(struct perf_script *perf, struct text_span line,
                       const struct perf_frame *frame)
{
    if (!perf->group.at)
        perf->group.at = line.at;
    perf->group.end = line.end;
    if (scan_is(frame->file, "inlined"))
        add_line(perf, frame->name);
    else
        end_group(perf, frame);
}

// --- records ---

static uint32_t labels_of(struct perf_script *perf, const struct perf_head *head)
{
    uint32_t *known = known_number(&perf->threads, head->thread.at, head->thread.end);
    if (!*known) {
        AUTO_FREE char *tid = xasprintf("%u", (unsigned)head->tid);
        const char *name = text_of(perf, head->name.at, head->name.end);
        uint32_t set = plain_with_text(perf->to, 0, "thread", name);
        set = plain_with_text(perf->to, set, "thread_id", tid);
        set = plain_with_number(perf->to, set, "tid", (int64_t)head->tid);
        *known = head->has_pid ? plain_with_number(perf->to, set, "pid", (int64_t)head->pid) : set;
    }
    return *known;
}

static enum rc end_record(struct perf_script *perf, const struct perf_head *head)
{
    int64_t values[2 * EVENTS_MAX] = {0};
    if (perf->group.at) // the line of the function that the last ones were inlined into lacks
        end_group(perf, &(struct perf_frame){0});
    uint32_t event = strtab_add(&perf->names, text_of(perf, head->event.at, head->event.end));
    size_t first = (event - 1) * (perf->has_periods ? 2 : 1);
    values[first] = 1;
    if (perf->has_periods)
        values[first + 1] = head->period > 0 ? head->period : 0;
    uint32_t stack = plain_stack(perf->to, perf->stack, perf->depth);
    plain_add(perf->to, plain_sample(perf->to, stack, labels_of(perf, head)), values);
    perf->depth = 0;
    return RC_OK;
}

// Without call chains the only frame stands in the line of the record.
static void begin_record(struct perf_script *perf, const struct perf_head *head)
{
    struct perf_frame frame;
    if (scan_left(&head->rest) && perf_frame_parse(head->rest, &frame) && scan_left(&frame.file))
        take_frame(perf, head->rest, &frame);
}

// Returns how many bytes there are beside the profile.
static size_t memory_of(const struct perf_script *perf)
{
    return known_memory(&perf->threads) + known_memory(&perf->frames) +
           (perf->functions.capacity + perf->mappings.capacity) * sizeof *perf->functions.slots +
           perf->capacity * sizeof *perf->stack +
           perf->inlined_capacity * sizeof *perf->inlined;
}

// Lines that are neither, such as those of source lines and of PERF_RECORD_MMAP, are skipped.
static enum rc take_records(struct perf_script *perf)
{
    struct text_lines lines = perf->lines;
    struct perf_head head, next;
    struct perf_frame frame;
    struct text_span line;
    bool within = false;
    enum rc rc = RC_OK;
    while (rc == RC_OK && scan_line(&lines, &line)) {
        if (is_frame(line, &frame)) {
            rc = parser_check_room(perf->to, perf->depth + 1, memory_of(perf), perf->room,
                                   perf->err);
            if (within && rc == RC_OK)
                take_frame(perf, line, &frame);
            continue;
        }
        bool begins = !scan_is_comment(line) && perf_head_parse(line, &next);
        if (within && (begins || scan_is_comment(line)))
            rc = end_record(perf, &head);
        within = begins || (within && !scan_is_comment(line));
        if (begins)
            begin_record(perf, &next);
        head = begins ? next : head;
    }
    return rc == RC_OK && within ? end_record(perf, &head) : rc;
}

// The first mapping of a profile is the program's.
static void put_program_first(struct plain_profile *to)
{
    struct plain_code *code = &to->code;
    uint32_t program = 0;
    while (program < code->mapping_count &&
           !mapped_file_is_program(plain_string(to, code->mappings[program].file)))
        program++;
    if (!program || program == code->mapping_count)
        return;
    struct plain_mapping kept = code->mappings[0];
    code->mappings[0] = code->mappings[program];
    code->mappings[program] = kept;
    for (size_t i = 0; i < code->location_count; i++) {
        uint32_t *mapping = &code->locations[i].mapping;
        *mapping = *mapping == 0 ? program : *mapping == program ? 0 : *mapping;
    }
}

static enum rc take_all(struct perf_script *perf)
{
    if (memchr(perf->lines.at, '\0', (size_t)(perf->lines.end - perf->lines.at)))
        return err_set(perf->err, RC_FORMAT, PARSER_HAS_NUL);
    enum rc rc = find_events(perf);
    if (rc != RC_OK)
        return rc;
    add_types(perf);
    rc = take_records(perf);
    put_program_first(perf->to);
    return rc;
}

static void fini(struct perf_script *perf)
{
    strtab_fini(&perf->names);
    known_fini(&perf->threads);
    known_fini(&perf->frames);
    map_fini(&perf->functions);
    map_fini(&perf->mappings);
    free(perf->inlined);
    free(perf->stack);
    buf_fini(&perf->text);
}

enum rc perf_script_parse(const char *bytes, size_t length, size_t room,
                          struct plain_profile **profile, struct err *err)
{
    struct perf_script perf = {
        .lines = {bytes, bytes + length, 0},
        .to = plain_new(),
        .first = -1,
        .last = -1,
        .room = room,
        .err = err,
    };
    strtab_init(&perf.names);
    known_init(&perf.threads);
    known_init(&perf.frames);
    enum rc rc = take_all(&perf);
    *profile = rc == RC_OK ? perf.to : NULL;
    if (rc != RC_OK)
        plain_free(perf.to);
    fini(&perf);
    return rc;
}
