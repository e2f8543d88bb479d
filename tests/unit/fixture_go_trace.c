// SPDX-License-Identifier: MIT
#include "fixture_go_trace.h"

#include <check.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define LENGTH_MAX 2048 // of numbers that have a length before them
#define PS_MAX 4096
#define NO_P UINT32_MAX
#define NOBODY 1
#define TEXTS_MAX 100000

// An assertion of Check writes a line each time that it holds.
#define MUST(holds) MUST_BE(holds, "not: " #holds)
#define MUST_BE(holds, ...) ((holds) ? (void)0 : ck_abort_msg(__VA_ARGS__))

enum status { NONE, RUNNABLE, RUNNING, WAITING };

struct input {
    const uint8_t *at, *end;
};

struct batch_of_p { // all events of a P, in the order of the file
    struct read_event *events;
    size_t count, capacity, taken;
    uint64_t runner; // while they are read, and again when they are merged
    bool on;
};

struct goroutine {
    enum status status;
    uint64_t sequence;
    uint32_t p;
};

struct reader {
    struct go_reading *reading;
    struct batch_of_p *ps; // [P + 2]; the second one is nobody's, the first has all samples
    size_t p_count;        // of them that have events
    struct goroutine *goroutines;
    size_t count, capacity;
    struct map ids;  // goroutine -> number
    struct map pcs;  // pc -> stack << 7 | frame, of the first one that has it
};

static uint64_t take_number(struct input *input)
{
    uint64_t number = 0;
    for (unsigned shift = 0;; shift += 7) {
        MUST_BE(input->at < input->end && shift < 64, "a number has no end");
        number |= (uint64_t)(*input->at & 0x7f) << shift;
        if (!(*input->at++ & 0x80))
            return number;
    }
}

static void take_string(struct go_reading *reading, struct input *input)
{
    uint64_t id = take_number(input), length = take_number(input);
    MUST(id && id < TEXTS_MAX && length && length < 1000000);
    MUST(length <= (size_t)(input->end - input->at));
    while (reading->text_capacity <= id) {
        size_t old = reading->text_capacity;
        ARRAY_RESERVE(reading->texts, old, reading->text_capacity);
        memset(&reading->texts[old], 0, (reading->text_capacity - old) * sizeof(char *));
    }
    MUST_BE(!reading->texts[id], "string %lu is there twice", (unsigned long)id);
    reading->texts[id] = xstrndup((const char *)input->at, length);
    input->at += length;
}

static void check_frame(struct reader *reader, const struct read_frame *frame, size_t number)
{
    struct go_reading *reading = reader->reading;
    uint32_t place = (uint32_t)(reading->stack_count << 7 | number);
    uint32_t known = map_get(&reader->pcs, frame->pc, UINT32_MAX);
    if (known == UINT32_MAX)
        map_put(&reader->pcs, frame->pc, place);
    const struct read_frame *first =
        known == UINT32_MAX ? frame : &reading->stacks[known >> 7].frames[known & 127];
    MUST_BE(first->name == frame->name && first->file == frame->file &&
                      first->line == frame->line, "two frames have one pc");
}

static void take_stack(struct reader *reader, struct input *input)
{
    struct go_reading *reading = reader->reading;
    uint64_t id = take_number(input), count = take_number(input);
    MUST(id && id < UINT32_MAX && count && count <= 128);
    ARRAY_RESERVE(reading->stacks, reading->stack_count, reading->stack_capacity);
    struct read_stack *stack = &reading->stacks[reading->stack_count];
    stack->count = count;
    for (size_t i = 0; i < count; i++) {
        struct read_frame *frame = &stack->frames[i];
        frame->pc = take_number(input);
        frame->name = take_number(input);
        frame->file = take_number(input);
        frame->line = take_number(input);
        MUST(frame->pc && frame->name);
        check_frame(reader, frame, i);
    }
    MUST(map_get(&reading->stack_ids, id, UINT32_MAX) == UINT32_MAX);
    map_put(&reading->stack_ids, id, (uint32_t)reading->stack_count++);
}

// How many numbers an event has, its time included.
static size_t numbers_of(enum go_event event)
{
    switch (event) {
    case GO_PROC_STOP: case GO_END: case GO_SYSCALL_BLOCK: return 1;
    case GO_PROC_START: case GO_PREEMPT: case GO_SLEEP: case GO_BLOCK: case GO_BLOCK_SELECT:
    case GO_BLOCK_SYNC: case GO_BLOCK_COND: case GO_BLOCK_NET: case GO_SYSCALL: return 2;
    case GO_START: case GO_GOMAXPROCS: return 3;
    case GO_CREATE: case GO_UNBLOCK: case GO_SYSCALL_EXIT: case GO_USER_LOG: return 4;
    case GO_CPU_SAMPLE: return 5;
    default: ck_abort_msg("event %d", event);
    }
}

static bool is_block(enum go_event event)
{
    return (event >= GO_SLEEP && event <= GO_BLOCK) || event == GO_SYSCALL_BLOCK ||
           (event >= GO_BLOCK_SELECT && event <= GO_BLOCK_NET);
}

static void set_goroutine(struct batch_of_p *p, struct read_event *event)
{
    event->goroutine = p->runner;
    if (event->event == GO_START)
        event->goroutine = p->runner = event->numbers[0];
    else if (is_block(event->event) || event->event == GO_PREEMPT || event->event == GO_END)
        p->runner = 0;
    else if (event->event == GO_SYSCALL_EXIT)
        event->goroutine = event->numbers[0];
}

static void add_sample(struct batch_of_p *samples, struct read_event event)
{
    ARRAY_RESERVE(samples->events, samples->count, samples->capacity);
    event.goroutine = event.numbers[2];
    event.tick = event.numbers[0];
    samples->events[samples->count++] = event;
}

static void take_event(struct reader *reader, struct input *input, uint32_t number, uint64_t *tick,
                       enum go_event type)
{
    struct batch_of_p *p = &reader->ps[number];
    ARRAY_RESERVE(p->events, p->count, p->capacity);
    struct read_event *event = &p->events[p->count++];
    *event = (struct read_event){.event = type, .p = number - 2, .count = numbers_of(type) - 1};
    if (number == NOBODY)
        event->p = GO_NOBODY;
    *tick += take_number(input);
    event->tick = *tick;
    for (size_t i = 0; i < event->count; i++)
        event->numbers[i] = take_number(input);
    set_goroutine(p, event);
    if (type == GO_CPU_SAMPLE)
        add_sample(&reader->ps[0], p->events[--p->count]);
    if (type == GO_USER_LOG) {
        uint64_t length = take_number(input);
        MUST(length && length < sizeof event->text);
        memcpy(event->text, input->at, length);
        input->at += length;
    }
}

static void take_record(struct reader *reader, struct input *input, uint32_t *p, uint64_t *tick)
{
    enum go_event type = *input->at & 63;
    unsigned flags = *input->at++ >> 6;
    MUST_BE(*p != NO_P || type == GO_BATCH, "the file begins without a batch");
    if (type == GO_BATCH) {
        MUST(flags == 1);
        uint64_t number = take_number(input);
        MUST(number == UINT64_MAX || number < PS_MAX - 2);
        *p = (uint32_t)(number + 2); // nobody's number is -1
        reader->p_count = *p >= reader->p_count ? *p + 1 : reader->p_count;
        *tick = take_number(input);
        const struct batch_of_p *batch = &reader->ps[*p];
        MUST(!batch->count || *tick >= batch->events[batch->count - 1].tick);
        reader->reading->batches++;
        return;
    }
    if (type == GO_STRING) {
        take_string(reader->reading, input);
        return;
    }
    struct input rest = {.end = NULL};
    if (flags == 3) {
        uint64_t length = take_number(input);
        MUST(length <= LENGTH_MAX && length <= (size_t)(input->end - input->at));
        rest = (struct input){input->at, input->at + length};
    }
    if (type == GO_STACK) {
        MUST(flags == 3);
        take_stack(reader, input);
    } else if (type == GO_FREQUENCY) {
        reader->reading->frequency = take_number(input);
    } else {
        size_t count = numbers_of(type);
        MUST(flags == (count < 4 ? count - 1 : 3));
        take_event(reader, input, *p, tick, type);
    }
    // The text of a log lies behind its numbers.
    MUST(!rest.end || rest.end == input->at || type == GO_USER_LOG);
}

// --- the order of events, as readers find it ---

static struct goroutine *goroutine_of(struct reader *reader, uint64_t id)
{
    uint32_t number = map_get(&reader->ids, id, UINT32_MAX);
    if (number == UINT32_MAX) {
        ARRAY_RESERVE(reader->goroutines, reader->count, reader->capacity);
        number = (uint32_t)reader->count++;
        reader->goroutines[number] = (struct goroutine){.status = NONE};
        map_put(&reader->ids, id, number);
    }
    return &reader->goroutines[number];
}

static bool is_ready(struct reader *reader, const struct read_event *event)
{
    const struct goroutine *goroutine = goroutine_of(reader, event->numbers[0]);
    switch (event->event) {
    case GO_CREATE: return goroutine->status == NONE && goroutine->sequence == 0;
    case GO_START: return goroutine->status == RUNNABLE && goroutine->sequence == event->numbers[1];
    case GO_UNBLOCK: case GO_SYSCALL_EXIT:
        return goroutine->status == WAITING && goroutine->sequence == event->numbers[1];
    default: break;
    }
    if (is_block(event->event) || event->event == GO_PREEMPT)
        return goroutine_of(reader, event->goroutine)->status == RUNNING;
    return true;
}

static void apply_to_p(struct batch_of_p *p, const struct read_event *event)
{
    if (event->event == GO_PROC_START || event->event == GO_PROC_STOP) {
        MUST(p->on == (event->event == GO_PROC_STOP) && !p->runner);
        p->on = event->event == GO_PROC_START;
    } else if (event->event == GO_START) {
        MUST_BE(p->on && !p->runner, "P %u runs two goroutines", event->p);
        p->runner = event->goroutine;
    } else if (event->event != GO_SYSCALL_EXIT && event->event != GO_CPU_SAMPLE) {
        MUST_BE(p->runner == event->goroutine, "P %u runs another goroutine", event->p);
        if (is_block(event->event) || event->event == GO_PREEMPT || event->event == GO_END)
            p->runner = 0;
    }
}

static void check_stacks(const struct go_reading *reading, const struct read_event *event)
{
    if (event->event == GO_CREATE)
        fixture_go_stack(reading, event->numbers[1]);
    if (event->count && event->event != GO_START && event->event != GO_PROC_START &&
        event->event != GO_SYSCALL_EXIT && event->numbers[event->count - 1])
        fixture_go_stack(reading, event->numbers[event->count - 1]);
}

static void apply(struct reader *reader, struct batch_of_p *p, const struct read_event *event)
{
    bool named = event->event == GO_CREATE || event->event == GO_UNBLOCK ||
                 event->event == GO_SYSCALL_EXIT;
    uint64_t id = named ? event->numbers[0] : event->goroutine;
    struct goroutine *goroutine = goroutine_of(reader, id);
    if (named || event->event == GO_START) {
        goroutine->sequence++;
        goroutine->status = event->event == GO_START ? RUNNING : RUNNABLE;
    } else if (is_block(event->event) || event->event == GO_PREEMPT || event->event == GO_END) {
        MUST(goroutine->status == RUNNING);
        goroutine->status = is_block(event->event)         ? WAITING
                            : event->event == GO_PREEMPT ? RUNNABLE : NONE;
    } else if (event->event == GO_CPU_SAMPLE) {
        MUST(goroutine->sequence);
    }
    apply_to_p(p, event);
}

// Which of several events of one time comes first is open, and here another one each time.
static struct batch_of_p *earliest(struct reader *reader, size_t turn)
{
    struct batch_of_p *found = NULL;
    for (size_t i = 0; i < reader->p_count; i++) {
        struct batch_of_p *p = &reader->ps[(i + turn) % reader->p_count];
        if (p->taken < p->count && is_ready(reader, &p->events[p->taken]) &&
            (!found || p->events[p->taken].tick < found->events[found->taken].tick))
            found = p;
    }
    return found;
}

static int compare_ticks(const void *left, const void *right)
{
    const struct read_event *a = left, *b = right;
    return (a->tick > b->tick) - (a->tick < b->tick);
}

static void merge(struct reader *reader)
{
    struct read_event *first = reader->ps[0].events;
    if (first)
        qsort(first, reader->ps[0].count, sizeof *first, compare_ticks);
    struct go_reading *reading = reader->reading;
    size_t left = 0;
    for (size_t i = 0; i < reader->p_count; i++) {
        left += reader->ps[i].count;
        reader->ps[i].runner = 0;
    }
    for (uint64_t tick = 0; left; left--) {
        struct batch_of_p *p = earliest(reader, left);
        MUST_BE(p, "there is no order in which all events are possible");
        struct read_event *event = &p->events[p->taken++];
        MUST_BE(event->tick >= tick, "the only order has times that go back");
        tick = event->tick;
        check_stacks(reading, event);
        apply(reader, p, event);
        ARRAY_RESERVE(reading->events, reading->count, reading->capacity);
        reading->events[reading->count++] = *event;
    }
}

static void check_end(struct reader *reader)
{
    MUST(reader->reading->frequency == 1000000000);
    MUST(reader->reading->count > 0);
    for (size_t i = 0; i < reader->count; i++)
        MUST_BE(reader->goroutines[i].status != RUNNING, "a goroutine runs on");
}

void fixture_go_read(struct go_reading *reading, const void *bytes, size_t length)
{
    static const char header[16] = "go 1.19 trace";
    struct reader reader = {.reading = reading};
    struct input input = {bytes, (const uint8_t *)bytes + length};
    uint32_t p = NO_P;
    uint64_t tick = 0;
    *reading = (struct go_reading){0};
    reader.p_count = NOBODY + 1;
    MUST(length > sizeof header && memcmp(bytes, header, sizeof header) == 0);
    reader.ps = xcalloc(PS_MAX, sizeof *reader.ps);
    for (input.at += sizeof header; input.at < input.end;)
        take_record(&reader, &input, &p, &tick);
    merge(&reader);
    check_end(&reader);
    for (size_t i = 0; i < reader.p_count; i++)
        free(reader.ps[i].events);
    free(reader.ps);
    free(reader.goroutines);
    map_fini(&reader.ids);
    map_fini(&reader.pcs);
}

void fixture_go_free(struct go_reading *reading)
{
    for (size_t i = 0; i < reading->text_capacity; i++)
        free(reading->texts[i]);
    free(reading->texts);
    free(reading->events);
    free(reading->stacks);
    map_fini(&reading->stack_ids);
}

const char *fixture_go_text(const struct go_reading *reading, uint64_t id)
{
    if (!id)
        return "";
    MUST(id < reading->text_capacity && reading->texts[id]);
    return reading->texts[id];
}

const struct read_stack *fixture_go_stack(const struct go_reading *reading, uint64_t id)
{
    uint32_t number = map_get(&reading->stack_ids, id, UINT32_MAX);
    MUST_BE(number != UINT32_MAX, "there is no stack %lu", (unsigned long)id);
    return &reading->stacks[number];
}
