// SPDX-License-Identifier: MIT
// The unwinder on a module whose unwind tables, code, stack and registers are all the target's.
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "unwind/unwinder.h"

#define TEXT 0x100000u // executable, and readable as far as the tables reach
#define TEXT_SIZE 0x10000u
#define HDR (TEXT + TEXT_SIZE)
#define CIE 0x40u // offsets from HDR, of the seeds
#define FDE 0x100u
#define SP 0x7ff000000000ull
#define STACK_WORDS 64
#define DEPTH 200
#define DEBUG_FRAMES 3 // seeds

struct head { // of an input; the tables follow
    uint64_t flags; // 1: without .eh_frame_hdr; 2: the tables are a .debug_frame
    uint64_t sp, pc, frame;
    uint64_t registers[4]; // rax, rbx, rcx, r12
    uint64_t stack[STACK_WORDS];
};

struct module {
    const uint8_t *tables;
    size_t length;
    bool no_hdr, debug_frame;
};

static void require(bool good)
{
    if (!good)
        abort();
}

static bool read_tables(void *context, uint64_t address, void *to, size_t length)
{
    const struct module *module = context;
    uint64_t at = address - (address >= HDR ? HDR : TEXT);
    if (address < TEXT || at > module->length || length > module->length - at)
        return false;
    memcpy(to, module->tables + at, length);
    return true;
}

static bool find_table(void *context, uint64_t pc, struct unwind_table *table)
{
    const struct module *module = context;
    (void)pc;
    *table = (struct unwind_table){
        .start = TEXT,
        .end = TEXT + TEXT_SIZE,
        .hdr = HDR,
        .hdr_size = module->no_hdr ? 0 : 4096,
        .frames = HDR + CIE,
        .frames_size = 64u << 10,
    };
    return !module->debug_frame;
}

static bool give_section(void *context, uint64_t pc, struct code_section *section)
{
    const struct module *module = context;
    (void)pc;
    *section = (struct code_section){.start = TEXT, .end = TEXT + TEXT_SIZE, .bias = TEXT};
    if (module->debug_frame) {
        section->bytes = module->tables;
        section->size = module->length;
    }
    return true;
}

static bool is_code(void *context, uint64_t pc)
{
    (void)context;
    return pc >= TEXT && pc < TEXT + TEXT_SIZE;
}

static struct capture *capture_of(const struct head *head)
{
    struct capture *capture = xcalloc(1, sizeof *capture + sizeof head->stack);
    capture->stack_asked = capture->stack_length = sizeof head->stack;
    memcpy(capture->stack, head->stack, sizeof head->stack);
    capture->regs = registers_at(head->pc, head->sp);
    capture->regs.user.rbp = head->frame;
    capture->regs.user.rax = head->registers[0];
    capture->regs.user.rbx = head->registers[1];
    capture->regs.user.rcx = head->registers[2];
    capture->regs.user.r12 = head->registers[3];
    return capture;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct head head;
    if (length < sizeof head)
        return 0;
    memcpy(&head, bytes, sizeof head);
    struct module module = {bytes + sizeof head, length - sizeof head, head.flags & 1,
                            head.flags & 2};
    const struct code_source source = {.context = &module,
                                       .read = read_tables,
                                       .table = find_table,
                                       .executable = is_code,
                                       .debug_frame = give_section};
    AUTO_FREE struct capture *capture = capture_of(&head);
    struct unwinder *unwinder = unwinder_new(&source, DEPTH);
    for (int again = 0; again < 2; again++) { // from the tables, then from the cache
        struct unwind_result result = unwinder_walk(unwinder, capture);
        require(result.count >= 1 && result.count <= DEPTH);
        require(result.stack_needed <= capture->stack_length);
        require(result.frames[0].pc == head.pc && result.frames[0].interrupted);
    }
    unwinder_free(unwinder);
    return 0;
}

// --- seeds

struct program { // instructions, after those that begin an augmentation
    size_t length;
    const char *bytes;
};
#define PROGRAM(text) {sizeof(text) - 1, text}

static const struct {
    struct program augmentation, cie, fde;
    uint64_t flags;
} modules[] = {
    // CFA = rsp + 8; the same without .eh_frame_hdr; rbp saved and CFA by rbp
    {PROGRAM("zR\0\1\x78\x10\1\x1b"), PROGRAM("\x0c\x07\x08\x90\x01"), PROGRAM(""), 0},
    {PROGRAM("zR\0\1\x78\x10\1\x1b"), PROGRAM("\x0c\x07\x08\x90\x01"), PROGRAM("\x41\x0e\x10"), 1},
    {PROGRAM("zR\0\1\x78\x10\1\x1b"), PROGRAM("\x0c\x07\x08\x90\x01"),
     PROGRAM("\x41\x0e\x10\x86\x02\x43\x0d\x06\x0a\x44\x0c\x07\x08\x0b"), 0},
    // a signal trampoline: CFA and registers by expressions
    {PROGRAM("zRS\0\1\x78\x10\1\x1b"), PROGRAM(""),
     PROGRAM("\x0f\x04\x77\x08\x06\x06\x10\x10\x03\x77\x10\x06\x16\x03\x02\x73\x08"), 0},
    // a personality routine and an LSDA
    {PROGRAM("zPLR\0\1\x78\x10\7\x1b\0\0\0\0\x1b\x1b"), PROGRAM("\x0c\x07\x08\x90\x01"),
     PROGRAM("\x0e\x10\x2e\x00\x09\x03\x0c\x07\x03\x08\x06"), 0},
    // a PLT: CFA = rsp + 8 + ((rip & 15) >= 11) * 8
    {PROGRAM("zR\0\1\x78\x10\1\x1b"), PROGRAM("\x0c\x07\x08\x90\x01"),
     PROGRAM("\x0f\x0b\x77\x08\x80\0\x3f\x1a\x3b\x2a\x33\x24\x22"), 0},
};

static void put32(char *to, uint32_t value)
{
    memcpy(to, &value, sizeof value);
}

// The record at HDR + `at`: its length, `word`, three parts.
static void put_record(char *tables, uint32_t at, uint32_t word, const struct program parts[3])
{
    uint32_t length = 4;
    put32(tables + at + 4, word);
    for (size_t i = 0; i < 3; i++) {
        memcpy(tables + at + 4 + length, parts[i].bytes, parts[i].length);
        length += (uint32_t)parts[i].length;
    }
    put32(tables + at, length);
}

static void put_tables(char *tables, size_t number)
{
    static const char version = 1;
    char code[8];
    put32(code, TEXT - (HDR + FDE + 8));
    put32(code + 4, TEXT_SIZE);
    const struct program cie[] = {{1, &version}, modules[number].augmentation, modules[number].cie};
    // FDEs of a CIE with "L" have four bytes of augmentation data.
    bool lsda = strchr(modules[number].augmentation.bytes, 'L');
    const struct program data = {lsda ? 5 : 1, lsda ? "\4\0\0\0\0" : "\0"};
    const struct program fde[] = {{sizeof code, code}, data, modules[number].fde};
    memcpy(tables, "\x01\x1b\x03\x3b", 4);
    put32(tables + 8, 1);
    put32(tables + 12, TEXT - HDR);
    put32(tables + 16, FDE);
    put_record(tables, CIE, 0, cie);
    put_record(tables, FDE, FDE + 4 - CIE, fde);
}

// As gcc (versions 1 and 3) and clang (4) begin a .debug_frame: a CIE, and an FDE of all code.
static void put_debug_frame(char *to, size_t number)
{
    static const struct program heads[DEBUG_FRAMES] = {
        PROGRAM("\1\0\1\x78\x10"), PROGRAM("\3\0\1\x78\x10"), PROGRAM("\4\0\x08\0\1\x78\x10")};
    static const struct program cie = PROGRAM("\x0c\x07\x08\x90\x01\0\0\0");
    const struct program *head = &heads[number];
    uint64_t start = 0, size = TEXT_SIZE;
    put32(to, (uint32_t)(4 + head->length + cie.length));
    put32(to + 4, UINT32_MAX);
    memcpy(to + 8, head->bytes, head->length);
    memcpy(to + 8 + head->length, cie.bytes, cie.length);
    to += 8 + head->length + cie.length;
    put32(to, 4 + 2 * sizeof size + 4);
    put32(to + 4, 0); // where its CIE lies
    memcpy(to + 8, &start, sizeof start);
    memcpy(to + 16, &size, sizeof size);
    memcpy(to + 24, "\x0e\x10\0\0", 4);
}

bool fuzz_seed(size_t number, struct buf *out)
{
    struct head head = {.sp = SP, .pc = TEXT, .frame = SP + 64};
    char tables[FDE + 64] = {0};
    if (number >= ARRAY_LENGTH(modules) + DEBUG_FRAMES)
        return false;
    bool debug_frame = number >= ARRAY_LENGTH(modules);
    head.flags = debug_frame ? 2 : modules[number].flags;
    for (uint64_t i = 0; i < STACK_WORDS / 2; i++) // return addresses and frame pointers
        head.stack[i] = i % 2 ? TEXT + 0x101 + i * 13 : SP + 8 * (i + 2);
    if (debug_frame)
        put_debug_frame(tables, number - ARRAY_LENGTH(modules));
    else
        put_tables(tables, number);
    buf_append(out, &head, sizeof head);
    buf_append(out, tables, sizeof tables);
    return true;
}
