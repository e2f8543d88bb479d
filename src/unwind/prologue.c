// SPDX-License-Identifier: MIT
#include "unwind/prologue.h"

#include <stddef.h>
#include <string.h>

#include "base/mem.h"

#define WINDOW 96 // bytes of code that are looked at
#define LONGEST 15
#define LONGEST_CALL 7
#define REX_W 8

struct instruction {
    const unsigned char *opcode; // behind the prefixes
    unsigned rex;
    bool vector;   // has a prefix 66, f2 or f3
    size_t length; // in all
};

enum operands { OTHER, NONE, MODRM, MODRM_IMM8, MODRM_IMM32, IMM32 };

// What compilers put before the first branch; anything else ends the reading.
static enum operands operands_of(const unsigned char *opcode)
{
    static const struct {
        unsigned char first, last;
        enum operands operands;
    } rows[] = {
        {0x50, 0x57, NONE},        // push
        {0x01, 0x01, MODRM},       {0x03, 0x03, MODRM}, {0x09, 0x09, MODRM}, {0x0b, 0x0b, MODRM},
        {0x21, 0x21, MODRM},       {0x23, 0x23, MODRM}, {0x29, 0x29, MODRM}, {0x2b, 0x2b, MODRM},
        {0x31, 0x31, MODRM},       {0x33, 0x33, MODRM}, {0x39, 0x39, MODRM}, {0x3b, 0x3b, MODRM},
        {0x38, 0x38, MODRM},       {0x63, 0x63, MODRM}, {0x80, 0x80, MODRM_IMM8},
        {0x81, 0x81, MODRM_IMM32}, {0x83, 0x83, MODRM_IMM8},
        {0x84, 0x8b, MODRM},       {0x8d, 0x8d, MODRM}, {0xb8, 0xbf, IMM32},
        {0xc0, 0xc1, MODRM_IMM8},  {0xc6, 0xc6, MODRM_IMM8}, {0xc7, 0xc7, MODRM_IMM32},
        {0xd1, 0xd1, MODRM},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
        if (opcode[0] >= rows[i].first && opcode[0] <= rows[i].last)
            return rows[i].operands;
    return OTHER;
}

static bool is_simple_0f(unsigned char opcode)
{
    static const unsigned char moves[] = {0x10, 0x11, 0x12, 0x13, 0x16, 0x17, 0x1e, 0x1f, 0x28,
                                          0x29, 0x57, 0x6e, 0x6f, 0x6c, 0x7e, 0x7f, 0xb6, 0xb7,
                                          0xbe, 0xbf, 0xd6, 0xef};
    return memchr(moves, opcode, sizeof moves) != NULL;
}

static size_t modrm_length(const unsigned char *at)
{
    unsigned mod = at[0] >> 6, rm = at[0] & 7;
    if (mod == 3)
        return 1;
    size_t length = 1 + (rm == 4);
    bool wide = mod == 2 || (mod == 0 && (rm == 5 || (rm == 4 && (at[1] & 7) == 5)));
    return length + (wide ? 4 : mod == 1);
}

// False for what is no instruction of a prologue. There are LONGEST bytes at `code`.
static bool decode(const unsigned char *code, struct instruction *instruction)
{
    const unsigned char *at = code;
    *instruction = (struct instruction){0};
    for (; *at == 0x64 || *at == 0x66 || *at == 0xf2 || *at == 0xf3; at++) {
        instruction->vector |= *at != 0x64;
        if (at - code == 3)
            return false;
    }
    if ((*at & 0xf0) == 0x40)
        instruction->rex = *at++;
    instruction->opcode = at;
    if (at[0] == 0x0f) {
        instruction->length = (size_t)(at + 2 - code) + modrm_length(at + 2);
        return is_simple_0f(at[1]);
    }
    size_t lengths[] = {
        [NONE] = 0,
        [MODRM] = modrm_length(at + 1),
        [MODRM_IMM8] = modrm_length(at + 1) + 1,
        [MODRM_IMM32] = modrm_length(at + 1) + 4,
        [IMM32] = instruction->rex & REX_W ? 8 : 4,
    };
    enum operands operands = operands_of(at);
    instruction->length = (size_t)(at + 1 - code) + lengths[operands];
    return operands != OTHER && !(instruction->vector && operands != NONE);
}

static bool is_push_rbp(const struct instruction *instruction)
{
    return instruction->opcode[0] == 0x55 && !(instruction->rex & 1);
}

static bool is_frame_set_up(const struct instruction *instruction)
{
    const unsigned char *op = instruction->opcode;
    return instruction->rex == 0x48 && ((op[0] == 0x89 && op[1] == 0xe5) || // mov %rsp, %rbp
                                        (op[0] == 0x8b && op[1] == 0xec));
}

// Whether it changes the stack pointer, and by how much. UINT64_MAX: nobody can tell.
static uint64_t grows_by(const struct instruction *instruction)
{
    static const unsigned char to_rm[] = {0x01, 0x09, 0x21, 0x29, 0x31, 0x89},
                               to_register[] = {0x03, 0x0b, 0x23, 0x2b, 0x33, 0x8b, 0x8d};
    const unsigned char *op = instruction->opcode;
    int32_t wide;
    if (op[0] >= 0x50 && op[0] <= 0x57)
        return 8;
    bool to_rsp = (op[1] & 0xc7) == 0xc4 && !(instruction->rex & 1);   // as the r/m operand
    bool into_rsp = (op[1] & 0x38) == 0x20 && !(instruction->rex & 4); // as the other one
    if ((op[0] != 0x81 && op[0] != 0x83) || !to_rsp) {
        bool sets = (memchr(to_rm, op[0], sizeof to_rm) && to_rsp) ||
                    (memchr(to_register, op[0], sizeof to_register) && into_rsp);
        return sets ? UINT64_MAX : 0;
    }
    unsigned operation = op[1] >> 3 & 7; // 5: sub, 0: add, 4: and, 7: cmp
    memcpy(&wide, op + 2, sizeof wide);
    int64_t value = op[0] == 0x83 ? (signed char)op[2] : wide;
    if (operation == 5 || operation == 0)
        return (uint64_t)(operation == 5 ? value : -value);
    return operation == 7 ? 0 : UINT64_MAX;
}

bool prologue_frame_size(struct code_memory *memory, uint64_t start, uint64_t *size)
{
    unsigned char code[WINDOW + LONGEST] = {0};
    struct instruction instruction;
    bool pushed = false, set_up = false;
    size_t there = WINDOW;
    while (there && !code_memory_read(memory, start, code, there))
        there /= 2;
    *size = 0;
    for (size_t at = 0; at < there && decode(code + at, &instruction); at += instruction.length) {
        uint64_t grown = grows_by(&instruction);
        if (grown == UINT64_MAX)
            return false;
        if (set_up)
            *size += grown;
        else if (is_push_rbp(&instruction))
            pushed = true;
        else if (pushed && is_frame_set_up(&instruction))
            set_up = true;
    }
    return set_up && *size < 1u << 30;
}

// jmp *slot, jmp target, perhaps behind endbr64.
static bool is_stub(struct code_memory *memory, uint64_t target)
{
    unsigned char code[7];
    if (!code_memory_read(memory, target, code, sizeof code))
        return false;
    static const unsigned char endbr64[] = {0xf3, 0x0f, 0x1e, 0xfa};
    const unsigned char *at = memcmp(code, endbr64, sizeof endbr64) == 0 ? code + 4 : code;
    at += *at == 0xf2;
    return at[0] == 0xe9 || (at[0] == 0xff && at[1] == 0x25);
}

bool prologue_called(struct code_memory *memory, uint64_t back, uint64_t *target)
{
    unsigned char code[1 + sizeof(int32_t)];
    int32_t distance;
    if (!code_memory_read(memory, back - sizeof code, code, sizeof code) || code[0] != 0xe8)
        return false;
    memcpy(&distance, code + 1, sizeof distance);
    *target = back + (uint64_t)(int64_t)distance;
    return true;
}

bool prologue_is_call(struct code_memory *memory, uint64_t back, uint64_t start)
{
    unsigned char code[LONGEST_CALL + 1] = {0}; // a byte more: decoding looks ahead
    uint64_t target;
    if (prologue_called(memory, back, &target) && (target == start || is_stub(memory, target)))
        return true;
    if (!code_memory_read(memory, back - LONGEST_CALL, code, LONGEST_CALL))
        return false;
    const unsigned char *end = code + LONGEST_CALL;
    for (size_t length = 2; length <= LONGEST_CALL; length++) // call *operand
        if (end[-(int)length] == 0xff && (end[1 - (int)length] & 0x38) == 0x10 &&
            1 + modrm_length(end + 1 - length) == length)
            return true;
    return false;
}
