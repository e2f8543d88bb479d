// SPDX-License-Identifier: MIT
// Return addresses that the kernel has taken away, and stacks of coroutines: the process unwinds
// itself.
#include "unwind/probe.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "base/mem.h"
#include "fixture_self.h"

#define STACK_SIZE (64u << 10)
#define PROBE 0x7fffffffe000u
#define NOINLINE __attribute__((noipa))

static bool is_probe(void *context, uint64_t pc)
{
    (void)context;
    return pc == PROBE;
}

static const struct code_source self = {
    .read = self_read, .table = self_table, .executable = self_executable, .probe = is_probe};
static ucontext_t scheduler, coroutine;
static _Alignas(16) unsigned char stack[STACK_SIZE];
static struct capture *capture;
static volatile unsigned sink;

NOINLINE static void take(void)
{
    ucontext_t here;
    getcontext(&here);
    self_capture(capture, &here, (uint64_t)(uintptr_t)(stack + STACK_SIZE) -
                                     (uint64_t)here.uc_mcontext.gregs[REG_RSP]);
    capture->stack_asked = capture->stack_length + 8; // there is no more
    sink++; // no tail call
}

NOINLINE static void once(void)
{
    take();
    sink++;
}

NOINLINE static void twice_called(int depth)
{
    volatile char room[100];
    room[0] = (char)depth;
    if (depth % 2) {
        once();
        sink += (unsigned char)room[0];
    } else {
        sink -= (unsigned char)room[0];
        once();
    }
    sink++;
}

static void body(void)
{
    for (int depth = 0;; depth++) {
        twice_called(depth);
        swapcontext(&coroutine, &scheduler);
    }
}

static void setup(void)
{
    capture = xcalloc(1, sizeof *capture + STACK_SIZE);
    getcontext(&coroutine);
    coroutine.uc_stack.ss_sp = stack;
    coroutine.uc_stack.ss_size = sizeof stack;
    coroutine.uc_link = &scheduler;
    makecontext(&coroutine, body, 0);
    swapcontext(&scheduler, &coroutine);
}

static void teardown(void)
{
    free(capture);
}

// libc's start of a context has no tables, is called by nobody and gives up the stack pointer.
START_TEST(coroutines)
{
    struct unwinder *unwinder = unwinder_new(&self, 20);
    struct unwind_result result = unwinder_walk(unwinder, capture);
    ck_assert_int_eq(result.end, UNWIND_BOTTOM);
    ck_assert_uint_eq(result.count, 5); // take, once, twice_called, body and that start
    ck_assert(!result.frames[3].interrupted);
    ck_assert(result.frames[4].interrupted);
    unwinder_free(unwinder);
}
END_TEST

static void probe(uint64_t back)
{
    const uint64_t by_the_kernel = PROBE;
    for (size_t at = 0; at + 8 <= capture->stack_length; at += 8)
        if (memcmp(capture->stack + at, &back, 8) == 0) {
            memcpy(capture->stack + at, &by_the_kernel, 8);
            return;
        }
    ck_abort_msg("no such return address");
}

// Each return address in turn is the kernel's: all frames are found as before. Where one of two
// calls may be meant, the function is told, and not a line of it.
START_TEST(return_probes)
{
    struct unwinder *unwinder = unwinder_new(&self, 20);
    struct unwind_frame before[5];
    struct unwind_result result = unwinder_walk(unwinder, capture);
    ck_assert_uint_eq(result.count, ARRAY_LENGTH(before));
    memcpy(before, result.frames, sizeof before);
    probe(before[_i].pc);
    result = unwinder_walk(unwinder, capture);
    ck_assert_int_eq(result.end, UNWIND_BOTTOM);
    ck_assert_uint_eq(result.count, ARRAY_LENGTH(before));
    for (size_t i = 0; i < result.count; i++)
        if (i == (size_t)_i && result.frames[i].interrupted)
            ck_assert_uint_lt(before[i].pc - result.frames[i].pc, 500);
        else
            ck_assert_uint_eq(result.frames[i].pc, before[i].pc);
    ck_assert_int_eq(result.frames[_i].interrupted, _i == 2);
    unwinder_free(unwinder);
}
END_TEST

// Above the first function of a coroutine there is no caller's caller to hold on to.
START_TEST(probe_without_a_caller)
{
    struct unwinder *unwinder = unwinder_new(&self, 20);
    struct unwind_result result = unwinder_walk(unwinder, capture);
    ck_assert_uint_eq(result.count, 5);
    probe(result.frames[3].pc);
    result = unwinder_walk(unwinder, capture);
    ck_assert_int_eq(result.end, UNWIND_PROBE);
    ck_assert_uint_eq(result.count, 3);
    unwinder_free(unwinder);
}
END_TEST

Suite *suite_probe(void);

Suite *suite_probe(void)
{
    Suite *suite = suite_create("probe");
    TCase *tcase = tcase_create("probe");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, coroutines);
    tcase_add_loop_test(tcase, return_probes, 1, 3);
    tcase_add_test(tcase, probe_without_a_caller);
    suite_add_tcase(suite, tcase);
    return suite;
}
