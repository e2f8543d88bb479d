// SPDX-License-Identifier: MIT
// Return addresses that the kernel has taken away, and stacks of coroutines: the process unwinds
// itself.
#include "unwind/probe.h"

#include <check.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "base/mem.h"

#define STACK_SIZE (64u << 10)
#define PROBE 0x7fffffffe000u
#define NOINLINE __attribute__((noipa))

struct look {
    uint64_t address, length;
    struct unwind_table *table;
    const unsigned char *found;
};

static int look_at(struct dl_phdr_info *info, size_t size, void *context)
{
    (void)size;
    struct look *look = context;
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *phdr = &info->dlpi_phdr[i];
        uint64_t start = info->dlpi_addr + phdr->p_vaddr;
        if (phdr->p_type == PT_LOAD && look->address - start < phdr->p_memsz &&
            look->length <= start + phdr->p_memsz - look->address &&
            (!look->table || phdr->p_flags & PF_X)) {
            look->found = (const unsigned char *)(uintptr_t)look->address;
            if (look->table)
                *look->table = (struct unwind_table){.start = start,
                                                     .end = start + phdr->p_memsz};
        }
        if (look->table && phdr->p_type == PT_GNU_EH_FRAME && look->found) {
            look->table->hdr = start;
            look->table->hdr_size = phdr->p_memsz;
        }
    }
    return look->found != NULL;
}

static bool read_self(void *context, uint64_t address, void *to, size_t length)
{
    (void)context;
    struct look look = {.address = address, .length = length};
    dl_iterate_phdr(look_at, &look);
    for (size_t i = 0; look.found && i < length; i++)
        ((volatile unsigned char *)to)[i] = look.found[i];
    return look.found;
}

static bool find_table(void *context, uint64_t pc, struct unwind_table *table)
{
    (void)context;
    struct look look = {.address = pc, .length = 1, .table = table};
    dl_iterate_phdr(look_at, &look);
    return look.found && table->hdr;
}

static bool is_code(void *context, uint64_t pc)
{
    struct unwind_table table;
    return find_table(context, pc, &table);
}

static bool is_probe(void *context, uint64_t pc)
{
    (void)context;
    return pc == PROBE;
}

static const struct code_source self = {
    .read = read_self, .table = find_table, .executable = is_code, .probe = is_probe};
static ucontext_t scheduler, coroutine;
static _Alignas(16) unsigned char stack[STACK_SIZE];
static struct capture *capture;
static volatile unsigned sink;

// The copy reads the frames of its callers too.
__attribute__((no_sanitize("address"))) NOINLINE static void take(void)
{
    ucontext_t here;
    getcontext(&here);
    const greg_t *gregs = here.uc_mcontext.gregs;
    capture->regs.user = (struct user_regs_struct){
        .rbx = gregs[REG_RBX], .rbp = gregs[REG_RBP], .rsp = gregs[REG_RSP],
        .rip = gregs[REG_RIP], .r12 = gregs[REG_R12], .r13 = gregs[REG_R13],
        .r14 = gregs[REG_R14], .r15 = gregs[REG_R15],
    };
    capture->stack_length = (uint32_t)((uint64_t)(uintptr_t)(stack + STACK_SIZE) -
                                       capture_sp(capture));
    capture->stack_asked = capture->stack_length + 8; // there is no more
    const volatile unsigned char *from = (const unsigned char *)(uintptr_t)capture_sp(capture);
    for (uint32_t i = 0; i < capture->stack_length; i++)
        capture->stack[i] = from[i];
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
