// SPDX-License-Identifier: MIT
// The tables are those of the Intel manual, volume 2, appendix A.
#include "unwind/x86_64/instruction.h"

#include <string.h>

#include <libunwind.h>

#include "base/mem.h"

#define PREFIXES_MAX 4
#define LENGTH_MAX 15 // bytes

const int unwind_register[] = {
    UNW_X86_64_RAX, UNW_X86_64_RCX, UNW_X86_64_RDX, UNW_X86_64_RBX,
    UNW_X86_64_RSP, UNW_X86_64_RBP, UNW_X86_64_RSI, UNW_X86_64_RDI,
    UNW_X86_64_R8,  UNW_X86_64_R9,  UNW_X86_64_R10, UNW_X86_64_R11,
    UNW_X86_64_R12, UNW_X86_64_R13, UNW_X86_64_R14, UNW_X86_64_R15};

enum operands {
    NONE = 0,
    MODRM = 1,
    IMM8 = 2,
    IMM16 = 4,
    IMM32 = 8,   // 16 bits with the prefix 66
    IMM64 = 16,
    IMMV = 32,   // IMM32, or IMM64 with REX.W
    JUMP32 = 64, // 32 bits always
    UNKNOWN = 128,
};

static const struct opcode_row one_byte[] = {
    {0x50, 0x5f, NONE},         {0x63, 0x63, MODRM},        {0x68, 0x68, IMM32},
    {0x69, 0x69, MODRM | IMM32}, {0x6a, 0x6a, IMM8},        {0x6b, 0x6b, MODRM | IMM8},
    {0x70, 0x7f, IMM8},         {0x80, 0x80, MODRM | IMM8}, {0x81, 0x81, MODRM | IMM32},
    {0x83, 0x83, MODRM | IMM8}, {0x84, 0x8f, MODRM},        {0x90, 0x99, NONE},
    {0x9b, 0x9f, NONE},         {0xa4, 0xa7, NONE},         {0xa8, 0xa8, IMM8},
    {0xa9, 0xa9, IMM32},        {0xaa, 0xaf, NONE},         {0xb0, 0xb7, IMM8},
    {0xb8, 0xbf, IMMV},         {0xc0, 0xc1, MODRM | IMM8}, {0xc2, 0xc2, IMM16},
    {0xc3, 0xc3, NONE},         {0xc6, 0xc6, MODRM | IMM8}, {0xc7, 0xc7, MODRM | IMM32},
    {0xc9, 0xc9, NONE},         {0xcc, 0xcc, NONE},         {0xd0, 0xd3, MODRM},
    {0xd8, 0xdf, MODRM},        {0xe0, 0xe3, IMM8},         {0xe8, 0xe9, JUMP32},
    {0xeb, 0xeb, IMM8},         {0xf4, 0xf5, NONE},         {0xf6, 0xf7, MODRM},
    {0xf8, 0xfd, NONE},         {0xfe, 0xff, MODRM},
};

static const struct opcode_row behind_0f[] = {
    {0x00, 0x01, MODRM},        {0x05, 0x05, NONE},         {0x0b, 0x0b, NONE},
    {0x0d, 0x0d, MODRM},        {0x10, 0x1f, MODRM},        {0x28, 0x2f, MODRM},
    {0x31, 0x31, NONE},         {0x40, 0x6f, MODRM},        {0x70, 0x73, MODRM | IMM8},
    {0x74, 0x76, MODRM},        {0x77, 0x77, NONE},         {0x7c, 0x7f, MODRM},
    {0x80, 0x8f, JUMP32},       {0x90, 0x9f, MODRM},        {0xa2, 0xa2, NONE},
    {0xa3, 0xa3, MODRM},        {0xa4, 0xa4, MODRM | IMM8}, {0xa5, 0xa5, MODRM},
    {0xab, 0xab, MODRM},        {0xac, 0xac, MODRM | IMM8}, {0xad, 0xb9, MODRM},
    {0xba, 0xba, MODRM | IMM8}, {0xbb, 0xc1, MODRM},        {0xc2, 0xc2, MODRM | IMM8},
    {0xc3, 0xc3, MODRM},        {0xc4, 0xc6, MODRM | IMM8}, {0xc7, 0xc7, MODRM},
    {0xc8, 0xcf, NONE},         {0xd0, 0xfe, MODRM},
};

unsigned opcode_find(const struct opcode_row *rows, size_t count, unsigned char opcode,
                     unsigned otherwise)
{
    for (size_t i = 0; i < count; i++)
        if (opcode >= rows[i].first && opcode <= rows[i].last)
            return rows[i].value;
    return otherwise;
}

static unsigned operands_of(const struct instruction *instruction)
{
    static const unsigned char arithmetic[] = {MODRM, MODRM, MODRM,   MODRM,
                                               IMM8,  IMM32, UNKNOWN, UNKNOWN};
    unsigned char opcode = instruction->opcode;
    switch (instruction->map) {
    case MAP_0F:
        return opcode_find(behind_0f, ARRAY_LENGTH(behind_0f), opcode, UNKNOWN);
    case MAP_0F38:
        return MODRM;
    case MAP_0F3A:
        return MODRM | IMM8;
    case MAP_ONE_BYTE:
        break;
    }
    return opcode < 0x40 ? arithmetic[opcode & 7]
                         : opcode_find(one_byte, ARRAY_LENGTH(one_byte), opcode, UNKNOWN);
}

// Returns its length with what follows it: an index, a displacement.
static size_t modrm_length(const unsigned char *at)
{
    unsigned mod = at[0] >> 6, rm = at[0] & 7;
    if (mod == 3)
        return 1;
    size_t length = 1 + (rm == SP);
    bool wide = mod == 2 || (mod == 0 && (rm == 5 || (rm == SP && (at[1] & 7) == 5)));
    return length + (wide ? 4 : mod == 1);
}

static bool is_prefix(unsigned char byte)
{
    static const unsigned char prefixes[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0xf0, 0xf2,
                                             0xf3};
    return memchr(prefixes, byte, sizeof prefixes) != NULL;
}

// Takes the opcode with what says which map it is of. Returns where the rest begins.
static const unsigned char *take_opcode(const unsigned char *at, struct instruction *instruction)
{
    if ((*at & 0xf0) == 0x40)
        instruction->rex = *at++;
    instruction->vex = *at == 0xc4 || *at == 0xc5;
    if (instruction->vex) {
        instruction->map = *at == 0xc5 ? MAP_0F : (enum instruction_map)(at[1] & 3);
        at += *at == 0xc5 ? 2 : 3;
    } else if (*at == 0x0f) {
        at++;
        instruction->map = *at == 0x38 ? MAP_0F38 : *at == 0x3a ? MAP_0F3A : MAP_0F;
        at += instruction->map != MAP_0F;
    }
    instruction->opcode = *at;
    return at + 1;
}

static size_t immediate_length(const struct instruction *instruction, unsigned operands,
                               bool narrow)
{
    bool wide = operands & IMM64 || (operands & IMMV && instruction->rex & REX_W);
    if (wide)
        return 8;
    if (operands & JUMP32)
        return 4;
    if (operands & (IMM32 | IMMV))
        return narrow ? 2 : 4;
    return operands & IMM16 ? 2 : operands & IMM8 ? 1 : 0;
}

bool instruction_decode(const unsigned char *code, struct instruction *instruction)
{
    const unsigned char *at = code;
    bool narrow = false;
    *instruction = (struct instruction){0};
    for (; is_prefix(*at); at++) {
        narrow |= *at == 0x66;
        if (at - code == PREFIXES_MAX)
            return false;
    }
    at = take_opcode(at, instruction);
    unsigned operands = operands_of(instruction);
    if (operands & MODRM) {
        instruction->modrm = at;
        at += modrm_length(at);
        bool tests = instruction->map == MAP_ONE_BYTE && (instruction->opcode & 0xfe) == 0xf6 &&
                     (*instruction->modrm & 0x30) == 0;
        if (tests)
            operands |= instruction->opcode & 1 ? IMM32 : IMM8;
    }
    instruction->immediate = at;
    instruction->length = (size_t)(at - code) + immediate_length(instruction, operands, narrow);
    return !(operands & UNKNOWN) && instruction->length <= LENGTH_MAX;
}

bool instruction_read(struct code_memory *memory, uint64_t pc, bool made,
                      unsigned char code[INSTRUCTION_BYTES], struct instruction *instruction)
{
    size_t there = code_memory_most(memory, pc, made, code, INSTRUCTION_BYTES);
    return instruction_decode(code, instruction) && instruction->length <= there;
}

// --- what it does ---

bool instruction_is_plain(const struct instruction *instruction)
{
    return instruction->map == MAP_ONE_BYTE && !instruction->vex;
}

static unsigned mod_of(const struct instruction *instruction)
{
    return *instruction->modrm >> 6;
}

int instruction_operation(const struct instruction *instruction)
{
    return *instruction->modrm >> 3 & 7;
}

int instruction_reg(const struct instruction *instruction)
{
    return instruction_operation(instruction) + (instruction->rex & REX_R ? 8 : 0);
}

int instruction_rm(const struct instruction *instruction)
{
    if (!instruction->modrm || mod_of(instruction) != 3)
        return -1;
    return (*instruction->modrm & 7) + (instruction->rex & REX_B ? 8 : 0);
}

int64_t instruction_number(const unsigned char *at, bool wide)
{
    int32_t value;
    memcpy(&value, at, sizeof value);
    return wide ? value : (signed char)*at;
}

bool instruction_sets_frame(const struct instruction *instruction)
{
    return instruction->map == MAP_ONE_BYTE && instruction->rex == (0x40 | REX_W) &&
           ((instruction->opcode == 0x89 && *instruction->modrm == 0xe5) || // mov %rsp, %rbp
            (instruction->opcode == 0x8b && *instruction->modrm == 0xec));
}

// Returns whether its operand is memory at a distance from a register with nothing else added.
static bool is_beside(const struct instruction *instruction, int base, int64_t *distance)
{
    const unsigned char *at = instruction->modrm;
    unsigned mod = mod_of(instruction);
    if (mod == 3 || (at[0] & 7) != base || instruction->rex & (REX_B | REX_X) ||
        (base == SP && (at[1] & 0x3f) != 0x24) || (base == FP && mod == 0))
        return false;
    at += base == SP ? 2 : 1;
    *distance = mod == 0 ? 0 : instruction_number(at, mod == 2);
    return true;
}

// add, sub, and, ... with an immediate.
static enum stack_effect by_number(const struct instruction *instruction, int64_t *distance)
{
    enum { ADD, SUB = 5, CMP = 7 };
    int operation = instruction_operation(instruction);
    int64_t value = instruction_number(instruction->immediate, instruction->opcode == 0x81);
    if (operation == CMP)
        return STACK_KEPT;
    *distance = operation == ADD ? value : -value;
    return operation == ADD || operation == SUB ? STACK_MOVED : STACK_LOST;
}

static enum stack_effect by_register(const struct instruction *instruction, int64_t *distance)
{
    static const unsigned char to_rm[] = {0x01, 0x09, 0x11, 0x19, 0x21, 0x29, 0x31, 0x87, 0x89},
                               to_register[] = {0x03, 0x0b, 0x13, 0x1b, 0x23, 0x2b,
                                                0x33, 0x63, 0x87, 0x8b, 0x8d};
    unsigned char opcode = instruction->opcode;
    int rm = instruction_rm(instruction), reg = instruction_reg(instruction);
    if (opcode == 0x8d && reg == SP)
        return is_beside(instruction, SP, distance)   ? STACK_MOVED
               : is_beside(instruction, FP, distance) ? STACK_AT_FRAME
                                                      : STACK_LOST;
    *distance = 0;
    if ((opcode == 0x89 && rm == SP && reg == FP) || (opcode == 0x8b && reg == SP && rm == FP))
        return STACK_AT_FRAME;
    bool sets = (rm == SP && memchr(to_rm, opcode, sizeof to_rm)) ||
                (reg == SP && memchr(to_register, opcode, sizeof to_register));
    return sets ? STACK_LOST : STACK_KEPT;
}

enum stack_effect instruction_stack(const struct instruction *instruction, int64_t *distance)
{
    unsigned char opcode = instruction->opcode;
    *distance = 0;
    if (!instruction_is_plain(instruction))
        return STACK_KEPT;
    bool pushes = (opcode >= 0x50 && opcode <= 0x57) || opcode == 0x68 || opcode == 0x6a ||
                  opcode == 0x9c || (opcode == 0xff && instruction_operation(instruction) == 6);
    bool pops = (opcode >= 0x58 && opcode <= 0x5f) || opcode == 0x8f || opcode == 0x9d;
    if (pushes || pops || opcode == 0xc9)
        *distance = pushes ? -8 : 8;
    if (pushes || pops)
        return opcode == 0x5c && !(instruction->rex & REX_B) ? STACK_LOST : STACK_MOVED;
    if (opcode == 0xc9)
        return STACK_AT_FRAME; // leave: 8 above, where the caller's frame pointer has been
    if (!instruction->modrm)
        return STACK_KEPT;
    if (opcode == 0x81 || opcode == 0x83)
        return instruction_rm(instruction) == SP ? by_number(instruction, distance) : STACK_KEPT;
    return by_register(instruction, distance);
}

static enum flow flow_of_group(const struct instruction *instruction)
{
    enum { JUMP = 4, FAR_JUMP };
    int operation = instruction_operation(instruction);
    bool slot = (*instruction->modrm & 0xc7) == 5; // beside the code
    if (operation == JUMP)
        return slot ? FLOW_LEAVE : FLOW_END;
    return operation == FAR_JUMP ? FLOW_END : FLOW_NEXT;
}

enum flow instruction_flow(const struct instruction *instruction, int64_t *distance)
{
    unsigned char opcode = instruction->opcode;
    *distance = 0;
    if (instruction->map == MAP_0F && !instruction->vex) {
        if (opcode >= 0x80 && opcode <= 0x8f) {
            *distance = instruction_number(instruction->immediate, true);
            return FLOW_BRANCH;
        }
        return opcode == 0x0b ? FLOW_END : FLOW_NEXT; // ud2
    }
    if (!instruction_is_plain(instruction))
        return FLOW_NEXT;
    if (opcode == 0xff)
        return flow_of_group(instruction);
    bool branches = (opcode >= 0x70 && opcode <= 0x7f) || (opcode >= 0xe0 && opcode <= 0xe3);
    bool jumps = opcode == 0xeb || opcode == 0xe9;
    if (branches || jumps)
        *distance = instruction_number(instruction->immediate, opcode == 0xe9);
    return branches                               ? FLOW_BRANCH
           : jumps                                ? FLOW_JUMP
           : opcode == 0xc3 || opcode == 0xc2     ? FLOW_RETURN
           : opcode == 0xcc || opcode == 0xf4     ? FLOW_END // int3, hlt
                                                  : FLOW_NEXT;
}

bool instruction_is_call(const struct instruction *instruction)
{
    enum { CALL = 2 };
    return instruction_is_plain(instruction) &&
           (instruction->opcode == 0xe8 ||
            (instruction->opcode == 0xff && instruction_operation(instruction) == CALL));
}
