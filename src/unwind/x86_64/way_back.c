// SPDX-License-Identifier: MIT
#include "unwind/way_back.h"

#include <string.h>
#include <sys/syscall.h>

#include "unwind/x86_64/instruction.h"

#define STRAIGHT_MOST 12 // instructions up to the end of a thread or of a coroutine
#define BEFORE 56u       // bytes before a return address; asmcgocall of Go has 33

void ways_flush(struct ways *ways)
{
    memset(ways->tags, 0, sizeof ways->tags);
}

static bool is_one_byte(const struct instruction *instruction, unsigned char opcode)
{
    return instruction_is_plain(instruction) && instruction->opcode == opcode;
}

static bool is_syscall(const struct instruction *instruction)
{
    return instruction->map == MAP_0F && !instruction->vex && instruction->opcode == 0x05;
}

// Returns what rax holds after the instruction, as far as constants go, or -1.
static int64_t follow_ax(const struct instruction *instruction, int64_t value)
{
    int rm = instruction_rm(instruction);
    bool clears = (is_one_byte(instruction, 0x31) || is_one_byte(instruction, 0x33)) &&
                  *instruction->modrm == 0xc0;
    if (clears)
        return 0;
    if ((is_one_byte(instruction, 0xb8) && !(instruction->rex & 1)) ||
        (is_one_byte(instruction, 0xc7) && rm == AX))
        return instruction_number(instruction->immediate, true);
    if (is_one_byte(instruction, 0xb0) && !(instruction->rex & 1))
        return value < 0 ? -1 : (value & ~0xffll) | *instruction->immediate;
    bool only_read = is_one_byte(instruction, 0x89) && rm != AX;
    bool touched = is_one_byte(instruction, 0x58) ||
                   (instruction->modrm && !only_read &&
                    (rm == AX || instruction_reg(instruction) == AX));
    return touched ? -1 : value;
}

static bool exits(struct code_memory *memory, uint64_t pc)
{
    int64_t number = -1, distance;
    for (int i = 0; i < STRAIGHT_MOST; i++) {
        unsigned char code[INSTRUCTION_BYTES];
        struct instruction instruction;
        if (!instruction_read(memory, pc, false, code, &instruction))
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
        if (!instruction_read(memory, pc, false, code, &instruction))
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
        instruction_reg(instruction) != SP)
        return false;
    const unsigned char *modrm = instruction->modrm;
    unsigned mod = *modrm >> 6, base = *modrm & 7;
    if (mod == 3 || base == SP || (base == FP && (mod == 0 || !(instruction->rex & 1))))
        return false;
    *saved_at = mod == 0 ? 0 : (int32_t)instruction_number(modrm + 1, mod == 2);
    return true;
}

// mov %reg,distance(%rsp)
static bool stores(const struct instruction *instruction, int64_t *distance)
{
    const unsigned char *modrm = instruction->modrm;
    if (!is_one_byte(instruction, 0x89) || !(instruction->rex & 8) || *modrm >> 6 == 3 ||
        (*modrm & 7) != SP || modrm[1] != 0x24)
        return false;
    *distance = *modrm >> 6 == 0 ? 0 : instruction_number(modrm + 2, *modrm >> 6 == 2);
    return true;
}

static bool clears_bp(const struct instruction *instruction)
{
    if (is_one_byte(instruction, 0xc7) && instruction_rm(instruction) == FP)
        return instruction_number(instruction->immediate, true) == 0;
    if (is_one_byte(instruction, 0xbd) && !(instruction->rex & 1))
        return instruction_number(instruction->immediate, true) == 0;
    return (is_one_byte(instruction, 0x31) || is_one_byte(instruction, 0x33)) &&
           *instruction->modrm == 0xed;
}

// Returns whether what follows such a load goes straight on to a call that ends where the code
// does. If the stack pointer is aligned on the way, only what was put there afterwards counts.
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
