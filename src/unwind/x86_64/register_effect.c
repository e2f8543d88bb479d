// SPDX-License-Identifier: MIT
#include "unwind/x86_64/register_effect.h"

#include <string.h>

#include "base/mem.h"

#define CALLER_SAVED 0x0fc7u // rax, rcx, rdx, rsi, rdi, r8 to r11
#define STRING 0xc3u         // rax, rcx, rsi, rdi

enum written {
    NOTHING = 0,
    REG = 1,      // that of the reg field
    RM = 2,       // that of the r/m field, unless it is memory
    LOW = 4,      // that in the opcode
    ACCUMULATOR = 8,
    DATA = 16,    // rdx
    COUNTER = 32, // rcx
    BASE = 64,    // rbx
    INDEXES = 128, // of string instructions
};

static const struct opcode_row one_byte[] = {
    {0x58, 0x5f, LOW},          {0x63, 0x63, REG},        {0x69, 0x69, REG},
    {0x6b, 0x6b, REG},          {0x86, 0x87, REG | RM},   {0x88, 0x89, RM},
    {0x8a, 0x8b, REG},          {0x8c, 0x8c, RM},         {0x8d, 0x8d, REG},
    {0x8e, 0x8f, RM},           {0x91, 0x97, LOW | ACCUMULATOR},
    {0x98, 0x99, ACCUMULATOR | DATA},                     {0x9f, 0x9f, ACCUMULATOR},
    {0xa4, 0xa7, INDEXES},      {0xaa, 0xaf, INDEXES},    {0xb0, 0xbf, LOW},
    {0xc0, 0xc1, RM},           {0xc6, 0xc7, RM},         {0xd0, 0xd3, RM},
    {0xd8, 0xdf, ACCUMULATOR},  {0xe0, 0xe3, COUNTER},
};

static const struct opcode_row behind_0f[] = {
    {0x01, 0x01, ACCUMULATOR | DATA | COUNTER},           {0x02, 0x03, REG},
    {0x05, 0x05, ACCUMULATOR | COUNTER},                  {0x2c, 0x2d, REG},
    {0x31, 0x31, ACCUMULATOR | DATA},                     {0x40, 0x50, REG},
    {0x7e, 0x7e, RM},           {0x90, 0x9f, RM},
    {0xa2, 0xa2, ACCUMULATOR | DATA | COUNTER | BASE},    {0xa4, 0xa5, RM},
    {0xab, 0xab, RM},           {0xac, 0xad, RM},         {0xaf, 0xaf, REG},
    {0xb0, 0xb1, RM | ACCUMULATOR},                       {0xb2, 0xb2, REG},
    {0xb3, 0xb3, RM},           {0xb4, 0xb8, REG},        {0xba, 0xbb, RM},
    {0xbc, 0xbf, REG},          {0xc0, 0xc1, REG | RM},   {0xc5, 0xc5, REG},
    {0xc7, 0xc7, RM | ACCUMULATOR | DATA},                {0xc8, 0xcf, LOW},
    {0xd7, 0xd7, REG},
};

static const struct opcode_row behind_0f38[] = {{0xf0, 0xf7, REG}};
static const struct opcode_row behind_0f3a[] = {
    {0x14, 0x17, RM}, {0x60, 0x63, COUNTER}, {0xf0, 0xf0, REG}};

// add, or, ..., cmp: in six forms each, and in a group with a number.
static unsigned arithmetic(const struct instruction *instruction)
{
    static const unsigned char forms[] = {RM, RM, REG, REG, ACCUMULATOR, ACCUMULATOR, 0, 0};
    enum { CMP = 7 };
    if (instruction->opcode < 0x40)
        return instruction->opcode >> 3 == CMP ? NOTHING : forms[instruction->opcode & 7];
    return instruction_operation(instruction) == CMP ? NOTHING : RM;
}

// test, not, neg, mul, ...; inc, dec, call, jmp, push.
static unsigned group(const struct instruction *instruction)
{
    int operation = instruction_operation(instruction);
    if (instruction->opcode >= 0xfe)
        return operation < 2 ? RM : NOTHING;
    return operation < 2 ? NOTHING : operation < 4 ? RM : ACCUMULATOR | DATA;
}

static unsigned written(const struct instruction *instruction)
{
    unsigned char opcode = instruction->opcode;
    switch (instruction->map) {
    case MAP_0F:
        return opcode_find(behind_0f, ARRAY_LENGTH(behind_0f), opcode, NOTHING);
    case MAP_0F38:
        return opcode_find(behind_0f38, ARRAY_LENGTH(behind_0f38), opcode, NOTHING);
    case MAP_0F3A:
        return opcode_find(behind_0f3a, ARRAY_LENGTH(behind_0f3a), opcode, NOTHING);
    case MAP_ONE_BYTE:
        break;
    }
    if (opcode < 0x40 || (opcode >= 0x80 && opcode <= 0x83))
        return arithmetic(instruction);
    if ((opcode & 0xf6) == 0xf6)
        return group(instruction);
    return opcode_find(one_byte, ARRAY_LENGTH(one_byte), opcode, NOTHING);
}

// A byte register of number 4 to 7 without a prefix is the second byte of one of the first four.
static uint32_t bit_of(const struct instruction *instruction, int number)
{
    bool bytes = !instruction->rex && number >= 4 && number < 8 && !(instruction->opcode & 1);
    uint32_t bit = 1u << number;
    return bytes || (!instruction->rex && instruction->map == MAP_0F && number >= 4 && number < 8)
               ? bit | bit >> 4
               : bit;
}

static uint32_t bits_of_vector(const struct instruction *instruction, unsigned written_ones)
{
    uint32_t bits = 0;
    if (written_ones & REG) // and the one more operand, of those that have it
        bits |= 0x101u << instruction_operation(instruction) |
                1u << (~instruction->modrm[-2] >> 3 & 15);
    if (written_ones & RM)
        bits |= 0x101u << (*instruction->modrm & 7);
    return bits;
}

uint32_t register_writes(const struct instruction *instruction)
{
    static const struct {
        unsigned written;
        uint32_t bits;
    } fixed[] = {{ACCUMULATOR, 1u << AX}, {DATA, 1u << DX}, {COUNTER, 1u << CX},
                 {BASE, 1u << BX}, {INDEXES, STRING}};
    unsigned all = written(instruction);
    uint32_t bits = 0;
    if (instruction_is_call(instruction))
        return CALLER_SAVED;
    for (size_t i = 0; i < ARRAY_LENGTH(fixed); i++)
        bits |= all & fixed[i].written ? fixed[i].bits : 0;
    if (instruction->vex)
        return instruction->modrm ? bits | bits_of_vector(instruction, all) : bits;
    if (all & REG)
        bits |= bit_of(instruction, instruction_reg(instruction));
    if (all & RM && instruction_rm(instruction) >= 0)
        bits |= bit_of(instruction, instruction_rm(instruction));
    if (all & LOW)
        bits |= bit_of(instruction,
                       (instruction->opcode & 7) + (instruction->rex & REX_B ? 8 : 0));
    bool leaves = instruction_is_plain(instruction) && instruction->opcode == 0xc9;
    return leaves ? bits | 1u << FP : bits;
}

// --- values ---

// An operand in memory: one register and a distance, or beside the code.
static bool memory_operand(const struct instruction *instruction, struct register_value *value)
{
    const unsigned char *at = instruction->modrm;
    unsigned mod = *at >> 6;
    int base = *at & 7;
    bool indexed = base == SP && (at[1] & 0x3f) != 0x24;
    if (mod == 3 || indexed || instruction->rex & REX_X || (base == SP && (at[1] & 7) == FP))
        return false;
    value->base = base + (instruction->rex & REX_B ? 8 : 0);
    at += base == SP ? 2 : 1;
    if (mod == 0 && base == FP)
        value->base = BASE_PC;
    value->distance = mod || base == FP ? instruction_number(at, mod != 1) : 0;
    return true;
}

static bool sum(const struct instruction *instruction, struct register_value *value)
{
    enum { ADD, SUB = 5 };
    int operation = instruction_operation(instruction);
    value->target = value->base = instruction_rm(instruction);
    value->distance = instruction_number(instruction->immediate, instruction->opcode == 0x81);
    if (operation == SUB)
        value->distance = -value->distance;
    return value->target >= 0 && (operation == ADD || operation == SUB);
}

static bool move(const struct instruction *instruction, struct register_value *value)
{
    int reg = instruction_reg(instruction);
    int rm = instruction_rm(instruction);
    bool stores = instruction->opcode == 0x89;
    value->target = stores ? rm : reg;
    value->base = stores ? reg : rm;
    if (rm >= 0)
        return instruction->opcode != 0x8d;
    value->loaded = instruction->opcode == 0x8b;
    return !stores && memory_operand(instruction, value);
}

bool register_value(const struct instruction *instruction, struct register_value *value)
{
    unsigned char opcode = instruction->opcode;
    *value = (struct register_value){0};
    if (!instruction_is_plain(instruction))
        return false;
    bool pops = opcode >= 0x58 && opcode <= 0x5f;
    if (pops || opcode == 0xc9) { // leave pops the frame pointer
        int low = pops ? (opcode & 7) + (instruction->rex & REX_B ? 8 : 0) : FP;
        *value = (struct register_value){low, SP, -8, true};
        return true;
    }
    if (!(instruction->rex & REX_W) || !instruction->modrm)
        return false;
    if (opcode == 0x81 || opcode == 0x83)
        return sum(instruction, value);
    return (opcode == 0x89 || opcode == 0x8b || opcode == 0x8d) && move(instruction, value);
}
