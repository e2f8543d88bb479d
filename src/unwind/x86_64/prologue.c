// SPDX-License-Identifier: MIT
#include "unwind/prologue.h"

#include <stddef.h>
#include <string.h>

#include "unwind/stub.h"
#include "unwind/x86_64/instruction.h"

#define WINDOW 96 // bytes of code that are looked at
#define LONGEST_CALL 7

static bool is_push_rbp(const struct instruction *instruction)
{
    return instruction->opcode == 0x55 && instruction->map == MAP_ONE_BYTE && !instruction->rex;
}

// A call may lead to code that does not belong here, a branch to another frame.
static bool goes_on(const struct instruction *instruction)
{
    int64_t distance;
    return instruction_flow(instruction, &distance) == FLOW_NEXT &&
           !instruction_is_call(instruction);
}

bool prologue_frame_size(struct code_memory *memory, uint64_t start, uint64_t *size)
{
    unsigned char code[WINDOW + INSTRUCTION_BYTES] = {0};
    struct instruction instruction;
    int64_t distance;
    bool pushed = false, set_up = false;
    size_t there = WINDOW;
    while (there && !code_memory_read(memory, start, code, there))
        there /= 2;
    *size = 0;
    for (size_t at = 0; at < there && instruction_decode(code + at, &instruction) &&
                        goes_on(&instruction);
         at += instruction.length) {
        enum stack_effect effect = instruction_stack(&instruction, &distance);
        if (effect == STACK_LOST || effect == STACK_AT_FRAME)
            return false;
        if (set_up)
            *size -= (uint64_t)distance;
        else if (is_push_rbp(&instruction))
            pushed = true;
        else if (pushed && instruction_sets_frame(&instruction))
            set_up = true;
    }
    return set_up && *size < 1u << 30;
}

bool prologue_called(struct code_memory *memory, uint64_t back, uint64_t *target)
{
    unsigned char code[1 + sizeof(int32_t)];
    int32_t distance;
    if (!code_memory_fetch(memory, back - sizeof code, code, sizeof code) || code[0] != 0xe8)
        return false;
    memcpy(&distance, code + 1, sizeof distance);
    *target = back + (uint64_t)(int64_t)distance;
    return true;
}

static bool is_indirect_call(struct code_memory *memory, uint64_t back)
{
    unsigned char code[LONGEST_CALL + INSTRUCTION_BYTES] = {0};
    struct instruction instruction;
    if (!code_memory_fetch(memory, back - LONGEST_CALL, code, LONGEST_CALL))
        return false;
    for (size_t at = 0; at <= LONGEST_CALL - 2; at++)
        if (code[at] == 0xff && instruction_decode(code + at, &instruction) &&
            instruction_is_call(&instruction) && instruction.length == LONGEST_CALL - at)
            return true;
    return false;
}

static bool is_stub(struct code_memory *memory, uint64_t address)
{
    enum stub_kind kind = stub_at(memory, address);
    return kind == STUB_SLOT || kind == STUB_JUMP;
}

bool prologue_is_call(struct code_memory *memory, uint64_t back, uint64_t start)
{
    uint64_t target;
    return (prologue_called(memory, back, &target) &&
            (target == start || is_stub(memory, target))) ||
           is_indirect_call(memory, back);
}

bool prologue_is_any_call(struct code_memory *memory, uint64_t back)
{
    uint64_t target;
    return prologue_called(memory, back, &target) || is_indirect_call(memory, back);
}
