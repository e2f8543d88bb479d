// SPDX-License-Identifier: MIT
#include "unwind/walker.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/thread.h"
#include "process/space.h"
#include "reader/channel.h"
#include "reader/reader.h"
#include "unwind/area_unwinder.h"
#include "unwind/reader/walk_server.h"
#include "unwind/walk_wire.h"

#define PATIENCE_MS 2000     // the same as for one read of a file
#define ATTEMPTS 2           // per stack, each by another process
// So many processes may be started, and one more for each second. A stack that is not unwound
// meanwhile is only its leaf.
#define REPLACED_MAX 50
#define NONE SIZE_MAX
#define QUESTIONS_MAX 20000u // that the process may ask in one request

struct walker {
    struct reader_process reader;
    size_t max_depth;
    // NULL: the calling process unwinds.
    struct walk_exchange *exchange;
    struct map barred;   // module -> 1: a process died or hung when it read its file
    int64_t began;       // when walker_new was called, CLOCK_MONOTONIC ns
    unsigned started;    // number of processes so far
    // Number of stacks that are still asked for one by one, because a process died of one.
    unsigned singly;
    uint32_t spaces;     // number of spaces so far, which numbers them
    const struct walked *asked; // the space whose stacks are in the answer
    const struct capture *ahead[WALK_AHEAD]; // their captures; NULL once a stack was taken
    size_t ahead_at[WALK_AHEAD + 1];         // offset of each stack in the answer
    size_t ahead_count;
    struct unwind_frame *frames;
};

struct walked {
    struct walker *walker;
    struct space *space;
    uint32_t number;
    // This is walker->started when the process got the areas of the space; 0: it has not got them.
    unsigned told;
    bool replaced; // areas were replaced since then
    struct area_source source; // these two are only used where this process unwinds
    struct unwinder *unwinder;
};

// --- the process

static const struct walker *serving; // the walker whose process is being started
static void (*run_server)(int channel, struct walk_exchange *exchange,
                          size_t max_depth) = walk_server_run;

static void serve(int channel)
{
    run_server(channel, serving->exchange, serving->max_depth);
}

static const struct reader_service service = {.serve = serve};

void walker_set_service(void (*other)(int channel, struct walk_exchange *exchange,
                                      size_t max_depth))
{
    run_server = other;
}

static bool tell(const struct walker *walker, const struct walk_message *message, size_t length,
                 int fd)
{
    return channel_send(walker->reader.channel, message, length, fd);
}

// The process inherits the exchange; no other one does.
static bool fork_server(struct walker *walker)
{
    const size_t size = walk_exchange_bytes(walker->max_depth);
    serving = walker;
    madvise(walker->exchange, size, MADV_DOFORK);
    enum rc rc = reader_start(&walker->reader, &service, PATIENCE_MS);
    madvise(walker->exchange, size, MADV_DONTFORK);
    return rc == RC_OK;
}

static bool start(struct walker *walker)
{
    if (walker->reader.pid)
        return true;
    if (walker->started > REPLACED_MAX + (clock_now() - walker->began) / NS_PER_S ||
        !fork_server(walker))
        return false;
    walker->started++;
    return true;
}

// Ends a process that died or hung. The file that it was reading is not read again.
static void give_up(struct walker *walker)
{
    uint32_t reading = atomic_load(&walker->exchange->reading);
    reader_end(&walker->reader);
    if (reading)
        map_put(&walker->barred, reading - 1, 1);
    atomic_store(&walker->exchange->reading, 0);
}

static void map_exchange(struct walker *walker)
{
    void *memory = mmap(NULL, walk_exchange_bytes(walker->max_depth), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    walker->exchange = memory == MAP_FAILED ? NULL : memory;
}

struct walker *walker_new(size_t max_depth)
{
    struct walker *walker = xcalloc(1, sizeof *walker);
    walker->max_depth = max_depth;
    walker->began = clock_now();
    walker->frames = xcalloc(max_depth, sizeof *walker->frames);
    map_exchange(walker);
    if (walker->exchange && !start(walker)) {
        munmap(walker->exchange, walk_exchange_bytes(walker->max_depth));
        walker->exchange = NULL;
    }
    return walker;
}

void walker_free(struct walker *walker)
{
    if (!walker)
        return;
    reader_end(&walker->reader);
    if (walker->exchange)
        munmap(walker->exchange, walk_exchange_bytes(walker->max_depth));
    map_fini(&walker->barred);
    free(walker->frames);
    free(walker);
}

int walker_pid(const struct walker *walker)
{
    return walker->reader.pid;
}

void walker_lead(const struct walker *walker)
{
    if (walker->reader.pid)
        thread_lead(walker->reader.pid);
}

unsigned walker_replaced(const struct walker *walker)
{
    return walker->started > 1 ? walker->started - 1 : 0;
}

// --- spaces

static size_t read_made(void *context, uint64_t address, void *to, size_t length)
{
    const struct walked *walked = context;
    return space_read_made(walked->space, address, to, length);
}

static struct image *open_debug(void *context, const struct module *module)
{
    const struct walked *walked = context;
    return space_debug_image(walked->space, module);
}

struct walked *walked_new(struct walker *walker, struct space *space)
{
    struct walked *walked = xcalloc(1, sizeof *walked);
    walked->walker = walker;
    walked->space = space;
    walked->number = walker->spaces++;
    if (walker->exchange)
        return walked;
    walked->source = (struct area_source){
        .areas = space_areas(space),
        .context = walked,
        .read_made = read_made,
        .open_debug = open_debug,
    };
    walked->unwinder = area_unwinder_new(&walked->source, walker->max_depth);
    return walked;
}

void walked_free(struct walked *walked)
{
    if (!walked)
        return;
    struct walker *walker = walked->walker;
    const struct walk_message forget = {.kind = WALK_FORGET, .number = walked->number};
    if (walked->told && walked->told == walker->started && walker->reader.pid &&
        !tell(walker, &forget, WALK_HEAD, -1))
        give_up(walker);
    if (walker->asked == walked)
        walker->asked = NULL;
    unwinder_free(walked->unwinder);
    free(walked);
}

void walked_changed(struct walked *walked, bool replaced)
{
    walked->told = 0;
    walked->replaced |= replaced;
    if (walked->walker->asked == walked)
        walked->walker->asked = NULL;
    if (walked->unwinder && replaced)
        unwinder_flush(walked->unwinder);
}

// --- sending areas

static void put_area(const struct walker *walker, const struct area *area, struct walk_area *to)
{
    const struct module *module = area->mapping->module;
    bool probe = strcmp(module->path, "[uprobes]") == 0;
    bool image = module->image && !map_get(&walker->barred, module->id, 0);
    *to = (struct walk_area){
        .start = area->start,
        .end = area->end,
        .bias = area->bias,
        .extent_start = area->extent_start,
        .extent_end = area->extent_end,
        .module = module->id,
        .flags = (module->kind == MODULE_FILE ? WALK_AREA_FILE : 0u) |
                 (probe ? WALK_AREA_PROBE : 0u) | (image ? WALK_AREA_IMAGE : 0u),
    };
}

static bool tell_space(struct walked *walked)
{
    struct walker *walker = walked->walker;
    const struct areas *areas = space_areas(walked->space);
    if (walked->told == walker->started)
        return true;
    size_t count = areas->count < WALK_AREAS ? areas->count : WALK_AREAS;
    for (size_t i = 0; i < count; i++)
        put_area(walker, &areas->list[i], &walker->exchange->areas[i]);
    const struct walk_message message = {
        .kind = WALK_SPACE,
        .number = walked->number,
        .count = (uint32_t)count,
        .flags = walked->replaced ? WALK_REPLACED : 0,
    };
    walked->told = walker->started;
    walked->replaced = false;
    return tell(walker, &message, WALK_HEAD, -1);
}

// --- answering the process

static bool give_code(struct walked *walked, const struct walk_message *question)
{
    struct walk_message answer = {.kind = WALK_CODE};
    uint32_t count = question->count < WALK_CODE_MAX ? question->count : WALK_CODE_MAX;
    answer.count = (uint32_t)space_read_made(walked->space, question->address, answer.code, count);
    return tell(walked->walker, &answer, WALK_HEAD + answer.count, -1);
}

static bool give_file(struct walked *walked, const struct image *image)
{
    const struct walk_message answer = {.kind = WALK_FILE};
    AUTO_FD int fd = image ? image_reopen(image) : -1;
    return tell(walked->walker, &answer, WALK_HEAD, fd);
}

static bool give_image(struct walked *walked, const struct walk_message *question)
{
    const struct module *module = space_module(walked->space, question->number);
    bool barred = map_get(&walked->walker->barred, question->number, 0);
    return give_file(walked, module && !barred ? module->image : NULL);
}

static bool give_debug(struct walked *walked, const struct walk_message *question)
{
    const struct module *module = space_module(walked->space, question->number);
    struct image *image = module ? space_debug_image(walked->space, module) : NULL;
    bool given = give_file(walked, image);
    image_free(image);
    return given;
}

static bool answer(struct walked *walked, const struct walk_message *question)
{
    switch (question->kind) {
    case WALK_WANT_CODE:
        return give_code(walked, question);
    case WALK_WANT_IMAGE:
        return give_image(walked, question);
    case WALK_WANT_DEBUG:
        return give_debug(walked, question);
    default:
        return false;
    }
}

// Answers the questions of the process until it is done. Returns how many stacks are in the answer;
// 0 when the process has died, does not answer or violates the protocol.
static uint32_t hear_stacks(struct walked *walked, uint32_t asked)
{
    int64_t given_up = clock_now() + PATIENCE_MS * NS_PER_MS;
    const struct reader_process *reader = &walked->walker->reader;
    struct walk_message message;
    for (unsigned i = 0;
         i < QUESTIONS_MAX &&
         reader_hear(reader, &message, sizeof message, given_up) >= WALK_HEAD; i++) {
        if (message.kind == WALK_DONE)
            return message.count <= asked ? message.count : 0;
        if (!answer(walked, &message))
            return 0;
    }
    return 0;
}

// --- stacks

static size_t length_of(const struct capture *capture)
{
    size_t length = sizeof *capture + capture->stack_length;
    for (uint32_t i = 0; i < capture->window_count && i < STACK_WINDOWS; i++)
        length += capture->windows[i].length;
    return length;
}

// Puts as many captures into the request as it has room for, and returns how many.
static uint32_t put_captures(struct walker *walker, const struct capture *const *captures,
                             size_t count)
{
    size_t at = 0;
    uint32_t done = 0;
    for (; done < count; done++) {
        size_t length = length_of(captures[done]);
        const struct walk_bytes bytes = {(length + 7) & ~(size_t)7};
        if (at + sizeof bytes + bytes.length > WALK_REQUEST_BYTES)
            break;
        memcpy(walker->exchange->request + at, &bytes, sizeof bytes);
        memcpy(walker->exchange->request + at + sizeof bytes, captures[done], length);
        at += sizeof bytes + bytes.length;
    }
    return done;
}

// Finds where the stacks begin in the answer. The process may change that memory at any time, so
// each offset is read once, and the bounds are checked again when a stack is taken.
static void find_stacks(struct walker *walker, uint32_t count)
{
    size_t at = 0;
    for (walker->ahead_count = 0; walker->ahead_count < count; walker->ahead_count++) {
        struct walk_stack stack;
        if (at > walk_answer_bytes(walker->max_depth) - sizeof stack)
            return;
        memcpy(&stack, walker->exchange->answer + at, sizeof stack);
        walker->ahead_at[walker->ahead_count] = at;
        at += sizeof stack + (size_t)stack.count * sizeof(struct walk_frame);
    }
}

static bool ask(struct walked *walked, const struct capture *const *captures, size_t count)
{
    struct walker *walker = walked->walker;
    walker->asked = NULL;
    if (!start(walker))
        return false;
    if (tell_space(walked)) {
        uint32_t asked = put_captures(walker, captures, count);
        const struct walk_message message = {
            .kind = WALK_STACKS, .number = walked->number, .count = asked};
        uint32_t done = 0;
        if (asked && tell(walker, &message, WALK_HEAD, -1))
            done = hear_stacks(walked, asked);
        memcpy(walker->ahead, captures, done * sizeof *captures);
        find_stacks(walker, done);
        walker->asked = walked;
        if (walker->ahead_count)
            return true;
    }
    give_up(walker);
    return false;
}

void walked_ahead(struct walked *walked, const struct capture *const *captures, size_t count)
{
    struct walker *walker = walked->walker;
    if (!walker->exchange)
        return;
    if (walker->singly)
        walker->singly--;
    else if (!ask(walked, captures, count < WALK_AHEAD ? count : WALK_AHEAD))
        walker->singly = WALK_AHEAD;
}

static struct unwind_result leaf_alone(struct walker *walker, const struct capture *capture)
{
    walker->frames[0] = (struct unwind_frame){
        .pc = capture_pc(capture), .sp = capture_sp(capture), .interrupted = true};
    return (struct unwind_result){.frames = walker->frames, .count = 1, .end = UNWIND_NO_INFO};
}

// Takes a stack out of the answer; returns false when it violates the protocol.
static bool take(struct walker *walker, size_t at, struct unwind_result *result)
{
    struct walk_stack stack;
    const unsigned char *from = walker->exchange->answer + at;
    memcpy(&stack, from, sizeof stack);
    size_t room = (walk_answer_bytes(walker->max_depth) - at - sizeof stack) /
                  sizeof(struct walk_frame);
    if (!stack.count || stack.count > walker->max_depth || stack.count > room ||
        stack.end > UNWIND_PROBE)
        return false;
    for (uint32_t i = 0; i < stack.count; i++) {
        struct walk_frame frame;
        memcpy(&frame, from + sizeof stack + i * sizeof frame, sizeof frame);
        walker->frames[i] = (struct unwind_frame){
            .pc = frame.pc,
            .interrupted = frame.interrupted,
            .sp = frame.sp,
            .step = frame.step <= STEP_SWITCH ? (enum unwind_step)frame.step : STEP_CAPTURE,
        };
    }
    *result = (struct unwind_result){
        .frames = walker->frames,
        .count = stack.count,
        .end = (enum unwind_end)stack.end,
        .stack_needed = stack.stack_needed,
        .windows_used = stack.windows_used,
        .root = stack.root,
        .missed = stack.missed,
        .second_at = stack.second_at,
        .second_hop = stack.second_hop,
        .frame_pointer_steps = stack.frame_pointer_steps,
    };
    return true;
}

// Returns the index in the answer of the stack of the capture; NONE when it is not there.
static size_t find_ahead(const struct walked *walked, const struct capture *capture)
{
    const struct walker *walker = walked->walker;
    for (size_t i = 0; walker->asked == walked && i < walker->ahead_count; i++)
        if (walker->ahead[i] == capture)
            return i;
    return NONE;
}

bool walked_has(const struct walked *walked, const struct capture *capture)
{
    return walked->unwinder || find_ahead(walked, capture) != NONE;
}

static bool take_ahead(struct walked *walked, const struct capture *capture,
                       struct unwind_result *result)
{
    struct walker *walker = walked->walker;
    size_t at = find_ahead(walked, capture);
    if (at == NONE)
        return false;
    walker->ahead[at] = NULL; // another capture may get the same address later
    return take(walker, walker->ahead_at[at], result);
}

struct unwind_result walked_walk(struct walked *walked, const struct capture *capture)
{
    struct walker *walker = walked->walker;
    struct unwind_result result;
    if (walked->unwinder)
        return unwinder_walk(walked->unwinder, capture);
    if (take_ahead(walked, capture, &result))
        return result;
    for (unsigned i = 0; i < ATTEMPTS; i++)
        if (ask(walked, &capture, 1) && take_ahead(walked, capture, &result))
            return result;
    return leaf_alone(walker, capture);
}
