// SPDX-License-Identifier: MIT
#include "unwind/way_back.h"

#include <string.h>
#include <sys/syscall.h>

#include "unwind/x86_64/instruction.h"

#define STRAIGHT_MOST 12 // instructions up to the end of a thread or of a coroutine
#define BEFORE 56u       // bytes before a return address; asmcgocall of Go has 33
#define AX 0             // registers by their numbers in instructions
#define SP 4
#define BP 5

void ways_flush(struct ways *ways)
{
    memset(ways->tags, 0, sizeof ways->tags);
}

static bool is_one_byte(const struct instruction *instruction, unsigned char opcode)
{
    return instruction->map == MAP_ONE_BYTE && !instruction->vex && instruction->opcode == opcode;
}

static bool is_syscall(const struct instruction *instruction)
{
    return instruction->map == MAP_0F && !instruction->vex && instruction->opcode == 0x05;
}

static int reg_of(const struct instruction *instruction)
{
    return (*instruction->modrm >> 3 & 7) + (instruction->rex & 4 ? 8 : 0);
}

static int64_t immediate_of(const struct instruction *instruction)
{
    int32_t value;
    memcpy(&value, instruction->immediate, sizeof value);
    return value;
}

// What rax holds after the instruction, as far as constants go; -1: not known.
static int64_t follow_ax(const struct instruction *instruction, int64_t value)
{
    int rm = instruction_rm(instruction);
    bool clears = (is_one_byte(instruction, 0x31) || is_one_byte(instruction, 0x33)) &&
                  *instruction->modrm == 0xc0;
    if (clears)
        return 0;
    if ((is_one_byte(instruction, 0xb8) && !(instruction->rex & 1)) ||
        (is_one_byte(instruction, 0xc7) && rm == AX))
        return immediate_of(instruction);
    if (is_one_byte(instruction, 0xb0) && !(instruction->rex & 1))
        return value < 0 ? -1 : (value & ~0xffll) | *instruction->immediate;
    bool only_read = is_one_byte(instruction, 0x89) && rm != AX;
    bool touched = is_one_byte(instruction, 0x58) ||
                   (instruction->modrm && !only_read &&
                    (rm == AX || reg_of(instruction) == AX));
    return touched ? -1 : value;
}

static bool read_instruction(struct code_memory *memory, uint64_t pc,
                             unsigned char code[INSTRUCTION_BYTES],
                             struct instruction *instruction)
{
    size_t there = INSTRUCTION_BYTES;
    memset(code, 0, INSTRUCTION_BYTES);
    while (there && !code_memory_read(memory, pc, code, there))
        there--;
    return instruction_decode(code, instruction) && instruction->length <= there;
}

static bool exits(struct code_memory *memory, uint64_t pc)
{
    int64_t number = -1, distance;
    for (int i = 0; i < STRAIGHT_MOST; i++) {
        unsigned char code[INSTRUCTION_BYTES];
        struct instruction instruction;
        if (!read_instruction(memory, pc, code, &instruction))
            return false;
        if (is_syscall(&instruction))
            return number == SYS_exit || number == SYS_exit_group;
        if (instruction_flow(&instruction, &distance) != FLOW_NEXT ||
            instruction_is_call(&instruction))
            return false;
        number = follow_ax(&instruction, number);
        pc += instruction.length;
    }
    return false;
}

bool way_ends(struct code_memory *memory, uint64_t pc)
{
    for (int i = 0; i < STRAIGHT_MOST; i++) {
        unsigned char code[INSTRUCTION_BYTES];
        struct instruction instruction;
        int64_t distance;
        if (!read_instruction(memory, pc, code, &instruction))
            return false;
        enum flow flow = instruction_flow(&instruction, &distance);
        if (flow == FLOW_END || instruction_stack(&instruction, &distance) == STACK_LOST)
            return true;
        if (flow != FLOW_NEXT)
            return false;
        pc += instruction.length;
    }
    return false;
}

// mov saved_at(%reg),%rsp; not what a function kept on its own stack.
static bool loads_sp(const struct instruction *instruction, int32_t *saved_at)
{
    if (!is_one_byte(instruction, 0x8b) || !(instruction->rex & 8) ||
        reg_of(instruction) != SP)
        return false;
    const unsigned char *modrm = instruction->modrm;
    unsigned mod = *modrm >> 6, base = *modrm & 7;
    if (mod == 3 || base == SP || (base == BP && (mod == 0 || !(instruction->rex & 1))))
        return false;
    *saved_at = 0;
    if (mod == 1)
        *saved_at = (signed char)modrm[1];
    else if (mod == 2)
        memcpy(saved_at, modrm + 1, sizeof *saved_at);
    return true;
}

// mov %reg,distance(%rsp)
static bool stores(const struct instruction *instruction, int64_t *distance)
{
    const unsigned char *modrm = instruction->modrm;
    if (!is_one_byte(instruction, 0x89) || !(instruction->rex & 8) || *modrm >> 6 == 3 ||
        (*modrm & 7) != SP || modrm[1] != 0x24)
        return false;
    int32_t wide;
    memcpy(&wide, modrm + 2, sizeof wide);
    *distance = *modrm >> 6 == 0 ? 0 : *modrm >> 6 == 1 ? (signed char)modrm[2] : wide;
    return true;
}

static bool clears_bp(const struct instruction *instruction)
{
    if (is_one_byte(instruction, 0xc7) && instruction_rm(instruction) == BP)
        return immediate_of(instruction) == 0;
    if (is_one_byte(instruction, 0xbd) && !(instruction->rex & 1))
        return immediate_of(instruction) == 0;
    return (is_one_byte(instruction, 0x31) || is_one_byte(instruction, 0x33)) &&
           *instruction->modrm == 0xed;
}

// Whether what follows such a load goes straight on to a call that ends where the code does. Where
// the stack pointer is aligned, all that counts is what was put there afterwards.
static bool leads_to_call(const unsigned char *code, size_t size, struct way_back *way)
{
    int64_t distance, moved = 0, owner = -1;
    way->fresh = false;
    for (size_t at = 0; at < size;) {
        struct instruction instruction;
        if (!instruction_decode(code + at, &instruction) ||
            instruction_flow(&instruction, &distance) != FLOW_NEXT)
            return false;
        at += instruction.length;
        if (instruction_is_call(&instruction)) {
            way->owner_at = owner < 0 ? -1 : (int32_t)(owner - moved);
            return at == size;
        }
        enum stack_effect effect = instruction_stack(&instruction, &distance);
        if (effect == STACK_AT_FRAME)
            return false;
        if (effect == STACK_LOST) {
            moved = 0;
            owner = -1;
        } else
            moved += distance;
        way->fresh |= clears_bp(&instruction);
        if (owner < 0 && stores(&instruction, &distance))
            owner = moved + distance;
    }
    return false;
}

static bool is_switched(struct code_memory *memory, uint64_t pc, struct way_back *way)
{
    unsigned char code[BEFORE + INSTRUCTION_BYTES] = {0};
    struct instruction instruction;
    if (!code_memory_read(memory, pc - BEFORE, code, BEFORE))
        return false;
    for (size_t at = 0; at < BEFORE; at++)
        if ((code[at] & 0xf8) == 0x48 && instruction_decode(code + at, &instruction) &&
            loads_sp(&instruction, &way->saved_at) &&
            leads_to_call(code + at + instruction.length, BEFORE - at - instruction.length, way))
            return true;
    return false;
}

const struct way_back *way_back(struct ways *ways, struct code_memory *memory, uint64_t pc)
{
    size_t at = (size_t)(pc ^ pc >> 8) % WAYS;
    struct way_back *way = &ways->ways[at];
    if (ways->tags[at] == pc)
        return way;
    ways->tags[at] = pc;
    *way = (struct way_back){.way = WAY_PLAIN};
    if (exits(memory, pc))
        way->way = WAY_EXITS;
    else if (is_switched(memory, pc, way))
        way->way = WAY_SWITCHED;
    return way;
}
