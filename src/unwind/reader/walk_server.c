// SPDX-License-Identifier: MIT
#include "unwind/reader/walk_server.h"

#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "process/kept_file.h"
#include "process/module.h"
#include "reader/channel.h"
#include "reader/reader.h"
#include "unwind/area_unwinder.h"
#include "unwind/walk_wire.h"

#define BATCH_NS (10 * NS_PER_MS)

struct told_module {
    struct module module; // first: an area leads to it
    bool untaken;         // it has an image, for which we have not asked
};

struct told_space { // the address space of one process image, as we were told
    uint32_t number;
    struct areas areas;
    struct mapping *mappings; // of the areas
    struct area_source source;
    struct unwinder *unwinder;
};

static struct { // this process does nothing else
    int channel;
    size_t max_depth;
    struct walk_exchange *exchange;
    struct told_module **modules; // by number; NULL: not heard of
    size_t module_count;
    struct told_space **spaces;
    size_t space_count, space_capacity;
    uint32_t walked_space; // number of the space that is being walked in
} server;

static _Noreturn void leave(void)
{
    _exit(EXIT_SUCCESS); // the main process has ended, or does not understand us
}

static struct told_module *module_of(uint32_t number)
{
    if (number >= server.module_count) {
        size_t count = number + 1;
        server.modules = xrealloc(server.modules, count * sizeof *server.modules);
        memset(server.modules + server.module_count, 0,
               (count - server.module_count) * sizeof *server.modules);
        server.module_count = count;
    }
    if (!server.modules[number]) {
        server.modules[number] = xcalloc(1, sizeof **server.modules);
        server.modules[number]->module.id = number;
    }
    return server.modules[number];
}

// --- what we have to ask for

static size_t ask(const struct walk_message *question, struct walk_message *answer, int *fd)
{
    if (!channel_send(server.channel, question, WALK_HEAD, -1))
        leave();
    ssize_t length = channel_receive(server.channel, answer, sizeof *answer, fd);
    if (length < (ssize_t)WALK_HEAD)
        leave();
    return (size_t)length - WALK_HEAD;
}

static size_t want_code(void *context, uint64_t address, void *to, size_t length)
{
    const struct walk_message question = {
        .kind = WALK_WANT_CODE,
        .number = server.walked_space,
        .address = address,
        .count = length < WALK_CODE_MAX ? (uint32_t)length : WALK_CODE_MAX,
    };
    struct walk_message answer;
    (void)context;
    size_t got = ask(&question, &answer, NULL);
    got = got < length ? got : length;
    memcpy(to, answer.code, got);
    return got;
}

static int want_file(enum walk_kind kind, uint32_t number)
{
    const struct walk_message question = {.kind = kind, .number = number};
    struct walk_message answer;
    int fd = -1;
    ask(&question, &answer, &fd);
    return fd;
}

static int want_image_again(void *context)
{
    const struct module *module = context;
    return want_file(WALK_WANT_IMAGE, module->id);
}

static int want_debug_again(void *context)
{
    const struct module *module = context;
    return want_file(WALK_WANT_DEBUG, module->id);
}

static struct image *want(enum walk_kind kind, const struct module *module)
{
    int fd = want_file(kind, module->id);
    struct image *image = NULL;
    if (fd < 0 || image_open(fd, &image, NULL) != RC_OK)
        return NULL;
    image_reopen_by(image, kind == WALK_WANT_IMAGE ? want_image_again : want_debug_again,
                    (void *)(uintptr_t)module);
    return image;
}

static void want_image(void *context, struct module *module)
{
    struct told_module *told = (struct told_module *)module;
    (void)context;
    if (told->untaken)
        module->image = want(WALK_WANT_IMAGE, module);
    told->untaken = false;
}

static struct image *want_debug(void *context, const struct module *module)
{
    (void)context;
    return want(WALK_WANT_DEBUG, module);
}

// --- spaces

static struct told_space *space_of(uint32_t number)
{
    for (size_t i = 0; i < server.space_count; i++)
        if (server.spaces[i]->number == number)
            return server.spaces[i];
    return NULL;
}

static struct told_space *add_space(uint32_t number)
{
    struct told_space *space = xcalloc(1, sizeof *space);
    space->number = number;
    space->source = (struct area_source){
        .areas = &space->areas,
        .reading = &server.exchange->reading,
        .open_image = want_image,
        .open_debug = want_debug,
        .read_made = want_code,
    };
    space->unwinder = area_unwinder_new(&space->source, server.max_depth);
    ARRAY_RESERVE(server.spaces, server.space_count, server.space_capacity);
    return server.spaces[server.space_count++] = space;
}

static struct area area_of(const struct walk_area *told, struct mapping *mapping)
{
    bool image = told->flags & WALK_AREA_IMAGE;
    struct told_module *of = module_of(told->module);
    struct module *module = &of->module;
    of->untaken = image && !module->image;
    module->kind = told->flags & WALK_AREA_FILE ? MODULE_FILE : MODULE_ANON;
    module->path = (char *)(told->flags & WALK_AREA_PROBE ? "[uprobes]" : "");
    *mapping = (struct mapping){.module = module, .start = told->start, .end = told->end};
    return (struct area){
        .start = told->start,
        .end = told->end,
        .mapping = mapping,
        .bias = told->bias,
        .extent_start = image ? told->extent_start : 0,
        .extent_end = image ? told->extent_end : 0,
    };
}

static void take_space(const struct walk_message *message)
{
    struct told_space *space = space_of(message->number);
    size_t count = message->count < WALK_AREAS ? message->count : WALK_AREAS;
    if (!space)
        space = add_space(message->number);
    areas_fini(&space->areas);
    space->mappings = xrealloc(space->mappings, (count + 1) * sizeof *space->mappings);
    space->areas.list = xcalloc(count + 1, sizeof *space->areas.list);
    for (size_t i = 0; i < count; i++)
        space->areas.list[space->areas.count++] =
            area_of(&server.exchange->areas[i], &space->mappings[i]);
    if (message->flags & WALK_REPLACED)
        unwinder_flush(space->unwinder);
}

static void forget_space(uint32_t number)
{
    struct told_space *space = space_of(number);
    if (!space)
        return;
    for (size_t i = 0; i < server.space_count; i++)
        if (server.spaces[i] == space)
            server.spaces[i] = server.spaces[--server.space_count];
    unwinder_free(space->unwinder);
    areas_fini(&space->areas);
    free(space->mappings);
    free(space);
}

// --- walks

static size_t put_frames(unsigned char *to, const struct unwind_result *result)
{
    for (size_t i = 0; i < result->count; i++) {
        const struct unwind_frame *frame = &result->frames[i];
        const struct walk_frame told = {frame->pc, frame->sp, frame->interrupted, frame->step};
        memcpy(to + i * sizeof told, &told, sizeof told);
    }
    return result->count * sizeof(struct walk_frame);
}

static size_t put_stack(unsigned char *to, const struct unwind_result *result)
{
    const struct walk_stack stack = {
        .end = result->end,
        .count = (uint32_t)result->count,
        .stack_needed = result->stack_needed,
        .windows_used = result->windows_used,
        .frame_pointer_steps = result->frame_pointer_steps,
        .second_hop = result->second_hop,
        .root = result->root,
        .missed = result->missed,
        .second_at = result->second_at,
    };
    memcpy(to, &stack, sizeof stack);
    return sizeof stack + put_frames(to + sizeof stack, result);
}

// Walks stacks until the answer has no room for another one of any depth, or it takes long: the
// first of them are waited for.
static uint32_t walk(struct told_space *space, uint32_t count)
{
    const size_t longest =
        sizeof(struct walk_stack) + server.max_depth * sizeof(struct walk_frame);
    const size_t last = walk_answer_bytes(server.max_depth) - longest;
    const int64_t until = clock_now() + BATCH_NS;
    const unsigned char *request = server.exchange->request;
    size_t at = 0;
    uint32_t done = 0;
    for (; done < count && at <= last && (!done || clock_now() < until); done++) {
        struct walk_bytes bytes;
        memcpy(&bytes, request, sizeof bytes);
        request += sizeof bytes;
        const struct unwind_result result = unwinder_walk(
            space->unwinder, (const struct capture *)(const void *)request);
        at += put_stack(server.exchange->answer + at, &result);
        request += bytes.length;
    }
    return done;
}

static void answer_walk(const struct walk_message *message)
{
    struct told_space *space = space_of(message->number);
    struct walk_message done = {.kind = WALK_DONE, .number = message->number};
    server.walked_space = message->number;
    if (space)
        done.count = walk(space, message->count);
    atomic_store(&server.exchange->reading, 0);
    if (!channel_send(server.channel, &done, WALK_HEAD, -1))
        leave();
}

static void take(const struct walk_message *message)
{
    switch (message->kind) {
    case WALK_SPACE:
        take_space(message);
        break;
    case WALK_FORGET:
        forget_space(message->number);
        break;
    case WALK_STACKS:
        answer_walk(message);
        break;
    default:
        leave();
    }
}

void walk_server_run(int channel, struct walk_exchange *exchange, size_t max_depth)
{
    struct walk_message message;
    server.channel = channel;
    server.exchange = exchange;
    server.max_depth = max_depth;
    prctl(PR_SET_NAME, "ptprof-unwind");
    kept_file_prepare();
    reader_give_up_rights((struct sandbox_needs){
        .descriptor = channel, .cpu_seconds = RLIM_INFINITY, .memory = exchange});
    for (;;) {
        if (channel_receive(channel, &message, sizeof message, NULL) < (ssize_t)WALK_HEAD)
            leave();
        take(&message);
    }
}
