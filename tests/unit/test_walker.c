// SPDX-License-Identifier: MIT
// The process that unwinds gives the stacks that this one would find, whatever happens to it.
#include "unwind/walker.h"

#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "process/space.h"
#include "fixture_self.h"
#include "reader/channel.h"
#include "unwind/area_unwinder.h"
#include "unwind/walk_wire.h"

#define STACK_BYTES 65536u
#define DEPTH_MAX 200

static struct modules *modules;
static struct space *space;
static struct walker *walker;
static struct walked *walked;

static void setup(void)
{
    modules = modules_new();
    space = space_new(modules, getpid(), getpid());
    walker = walker_new(DEPTH_MAX);
    walked = walked_new(walker, space);
    ck_assert_int_gt(walker_pid(walker), 0);
}

static void teardown(void)
{
    walked_free(walked);
    walker_free(walker);
    space_free(space);
    modules_free(modules);
}

static volatile int sink;

static uint64_t stack_top(void)
{
    pthread_attr_t attributes;
    void *start;
    size_t size;
    pthread_getattr_np(pthread_self(), &attributes);
    pthread_attr_getstack(&attributes, &start, &size);
    pthread_attr_destroy(&attributes);
    return (uint64_t)(uintptr_t)start + size;
}

static __attribute__((noinline)) void take(struct capture *capture)
{
    ucontext_t context;
    getcontext(&context);
    uint64_t there = stack_top() - (uint64_t)(uintptr_t)&context;
    self_capture(capture, &context, there < STACK_BYTES ? there : STACK_BYTES);
    sink++;
}

static __attribute__((noinline)) void recurse(unsigned depth, struct capture *capture)
{
    if (depth)
        recurse(depth - 1, capture);
    else
        take(capture);
    sink++;
}

static struct capture *capture_at(unsigned depth)
{
    struct capture *capture = xcalloc(1, sizeof *capture + STACK_BYTES);
    recurse(depth, capture);
    return capture;
}

static size_t never(void *context, uint64_t address, void *to, size_t length)
{
    (void)context, (void)address, (void)to, (void)length;
    return 0;
}

static struct image *none(void *context, const struct module *module)
{
    (void)context, (void)module;
    return NULL;
}

// The stack of the capture as unwound here.
static void assert_as_here(const struct unwind_result *found, const struct capture *capture)
{
    struct area_source source = {
        .areas = space_areas(space), .open_debug = none, .read_made = never};
    struct unwinder *unwinder = area_unwinder_new(&source, DEPTH_MAX);
    struct unwind_result here = unwinder_walk(unwinder, capture);
    ck_assert_uint_gt(here.count, 5);
    ck_assert_uint_eq(found->count, here.count);
    for (size_t i = 0; i < here.count; i++) {
        ck_assert_uint_eq(found->frames[i].pc, here.frames[i].pc);
        ck_assert_uint_eq(found->frames[i].sp, here.frames[i].sp);
        ck_assert_int_eq(found->frames[i].interrupted, here.frames[i].interrupted);
        ck_assert_int_eq(found->frames[i].step, here.frames[i].step);
    }
    ck_assert_int_eq(found->end, here.end);
    ck_assert_uint_eq(found->stack_needed, here.stack_needed);
    ck_assert_uint_eq(found->root, here.root);
    unwinder_free(unwinder);
}

static void assert_walks(const struct capture *capture)
{
    struct unwind_result found = walked_walk(walked, capture);
    assert_as_here(&found, capture);
}

START_TEST(one_by_one)
{
    for (unsigned depth = 0; depth < 100; depth += 33) {
        AUTO_FREE struct capture *capture = capture_at(depth);
        assert_walks(capture);
    }
    ck_assert_uint_eq(walker_replaced(walker), 0);
}
END_TEST

START_TEST(together)
{
    const struct capture *captures[] = {capture_at(3), capture_at(30), capture_at(60)};
    walked_ahead(walked, captures, ARRAY_LENGTH(captures));
    for (size_t i = 0; i < ARRAY_LENGTH(captures); i++) {
        ck_assert(walked_has(walked, captures[i]));
        assert_walks(captures[i]);
        ck_assert(!walked_has(walked, captures[i])); // another capture may lie there next
    }
    walked_ahead(walked, captures, ARRAY_LENGTH(captures));
    walked_changed(walked, true); // what was found may not be true any more
    ck_assert(!walked_has(walked, captures[1]));
    assert_walks(captures[1]);
    for (size_t i = 0; i < ARRAY_LENGTH(captures); i++)
        free((void *)(uintptr_t)captures[i]);
}
END_TEST

START_TEST(killed_and_replaced)
{
    AUTO_FREE struct capture *capture = capture_at(20);
    for (unsigned i = 1; i <= 3; i++) {
        assert_walks(capture);
        kill(walker_pid(walker), SIGKILL);
        assert_walks(capture);
        ck_assert_uint_eq(walker_replaced(walker), i);
    }
}
END_TEST

START_TEST(spaces_come_and_go)
{
    AUTO_FREE struct capture *capture = capture_at(10);
    for (unsigned i = 0; i < 50; i++) {
        struct walked *other = walked_new(walker, space);
        struct unwind_result found = walked_walk(other, capture);
        assert_as_here(&found, capture);
        walked_free(other);
        assert_walks(capture);
    }
    ck_assert_uint_eq(walker_replaced(walker), 0);
}
END_TEST

// --- a process that was taken over

static uint64_t random_state = 1;

static uint32_t any(void)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33);
}

// Values near those that are right, as well as any.
static uint32_t some(uint32_t right)
{
    const uint32_t values[] = {right + 1, 0, UINT32_MAX, any(), any() % 300};
    return any() % 2 ? right : values[any() % ARRAY_LENGTH(values)];
}

static void lie(struct walk_exchange *exchange, uint32_t asked, struct walk_message *message)
{
    for (size_t at = 0; at < 1 << 16; at += sizeof(uint32_t)) {
        uint32_t word = any();
        memcpy(exchange->answer + at, &word, sizeof word);
    }
    const struct walk_stack stack = {.end = some(UNWIND_BOTTOM), .count = some(5),
                                     .stack_needed = any(), .windows_used = any()};
    memcpy(exchange->answer, &stack, sizeof stack);
    *message = (struct walk_message){.kind = any() % 16 ? WALK_DONE : some(WALK_WANT_IMAGE),
                                     .number = any(), .address = any(), .count = some(asked)};
}

// Answers each question with a lie, and some by its death or a message that is too short.
static void serve_lies(int channel, struct walk_exchange *exchange, size_t max_depth)
{
    struct walk_message message;
    (void)max_depth;
    random_state = (uint64_t)getpid() * 0x9e3779b97f4a7c15u;
    while (channel_receive(channel, &message, sizeof message, NULL) > 0) {
        if (message.kind == WALK_SPACE)
            continue;
        if (any() % 64 == 0)
            _exit(0);
        lie(exchange, message.count, &message);
        channel_send(channel, &message, any() % 32 ? WALK_HEAD : 4, -1);
    }
    _exit(0);
}

START_TEST(lies)
{
    AUTO_FREE struct capture *capture = capture_at(10);
    walker_set_service(serve_lies);
    struct walker *lied_to = walker_new(DEPTH_MAX);
    struct walked *other = walked_new(lied_to, space);
    for (unsigned i = 0; i < 300; i++) {
        const struct capture *captures[] = {capture, capture, capture};
        walked_ahead(other, captures, 1 + i % 3);
        struct unwind_result found = walked_walk(other, capture);
        ck_assert_uint_ge(found.count, 1);
        ck_assert_uint_le(found.count, DEPTH_MAX);
        ck_assert_int_le(found.end, UNWIND_PROBE);
        for (size_t k = 0; k < found.count; k++)
            ck_assert_int_le(found.frames[k].step, STEP_SWITCH);
    }
    ck_assert_uint_gt(walker_replaced(lied_to), 5);
    walked_free(other);
    walker_free(lied_to);
}
END_TEST

Suite *suite_walker(void);

Suite *suite_walker(void)
{
    Suite *suite = suite_create("walker");
    TCase *tests = tcase_create("process");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, one_by_one);
    tcase_add_test(tests, together);
    tcase_add_test(tests, killed_and_replaced);
    tcase_add_test(tests, spaces_come_and_go);
    tcase_add_test(tests, lies);
    suite_add_tcase(suite, tests);
    return suite;
}
