// SPDX-License-Identifier: MIT
// A module made in memory, with one function and unwind tables that are right, damaged or hostile.
#include "unwind/unwinder.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define TEXT 0x100000u // the function's address
#define TEXT_SIZE 0x10000u
#define HDR (TEXT + TEXT_SIZE)
#define CIE (HDR + 0x40)
#define FDE (HDR + 0x100)
#define TABLES_SIZE 0x20000u
#define SP 0x7ff000000000ull
#define STACK_WORDS 4096

struct fake {
    unsigned char text[32]; // the first bytes of the function
    unsigned char tables[TABLES_SIZE]; // from HDR on
    bool has_tables, has_hdr;
};

static bool fake_read(void *context, uint64_t address, void *to, size_t length)
{
    const struct fake *fake = context;
    const unsigned char *from = NULL;
    if (address >= TEXT && address - TEXT < sizeof fake->text &&
        length <= sizeof fake->text - (address - TEXT))
        from = fake->text + (address - TEXT);
    else if (address >= HDR && address - HDR < TABLES_SIZE &&
             length <= TABLES_SIZE - (address - HDR))
        from = fake->tables + (address - HDR);
    if (from)
        memcpy(to, from, length);
    return from;
}

static bool fake_table(void *context, uint64_t pc, struct unwind_table *table)
{
    const struct fake *fake = context;
    (void)pc;
    *table = (struct unwind_table){.start = TEXT, .end = TEXT + TEXT_SIZE};
    table->hdr = HDR;
    table->hdr_size = fake->has_hdr ? 20 : 0;
    table->frames = CIE;
    table->frames_size = HDR + TABLES_SIZE - CIE;
    return fake->has_tables;
}

static bool fake_executable(void *context, uint64_t pc)
{
    (void)context;
    return pc >= TEXT && pc < TEXT + TEXT_SIZE;
}

struct program { // instructions
    size_t length;
    const char *bytes;
};
#define PROGRAM(text) {sizeof(text) - 1, text}

static unsigned char *put32(unsigned char *to, uint32_t value)
{
    memcpy(to, &value, sizeof value);
    return to + sizeof value;
}

// The record at HDR + `at`: length, `word` (CIE: 0, FDE: distance of its CIE), the rest.
static void put_record(struct fake *fake, size_t at, uint32_t word, const void *head,
                       size_t head_length, const struct program *program)
{
    unsigned char *to = put32(fake->tables + at, (uint32_t)(4 + head_length + program->length));
    to = put32(to, word);
    memcpy(to, head, head_length);
    memcpy(to + head_length, program->bytes, program->length);
}

// CFA = rsp + 8, return address below it: a function that pushes nothing.
static const struct program cie_program = PROGRAM("\x0c\x07\x08\x90\x01\0\0");

static struct fake *fake_new(const struct program *cie, const struct program *fde)
{
    struct fake *fake = xcalloc(1, sizeof *fake);
    static const unsigned char cie_head[] = {1, 'z', 'R', 0, 1, 0x78, 16, 1, 0x1b};
    unsigned char fde_head[9] = {0};
    put32(fde_head, (uint32_t)TEXT - (FDE + 8));
    put32(fde_head + 4, TEXT_SIZE);
    put_record(fake, CIE - HDR, 0, cie_head, sizeof cie_head, cie);
    put_record(fake, FDE - HDR, FDE + 4 - CIE, fde_head, sizeof fde_head, fde);
    memcpy(fake->tables, "\x01\x1b\x03\x3b", 4);
    unsigned char *to = put32(fake->tables + 8, 1);
    put32(put32(to, (uint32_t)TEXT - HDR), FDE - HDR);
    fake->has_tables = fake->has_hdr = true;
    return fake;
}

// A stack full of return addresses into the function, all different, up to `words`; then nulls.
static struct capture *capture_new(size_t words)
{
    struct capture *capture = xcalloc(1, sizeof *capture + STACK_WORDS * 8);
    for (uint64_t i = 0; i < words; i++) {
        uint64_t pc = TEXT + 0x101 + i * 13 % (TEXT_SIZE - 0x200);
        memcpy(capture->stack + i * 8, &pc, sizeof pc);
    }
    capture->regs = registers_at(TEXT, SP);
    capture->stack_asked = capture->stack_length = STACK_WORDS * 8;
    return capture;
}

static enum unwind_end walk(struct fake *fake, const struct capture *capture, size_t *count)
{
    const struct code_source source = {
        .context = fake, .read = fake_read, .table = fake_table, .executable = fake_executable};
    struct unwinder *unwinder = unwinder_new(&source, 10000);
    struct unwind_result result = unwinder_walk(unwinder, capture);
    *count = result.count;
    unwinder_free(unwinder);
    return result.end;
}

START_TEST(sound)
{
    static const struct program none = PROGRAM("\0\0\0");
    AUTO_FREE struct fake *fake = fake_new(&cie_program, &none);
    AUTO_FREE struct capture *capture = capture_new(3);
    size_t count;
    ck_assert_int_eq(walk(fake, capture, &count), UNWIND_BOTTOM);
    ck_assert_uint_eq(count, 4);
}
END_TEST

// The last word of the copy is one of it, and nothing is asked for behind the root.
START_TEST(copy_of_the_exact_size)
{
    static const struct program none = PROGRAM("\0\0\0");
    AUTO_FREE struct fake *fake = fake_new(&cie_program, &none);
    AUTO_FREE struct capture *capture = capture_new(3);
    size_t count;
    capture->stack_asked = capture->stack_length = 4 * 8;
    ck_assert_int_eq(walk(fake, capture, &count), UNWIND_BOTTOM);
    ck_assert_uint_eq(count, 4);
    capture->stack_asked = capture->stack_length = 4 * 8 - 1;
    ck_assert_int_eq(walk(fake, capture, &count), UNWIND_SHORT);
}
END_TEST

// A call that never returns may be the last instruction of its function: the address behind it
// belongs to another one.
START_TEST(call_at_the_end)
{
    static const struct program none = PROGRAM("\0\0\0");
    static const uint64_t behind = TEXT + TEXT_SIZE;
    AUTO_FREE struct fake *fake = fake_new(&cie_program, &none);
    AUTO_FREE struct capture *capture = capture_new(3);
    size_t count;
    memcpy(capture->stack, &behind, sizeof behind);
    ck_assert_int_eq(walk(fake, capture, &count), UNWIND_BOTTOM);
    ck_assert_uint_eq(count, 4);
}
END_TEST

START_TEST(undefined_return)
{
    static const struct program root = PROGRAM("\x07\x10\0");
    AUTO_FREE struct fake *fake = fake_new(&cie_program, &root);
    AUTO_FREE struct capture *capture = capture_new(3);
    size_t count;
    ck_assert_int_eq(walk(fake, capture, &count), UNWIND_BOTTOM);
    ck_assert_uint_eq(count, 1);
}
END_TEST

static const struct program hostile[] = {
    PROGRAM("\x0f\x03\x2f\xfd\xff"),         // CFA = an expression that jumps to itself
    PROGRAM("\x0f\x05\x31\x30\x28\xfb\xff"), // the same with a branch
    PROGRAM("\x0f\x05\x0f\0\0\0\0"),         // an operand beyond the expression
    PROGRAM("\x0f\x0c\x0e\0\0\0\0\0\0\0\x80\x09\xff\x1b"), // INT64_MIN / -1
    PROGRAM("\x0f\x7f\x30"),                 // an expression beyond the record
    PROGRAM("\x09\x00\xff\xff\x7f"),         // a register that does not exist
    PROGRAM("\x0b"),                         // restore without remember
    PROGRAM("\x3f"),                         // no such instruction
    PROGRAM("\x0e\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), // a number without end
};

START_TEST(hostile_fde)
{
    AUTO_FREE struct fake *fake = fake_new(&cie_program, &hostile[_i]);
    AUTO_FREE struct capture *capture = capture_new(3);
    size_t count;
    ck_assert_int_eq(walk(fake, capture, &count), UNWIND_NO_INFO);
    ck_assert_uint_eq(count, 1);
}
END_TEST

START_TEST(hostile_cie)
{
    static const struct program none = PROGRAM("\0\0\0");
    static const struct program no_cfa = PROGRAM("\x90\x01\0");
    AUTO_FREE struct capture *capture = capture_new(3);
    size_t count;
    AUTO_FREE struct fake *without_cfa = fake_new(&no_cfa, &none);
    ck_assert_int_eq(walk(without_cfa, capture, &count), UNWIND_NO_INFO);
    AUTO_FREE struct fake *column = fake_new(&cie_program, &none);
    column->tables[CIE - HDR + 8 + 6] = 200; // the return address column
    ck_assert_int_eq(walk(column, capture, &count), UNWIND_NO_INFO);
    AUTO_FREE struct fake *pointer = fake_new(&cie_program, &none);
    put32(pointer->tables + (FDE - HDR) + 4, 0x7fffffff); // its CIE is nowhere
    ck_assert_int_eq(walk(pointer, capture, &count), UNWIND_NO_INFO);
}
END_TEST

START_TEST(remembered_without_end)
{
    char bytes[1000];
    memset(bytes, 0x0a, sizeof bytes);
    const struct program flood = {sizeof bytes, bytes};
    AUTO_FREE struct fake *fake = fake_new(&cie_program, &flood);
    AUTO_FREE struct capture *capture = capture_new(3);
    size_t count;
    ck_assert_int_eq(walk(fake, capture, &count), UNWIND_NO_INFO);
}
END_TEST

// Each of 4000 frames would run through 60,000 instructions.
START_TEST(too_much_work)
{
    AUTO_FREE char *bytes = xcalloc(1, 60000);
    const struct program nops = {60000, bytes};
    AUTO_FREE struct fake *fake = fake_new(&cie_program, &nops);
    AUTO_FREE struct capture *capture = capture_new(4000);
    size_t count;
    ck_assert_int_eq(walk(fake, capture, &count), UNWIND_NO_PROGRESS);
    ck_assert_uint_gt(count, 1);
    ck_assert_uint_lt(count, 200);
}
END_TEST

START_TEST(damaged_header)
{
    static const struct program none = PROGRAM("\0\0\0");
    AUTO_FREE struct capture *capture = capture_new(3);
    size_t count;
    for (size_t at = 0; at < 4; at++) { // version and encodings
        AUTO_FREE struct fake *fake = fake_new(&cie_program, &none);
        fake->tables[at] ^= 0x40;
        ck_assert_int_eq(walk(fake, capture, &count), UNWIND_NO_INFO);
    }
    AUTO_FREE struct fake *fake = fake_new(&cie_program, &none);
    put32(fake->tables + 8, 0x20000000); // more entries than the header has room for
    ck_assert_int_eq(walk(fake, capture, &count), UNWIND_NO_INFO);
}
END_TEST

// Without .eh_frame_hdr the records are read one by one, up to the null one behind them.
START_TEST(no_header)
{
    static const struct program none = PROGRAM("\0\0\0");
    char bytes[FDE - CIE - 17] = {0}; // nops up to the FDE, so that there is no gap
    memcpy(bytes, cie_program.bytes, cie_program.length);
    const struct program long_cie = {sizeof bytes, bytes};
    AUTO_FREE struct fake *fake = fake_new(&long_cie, &none);
    ck_assert_uint_eq(fake->tables[CIE - HDR], FDE - CIE - 4);
    AUTO_FREE struct capture *capture = capture_new(3);
    size_t count;
    fake->has_hdr = false;
    ck_assert_int_eq(walk(fake, capture, &count), UNWIND_BOTTOM);
    ck_assert_uint_eq(count, 4);
}
END_TEST

START_TEST(frame_pointers)
{
    static const uint64_t stack[] = {7, SP + 24, TEXT + 0x200, SP + 48, TEXT + 0x300, 9,
                                     0, TEXT + 0x400};
    AUTO_FREE struct fake *fake = xcalloc(1, sizeof *fake);
    AUTO_FREE struct capture *capture = capture_new(0);
    memcpy(capture->stack, stack, sizeof stack);
    capture->regs.user.rbp = SP + 8;
    size_t count;
    ck_assert_int_eq(walk(fake, capture, &count), UNWIND_BOTTOM); // the chain ends as it should
    ck_assert_uint_eq(count, 4);
    capture->regs.user.rbp = 0; // a null rbp by itself proves nothing
    ck_assert_int_eq(walk(fake, capture, &count), UNWIND_NO_INFO);
    ck_assert_uint_eq(count, 1);
    capture->regs.user.rbp = SP + 8 * STACK_WORDS; // above what was copied
    ck_assert_int_eq(walk(fake, capture, &count), UNWIND_SHORT);
    ck_assert_uint_eq(count, 1);
}
END_TEST

START_TEST(frame_pointers_in_a_circle)
{
    static const uint64_t stacks[][4] = {
        {7, SP + 8, TEXT + 0x200, 9},  // one that is its own caller's
        {SP + 16, TEXT + 0x200, SP, TEXT + 0x300}, // two, each the other's
    };
    for (size_t i = 0; i < ARRAY_LENGTH(stacks); i++) {
        AUTO_FREE struct fake *fake = xcalloc(1, sizeof *fake);
        AUTO_FREE struct capture *capture = capture_new(0);
        memcpy(capture->stack, stacks[i], sizeof stacks[i]);
        capture->regs.user.rbp = i ? SP : SP + 8;
        size_t count;
        ck_assert_int_eq(walk(fake, capture, &count), UNWIND_NO_INFO);
        ck_assert_uint_eq(count, i ? 3 : 2);
    }
}
END_TEST

START_TEST(stub_without_tables)
{
    static const unsigned char stub[] = {0xf3, 0x0f, 0x1e, 0xfa, 0xff, 0x25, 1, 2, 3, 4};
    AUTO_FREE struct fake *fake = xcalloc(1, sizeof *fake);
    AUTO_FREE struct capture *capture = capture_new(1);
    memcpy(fake->text, stub, sizeof stub);
    size_t count;
    ck_assert_int_eq(walk(fake, capture, &count), UNWIND_NO_INFO);
    ck_assert_uint_eq(count, 2);
    capture->regs.user.rip = TEXT + 4;
    ck_assert_int_eq(walk(fake, capture, &count), UNWIND_NO_INFO);
    ck_assert_uint_eq(count, 2);
}
END_TEST

Suite *suite_cfi(void);
Suite *suite_cfi(void)
{
    Suite *suite = suite_create("cfi");
    TCase *tables = tcase_create("tables");
    tcase_add_test(tables, sound);
    tcase_add_test(tables, copy_of_the_exact_size);
    tcase_add_test(tables, call_at_the_end);
    tcase_add_test(tables, undefined_return);
    tcase_add_loop_test(tables, hostile_fde, 0, (int)ARRAY_LENGTH(hostile));
    tcase_add_test(tables, hostile_cie);
    tcase_add_test(tables, remembered_without_end);
    tcase_add_test(tables, too_much_work);
    tcase_add_test(tables, damaged_header);
    tcase_add_test(tables, no_header);
    tcase_add_test(tables, frame_pointers);
    tcase_add_test(tables, frame_pointers_in_a_circle);
    tcase_add_test(tables, stub_without_tables);
    suite_add_tcase(suite, tables);
    return suite;
}
