// SPDX-License-Identifier: MIT
// Code as musl, glibc, Boost and Go have it around a return address.
#include "unwind/way_back.h"

#include <check.h>
#include <string.h>

#include "base/mem.h"
#include "fixture_code.h"
#include "unwind/debug_frame.h"

#define BACK 0x100u // where the code behind the call begins

struct code {
    size_t length;
    unsigned char bytes[48];
};

static struct debug_frames none;

static struct code_memory *memory_of(const struct code *before, const struct code *after)
{
    static struct code_memory memory;
    memory = (struct code_memory){.debug_frames = &none, .source.read = fixture_read};
    memset(fixture_text, 0xcc, sizeof fixture_text);
    memcpy(fixture_text + BACK - before->length, before->bytes, before->length);
    memcpy(fixture_text + BACK, after->bytes, after->length);
    return &memory;
}

static struct way_back look(const struct code *before, const struct code *after)
{
    static struct ways ways;
    struct code_memory *memory = memory_of(before, after);
    ways_flush(&ways);
    struct way_back first = *way_back(&ways, memory, TEXT + BACK);
    ck_assert_int_eq(way_back(&ways, memory, TEXT + BACK)->way, first.way);
    return first;
}

static const struct code call = {5, {0xe8, 0, 0, 0, 0}}, ret = {1, {0xc3}};

static const struct {
    bool exits;
    struct code code;
} endings[] = {
    // musl: mov %eax,%edi; xor %eax,%eax; mov $60,%al; syscall; hlt
    {true, {9, {0x89, 0xc7, 0x31, 0xc0, 0xb0, 0x3c, 0x0f, 0x05, 0xf4}}},
    // Go: mov $0x6f,%edi; mov $60,%eax; syscall
    {true, {12, {0xbf, 0x6f, 0, 0, 0, 0xb8, 0x3c, 0, 0, 0, 0x0f, 0x05}}},
    // mov $231,%rax; syscall
    {true, {9, {0x48, 0xc7, 0xc0, 0xe7, 0, 0, 0, 0x0f, 0x05}}},
    // another call of the kernel
    {false, {7, {0xb8, 0x3b, 0, 0, 0, 0x0f, 0x05}}},
    // mov %rdx,%rax: nobody knows which
    {false, {10, {0xb8, 0x3c, 0, 0, 0, 0x48, 0x89, 0xd0, 0x0f, 0x05}}},
    // mov $60,%al alone does not say all
    {false, {4, {0xb0, 0x3c, 0x0f, 0x05}}},
    // a jump, a call and a return come first
    {false, {9, {0x75, 0, 0xb8, 0x3c, 0, 0, 0, 0x0f, 0x05}}},
    {false, {12, {0xe8, 0, 0, 0, 0, 0xb8, 0x3c, 0, 0, 0, 0x0f, 0x05}}},
    {false, {8, {0xc3, 0xb8, 0x3c, 0, 0, 0, 0x0f, 0x05}}},
};

START_TEST(ends_of_threads)
{
    struct way_back way = look(&call, &endings[_i].code);
    ck_assert_int_eq(way.way, endings[_i].exits ? WAY_EXITS : WAY_PLAIN);
}
END_TEST

static const struct {
    struct way_back way;
    struct code code; // up to the return address
} switches[] = {
    // systemstack: mov 0x38(%rdx),%rsp; mov %rdi,%rdx; mov (%rdi),%rdi; call *%rdi
    {{WAY_SWITCHED, false, 0x38, -1},
     {12, {0x48, 0x8b, 0x62, 0x38, 0x48, 0x89, 0xfa, 0x48, 0x8b, 0x3f, 0xff, 0xd7}}},
    // asmcgocall: the load; sub $16,%rsp; and $-16,%rsp; mov %rdi,8(%rsp); mov 8(%rdi),%rdi;
    // sub %rdx,%rdi; mov %rdi,(%rsp); call
    {{WAY_SWITCHED, false, 0x38, 8},
     {33, {0x48, 0x8b, 0x66, 0x38, 0x48, 0x83, 0xec, 0x10, 0x48, 0x83, 0xe4,
           0xf0, 0x48, 0x89, 0x7c, 0x24, 0x08, 0x48, 0x8b, 0x7f, 0x08, 0x48,
           0x29, 0xd7, 0x48, 0x89, 0x3c, 0x24, 0xe8, 0,    0,    0,    0}}},
    // morestack: mov 0x38(%rbx),%rsp; mov $0,%rbp; call
    {{WAY_SWITCHED, true, 0x38, -1},
     {16, {0x48, 0x8b, 0x63, 0x38, 0x48, 0xc7, 0xc5, 0, 0, 0, 0, 0xe8, 0, 0, 0, 0}}},
    // mov 0x140(%r14),%rsp; mov %rax,16(%rsp); sub $8,%rsp; xor %ebp,%ebp; call *%r12
    {{WAY_SWITCHED, true, 0x140, 24},
     {21, {0x49, 0x8b, 0xa6, 0x40, 1,    0,    0,    0x48, 0x89, 0x44, 0x24,
           0x10, 0x48, 0x83, 0xec, 0x08, 0x31, 0xed, 0x41, 0xff, 0xd4}}},
    // mov -8(%rbp),%rsp; call: the function's own
    {{WAY_PLAIN, false, 0, 0}, {9, {0x48, 0x8b, 0x65, 0xf8, 0xe8, 0, 0, 0, 0}}},
    // mov 8(%rsp),%rsp; call: the same
    {{WAY_PLAIN, false, 0, 0}, {10, {0x48, 0x8b, 0x64, 0x24, 0x08, 0xe8, 0, 0, 0, 0}}},
    // mov 0x38(%rdx),%rdx; call: another register
    {{WAY_PLAIN, false, 0, 0}, {9, {0x48, 0x8b, 0x52, 0x38, 0xe8, 0, 0, 0, 0}}},
    // the load; jmp past; call: not on the same way
    {{WAY_PLAIN, false, 0, 0}, {11, {0x48, 0x8b, 0x62, 0x38, 0xeb, 0x05, 0xe8, 0, 0, 0, 0}}},
    // the load; call; call: it was the one before
    {{WAY_PLAIN, false, 0, 0}, {14, {0x48, 0x8b, 0x62, 0x38, 0xe8, 0, 0, 0, 0, 0xe8, 0, 0, 0, 0}}},
};

START_TEST(changes_of_the_stack)
{
    struct way_back way = look(&switches[_i].code, &ret);
    ck_assert_int_eq(way.way, switches[_i].way.way);
    if (way.way == WAY_SWITCHED) {
        ck_assert_int_eq(way.fresh, switches[_i].way.fresh);
        ck_assert_int_eq(way.saved_at, switches[_i].way.saved_at);
        ck_assert_int_eq(way.owner_at, switches[_i].way.owner_at);
    }
}
END_TEST

static const struct {
    bool ends;
    struct code code;
} beginnings[] = {
    {true, {7, {0x48, 0x89, 0xdc, 0x48, 0x8b, 0x3c, 0x24}}}, // __start_context: mov %rbx,%rsp
    {true, {9, {0x48, 0x31, 0xff, 0xe8, 0, 0, 0, 0, 0xf4}}}, // Boost: xor; call _exit; hlt
    {false, {3, {0x55, 0x5d, 0xc3}}},                        // a function that returns
    {false, {5, {0xe9, 0, 0, 0, 0}}},                        // goes to another one
    {false, {6, {0x75, 0x01, 0xf4, 0xf4, 0xf4, 0xf4}}},      // may go elsewhere
    {false, {1, {0x06}}},                                    // no instruction
};

START_TEST(code_that_nobody_calls)
{
    struct code_memory *memory = memory_of(&call, &beginnings[_i].code);
    ck_assert_int_eq(way_ends(memory, TEXT + BACK), beginnings[_i].ends);
}
END_TEST

Suite *suite_way_back(void);

Suite *suite_way_back(void)
{
    Suite *suite = suite_create("way_back");
    TCase *tcase = tcase_create("way_back");
    tcase_add_loop_test(tcase, ends_of_threads, 0, ARRAY_LENGTH(endings));
    tcase_add_loop_test(tcase, changes_of_the_stack, 0, ARRAY_LENGTH(switches));
    tcase_add_loop_test(tcase, code_that_nobody_calls, 0, ARRAY_LENGTH(beginnings));
    suite_add_tcase(suite, tcase);
    return suite;
}
