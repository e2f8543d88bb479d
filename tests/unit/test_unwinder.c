// SPDX-License-Identifier: MIT
// The process unwinds itself: a copy of its own stack, its own code through dl_iterate_phdr.
#include "unwind/unwinder.h"

#include <check.h>
#include <execinfo.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/mem.h"
#include "fixture_self.h"
#include "sample/stack_capture.h"

#define STACK_BYTES (1u << 20)
#define NOINLINE __attribute__((noipa))

// As self_table, but without the linker's index. Where .eh_frame ends it says itself.
static bool self_frames(void *context, uint64_t pc, struct unwind_table *table)
{
    int32_t pointer;
    if (!self_table(context, pc, table) ||
        !self_read(context, table->hdr + 4, &pointer, sizeof pointer))
        return false;
    table->frames = table->hdr + 4 + (uint64_t)(int64_t)pointer;
    table->frames_size = 64u << 20;
    table->hdr_size = 0;
    return true;
}

static const struct code_source self = {
    .read = self_read, .table = self_table, .executable = self_executable};

static uint64_t stack_top(void)
{
    pthread_attr_t attributes;
    void *low;
    size_t size;
    ck_assert_int_eq(pthread_getattr_np(pthread_self(), &attributes), 0);
    pthread_attr_getstack(&attributes, &low, &size);
    pthread_attr_destroy(&attributes);
    return (uint64_t)(uintptr_t)low + size;
}

static struct capture *capture_new(void)
{
    return xcalloc(1, sizeof(struct capture) + STACK_BYTES);
}

static void capture_fill(struct capture *capture, const ucontext_t *context, uint32_t asked)
{
    uint64_t there = stack_top() - (uint64_t)context->uc_mcontext.gregs[REG_RSP];
    capture->stack_asked = asked;
    self_capture(capture, context, there < asked ? there : asked);
}

static void *traced[5000];
static int traced_count;

// What glibc sees from the same point goes to `traced`.
static NOINLINE void take(struct capture *capture, uint32_t asked)
{
    ucontext_t context;
    getcontext(&context);
    capture_fill(capture, &context, asked);
    traced_count = backtrace(traced, 5000);
}

static volatile int sink;

static NOINLINE void recurse(unsigned depth, struct capture *capture, uint32_t asked)
{
    if (depth)
        recurse(depth - 1, capture, asked);
    else
        take(capture, asked);
    sink++; // no tail call
}

static void assert_like_glibc(const struct unwind_result *result)
{
    ck_assert_int_eq(result->end, UNWIND_BOTTOM);
    // AddressSanitizer's own backtrace() is one more frame.
    size_t more = (size_t)traced_count - result->count;
    ck_assert_uint_le(more, 1);
    ck_assert(result->frames[0].interrupted);
    for (size_t i = 1; i < result->count; i++) { // they differ in where within take() they are
        ck_assert_uint_eq(result->frames[i].pc, (uint64_t)(uintptr_t)traced[i + more]);
        ck_assert(!result->frames[i].interrupted);
    }
}

START_TEST(same_as_backtrace)
{
    AUTO_FREE struct capture *capture = capture_new();
    struct unwinder *unwinder = unwinder_new(&self, 4096);
    recurse(5, capture, STACK_BYTES);
    struct unwind_result result = unwinder_walk(unwinder, capture);
    assert_like_glibc(&result);
    ck_assert_uint_le(result.stack_needed, capture->stack_length);
    ck_assert_uint_ge(result.stack_needed, 6 * 16);
    unwinder_flush(unwinder);
    result = unwinder_walk(unwinder, capture);
    assert_like_glibc(&result);
    unwinder_free(unwinder);
}
END_TEST

START_TEST(deep_recursion)
{
    AUTO_FREE struct capture *capture = capture_new();
    struct unwinder *unwinder = unwinder_new(&self, 4096);
    recurse(3000, capture, STACK_BYTES);
    struct unwind_result result = unwinder_walk(unwinder, capture);
    ck_assert_uint_gt(result.count, 3000);
    assert_like_glibc(&result);
    unwinder_free(unwinder);
}
END_TEST

START_TEST(index_of_its_own)
{
    const struct code_source source = {
        .read = self_read, .table = self_frames, .executable = self_executable};
    AUTO_FREE struct capture *capture = capture_new();
    struct unwinder *unwinder = unwinder_new(&source, 4096);
    recurse(5, capture, STACK_BYTES);
    struct unwind_result result = unwinder_walk(unwinder, capture);
    assert_like_glibc(&result);
    unwinder_free(unwinder);
}
END_TEST

START_TEST(limit)
{
    AUTO_FREE struct capture *capture = capture_new();
    recurse(200, capture, STACK_BYTES);
    struct unwinder *unwinder = unwinder_new(&self, 4096);
    struct unwind_result result = unwinder_walk(unwinder, capture);
    size_t depth = result.count;
    ck_assert_uint_gt(depth, 200);
    unwinder_free(unwinder);
    unwinder = unwinder_new(&self, 100);
    result = unwinder_walk(unwinder, capture);
    ck_assert_int_eq(result.end, UNWIND_LIMIT);
    ck_assert_uint_eq(result.count, 100);
    unwinder_free(unwinder);
    unwinder = unwinder_new(&self, depth); // exactly as many as there are
    result = unwinder_walk(unwinder, capture);
    ck_assert_int_eq(result.end, UNWIND_BOTTOM);
    unwinder_free(unwinder);
}
END_TEST

START_TEST(short_copy)
{
    AUTO_FREE struct capture *capture = capture_new();
    struct unwinder *unwinder = unwinder_new(&self, 4096);
    recurse(1000, capture, 4096);
    ck_assert_uint_eq(capture->stack_length, 4096);
    struct unwind_result result = unwinder_walk(unwinder, capture);
    ck_assert_int_eq(result.end, UNWIND_SHORT);
    ck_assert_uint_gt(result.count, 1);
    ck_assert_uint_le(result.stack_needed, 4096);
    ck_assert_uint_gt(result.stack_needed, 2048);
    ck_assert_uint_ge(result.missed, capture_sp(capture) + 4096 - 8);
    capture->window_count = 1; // it was asked for, and nothing is there
    capture->windows[0] = (struct stack_window){
        result.missed | WINDOW_AT, result.missed, result.missed, 0, 4096};
    ck_assert_int_eq(unwinder_walk(unwinder, capture).end, UNWIND_BAD_READ);
    unwinder_free(unwinder);
}
END_TEST

static struct capture *in_handler, *at_fault;
static sigjmp_buf out;

static NOINLINE void on_signal(int number, siginfo_t *info, void *context)
{
    (void)info;
    ucontext_t *interrupted = context;
    take(in_handler, STACK_BYTES);
    capture_fill(at_fault, interrupted, STACK_BYTES);
    if (number == SIGSEGV)
        siglongjmp(out, 1);
    interrupted->uc_mcontext.gregs[REG_RIP] += 2; // past ud2
}

static void handle(int number)
{
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
    sigaction(number, &action, NULL);
    in_handler = capture_new();
    at_fault = capture_new();
}

static void handled(int number)
{
    signal(number, SIG_DFL);
    free(in_handler);
    free(at_fault);
}

extern const char test_unwinder_trap[];

static NOINLINE void trap(void)
{
    __asm__ volatile("test_unwinder_trap: ud2");
    sink++;
}

// The frame that the handler interrupted; fails when there is not exactly one.
static size_t find_interrupted(const struct unwind_result *result)
{
    size_t at = 0;
    for (size_t i = 1; i < result->count; i++) {
        ck_assert(!result->frames[i].interrupted || !at);
        if (result->frames[i].interrupted)
            at = i;
    }
    ck_assert_uint_gt(at, 1);
    return at;
}

START_TEST(signal_handler)
{
    struct unwinder *unwinder = unwinder_new(&self, 4096);
    handle(SIGILL);
    trap();
    struct unwind_result result = unwinder_walk(unwinder, in_handler);
    ck_assert_int_eq(result.end, UNWIND_BOTTOM);
    size_t at = find_interrupted(&result);
    ck_assert_uint_eq(result.frames[at].pc, (uint64_t)(uintptr_t)test_unwinder_trap);
    AUTO_FREE uint64_t *pcs = xcalloc(result.count, sizeof *pcs);
    size_t below = result.count - at;
    for (size_t i = 0; i < below; i++)
        pcs[i] = result.frames[at + i].pc;
    result = unwinder_walk(unwinder, at_fault); // the interrupted function alone
    ck_assert_uint_eq(result.count, below);
    for (size_t i = 0; i < below; i++)
        ck_assert_uint_eq(result.frames[i].pc, pcs[i]);
    handled(SIGILL);
    unwinder_free(unwinder);
}
END_TEST

#define ALTERNATE (256u << 10)

static unsigned char alternate[ALTERNATE] __attribute__((aligned(16)));

static NOINLINE void on_alternate(int number, siginfo_t *info, void *context)
{
    (void)number, (void)info;
    ucontext_t here, *interrupted = context;
    getcontext(&here);
    uint64_t end = (uint64_t)(uintptr_t)(alternate + sizeof alternate);
    uint64_t there = end - (uint64_t)here.uc_mcontext.gregs[REG_RSP];
    capture_fill(in_handler, &here, (uint32_t)there);
    capture_fill(at_fault, interrupted, STACK_BYTES);
    interrupted->uc_mcontext.gregs[REG_RIP] += 2; // past ud2
}

static void take_on_alternate(void)
{
    stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate}, before;
    sigaltstack(&stack, &before);
    handle(SIGILL);
    struct sigaction action = {.sa_sigaction = on_alternate, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigaction(SIGILL, &action, NULL);
    trap();
    sigaltstack(&before, NULL);
}

START_TEST(alternate_stack)
{
    struct unwinder *unwinder = unwinder_new(&self, 4096);
    take_on_alternate();
    struct unwind_result result = unwinder_walk(unwinder, in_handler);
    ck_assert_int_eq(result.end, UNWIND_BAD_READ);
    uint64_t sp;
    ck_assert_uint_ne(result.second_at, 0);
    ck_assert_uint_ge(result.second_at, capture_sp(in_handler));
    ck_assert_uint_lt(result.second_at - capture_sp(in_handler), in_handler->stack_length);
    memcpy(&sp, in_handler->stack + (result.second_at - capture_sp(in_handler)), sizeof sp);
    ck_assert_uint_eq(sp, capture_sp(at_fault));
    size_t above = result.count - 1; // frames of the handler

    in_handler->window_count = 1; // as the sampler does from then on
    struct stack_window *window = &in_handler->windows[0];
    uint32_t half = at_fault->stack_length / 2;
    *window = (struct stack_window){result.second_at | WINDOW_POINTER, sp, sp, half, half};
    memcpy(in_handler->stack + in_handler->stack_length, at_fault->stack, half);
    result = unwinder_walk(unwinder, in_handler);
    ck_assert(result.end == UNWIND_SHORT || result.end == UNWIND_BOTTOM);
    ck_assert_uint_eq(result.second_at, 0);
    window->length = at_fault->stack_length;
    memcpy(in_handler->stack + in_handler->stack_length, at_fault->stack, window->length);
    result = unwinder_walk(unwinder, in_handler);
    ck_assert_int_eq(result.end, UNWIND_BOTTOM);
    ck_assert_uint_eq(result.second_at, 0);
    ck_assert_uint_eq(result.frames[above].pc, (uint64_t)(uintptr_t)test_unwinder_trap);
    size_t count = result.count;
    ck_assert_uint_eq(unwinder_walk(unwinder, at_fault).count, count - above);
    handled(SIGILL);
    unwinder_free(unwinder);
}
END_TEST

static NOINLINE void call_nowhere(void)
{
    void (*volatile nowhere)(void) = NULL;
    nowhere();
    sink++;
}

START_TEST(null_call)
{
    struct unwinder *unwinder = unwinder_new(&self, 4096);
    handle(SIGSEGV);
    if (sigsetjmp(out, 1) == 0)
        call_nowhere();
    struct unwind_result result = unwinder_walk(unwinder, at_fault);
    ck_assert_int_eq(result.end, UNWIND_BOTTOM);
    ck_assert_uint_eq(result.frames[0].pc, 0);
    uint64_t caller = result.frames[1].pc;
    ck_assert_uint_lt(caller - (uint64_t)(uintptr_t)call_nowhere, 256);
    result = unwinder_walk(unwinder, in_handler);
    ck_assert_int_eq(result.end, UNWIND_BOTTOM);
    size_t at = find_interrupted(&result);
    ck_assert_uint_eq(result.frames[at].pc, 0);
    ck_assert_uint_eq(result.frames[at + 1].pc, caller);
    handled(SIGSEGV);
    unwinder_free(unwinder);
}
END_TEST

static uint64_t random_word(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    return *state ^= *state << 17;
}

// Something that looks right: code of libc or of this program, a place on the stack, or noise.
static uint64_t random_value(uint64_t *state, uint64_t sp)
{
    uint64_t word = random_word(state);
    switch (word % 5) {
    case 0:
        return (uint64_t)(uintptr_t)qsort + word / 5 % 100000;
    case 1:
        return (uint64_t)(uintptr_t)recurse + word / 5 % 4000;
    case 2:
        return sp + word / 5 % 8192;
    case 3:
        return word / 5 % 256;
    default:
        return random_word(state);
    }
}

START_TEST(garbage)
{
    AUTO_FREE struct capture *capture = capture_new();
    struct unwinder *unwinder = unwinder_new(&self, 500);
    uint64_t state = 20251121;
    for (int i = 0; i < 2000; i++) {
        uint64_t sp = i % 2 ? random_word(&state) : 0x7ffd00000000u + (uint64_t)i;
        unsigned long long *regs = (unsigned long long *)&capture->regs;
        for (size_t r = 0; r < sizeof capture->regs / sizeof *regs; r++)
            regs[r] = random_value(&state, sp);
        capture->regs.user.rsp = sp;
        capture->stack_asked = 4096;
        capture->stack_length = (uint32_t)(random_word(&state) % 4097);
        for (size_t at = 0; at < 4096; at += 8) {
            uint64_t value = random_value(&state, sp);
            memcpy(capture->stack + at, &value, sizeof value);
        }
        struct unwind_result result = unwinder_walk(unwinder, capture);
        ck_assert_uint_ge(result.count, 1);
        ck_assert_uint_le(result.count, 500);
        // Any end: where pcs fall depends on the program.
        ck_assert_int_le(result.end, UNWIND_PROBE);
        ck_assert_uint_le(result.stack_needed, capture->stack_length);
        ck_assert_uint_eq(result.frames[0].pc, capture_pc(capture));
    }
    unwinder_free(unwinder);
}
END_TEST

START_TEST(already_unwound)
{
    static const uint64_t pcs[] = {0x1000, 0x2001, 0x3002};
    AUTO_FREE struct capture *capture = capture_new();
    struct unwinder *unwinder = unwinder_new(&self, 3);
    capture->flags = CAPTURE_UNWOUND | UNWIND_NO_INFO << CAPTURE_LIVE_END_SHIFT;
    capture->stack_length = sizeof pcs;
    memcpy(capture->stack, pcs, sizeof pcs);
    struct unwind_result result = unwinder_walk(unwinder, capture);
    ck_assert_int_eq(result.end, UNWIND_NO_INFO);
    ck_assert_uint_eq(result.count, 3);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_uint_eq(result.frames[i].pc, pcs[i]);
        ck_assert_int_eq(result.frames[i].interrupted, i == 0);
    }
    unwinder_free(unwinder);
}
END_TEST

// This program keeps frame pointers, and its tables say so: they are found by the code.
START_TEST(unknown_registers)
{
    AUTO_FREE struct capture *capture = capture_new();
    AUTO_FREE struct unwind_frame *known = NULL;
    struct unwinder *unwinder = unwinder_new(&self, 4096);
    recurse(5, capture, STACK_BYTES);
    struct unwind_result result = unwinder_walk(unwinder, capture);
    known = xcalloc(result.count, sizeof *known);
    memcpy(known, result.frames, result.count * sizeof *known);
    ck_assert_uint_eq(known[0].sp, capture_sp(capture));
    for (size_t i = 1; i < result.count; i++)
        ck_assert_uint_gt(known[i].sp, known[i - 1].sp);
    capture->flags = CAPTURE_IN_PLACE;
    capture->regs = registers_at(capture_pc(capture), capture_sp(capture));
    size_t count = result.count;
    result = unwinder_walk(unwinder, capture);
    ck_assert(result.end == UNWIND_BOTTOM || result.end == UNWIND_NO_REGISTER);
    ck_assert(result.end == UNWIND_NO_REGISTER || result.count == count);
    for (size_t i = 0; i < result.count; i++)
        ck_assert_uint_eq(result.frames[i].pc, known[i].pc);
    unwinder_free(unwinder);
}
END_TEST

// As in the dynamic linker: its first instructions, and what the kernel put on the stack.
extern const char bare_entry[];
__asm__(".text\nbare_entry:\n    mov %rsp, %rdi\n    call bare_entry\n");

static bool no_table(void *context, uint64_t pc, struct unwind_table *table)
{
    (void)context, (void)pc, (void)table;
    return false;
}

#define ENTRY_SP 0x7ffd00000000u
static const struct {
    enum unwind_end end;
    uint64_t words[6];
} entries[] = {
    {UNWIND_BOTTOM, {1, ENTRY_SP + 900, 0, ENTRY_SP + 950}},
    {UNWIND_BOTTOM, {2, ENTRY_SP + 900, ENTRY_SP + 910, 0, ENTRY_SP + 950}},
    {UNWIND_BOTTOM, {7, 1, ENTRY_SP + 900, 0, ENTRY_SP + 950}},   // sp was aligned
    {UNWIND_NO_INFO, {0, 0, ENTRY_SP + 950}},                     // no arguments
    {UNWIND_NO_INFO, {1, ENTRY_SP + 900, ENTRY_SP + 910, 0}},     // more than it says
    {UNWIND_NO_INFO, {1, ENTRY_SP - 900, 0, ENTRY_SP + 950}},     // no string of the kernel's
    {UNWIND_NO_INFO, {1, ENTRY_SP + 900, 0, ENTRY_SP + 800}},     // in another order
    {UNWIND_NO_INFO, {UINT64_MAX, ENTRY_SP + 900, 0, ENTRY_SP}},
};

START_TEST(entry_of_a_program)
{
    static const struct code_source bare = {
        .read = self_read, .table = no_table, .executable = self_executable};
    AUTO_FREE struct capture *capture = capture_new();
    struct unwinder *unwinder = unwinder_new(&bare, 10);
    capture->regs = registers_at((uint64_t)(uintptr_t)bare_entry, ENTRY_SP);
    capture->stack_asked = capture->stack_length = sizeof entries[_i].words;
    memcpy(capture->stack, entries[_i].words, sizeof entries[_i].words);
    struct unwind_result result = unwinder_walk(unwinder, capture);
    ck_assert_int_eq(result.end, entries[_i].end);
    ck_assert_uint_eq(result.count, 1);
    unwinder_free(unwinder);
}
END_TEST

Suite *suite_unwinder(void);
Suite *suite_unwinder(void)
{
    Suite *suite = suite_create("unwinder");
    TCase *self_case = tcase_create("self");
    tcase_add_test(self_case, same_as_backtrace);
    tcase_add_test(self_case, deep_recursion);
    tcase_add_test(self_case, index_of_its_own);
    tcase_add_test(self_case, limit);
    tcase_add_test(self_case, short_copy);
    tcase_add_test(self_case, signal_handler);
    tcase_add_test(self_case, alternate_stack);
    tcase_add_test(self_case, null_call);
    tcase_add_test(self_case, garbage);
    tcase_add_loop_test(self_case, entry_of_a_program, 0, ARRAY_LENGTH(entries));
    tcase_add_test(self_case, already_unwound);
    tcase_add_test(self_case, unknown_registers);
    suite_add_tcase(suite, self_case);
    return suite;
}
