// SPDX-License-Identifier: MIT
#include "unwind/entry_path.h"

#include <string.h>

#include "unwind/step.h"
#include "unwind/x86_64/instruction.h"
#include "unwind/prologue.h"

#define WORDS_MOST 64  // of the stack that are looked at
#define STEPS_MOST 600 // instructions for one return address
#define BRANCHES_MOST 32
#define TARGETS_MOST 64
#define CALLER_REGISTERS (1u << UNW_X86_64_RSP | 1u << UNW_X86_64_RIP)

struct entry_state { // somewhere in the function that was called
    uint64_t pc, sp, frame;
    bool framed;         // `frame` holds
    uint32_t constant;   // bit n: constants[n] holds, registers by their numbers in instructions
    uint64_t constants[16];
};

struct entry_search {
    struct code_memory *memory;
    uint64_t pc, sp; // to be reached
    struct entry_state states[BRANCHES_MOST];
    size_t state_count;
    uint64_t targets[TARGETS_MOST];
    size_t target_count;
    unsigned work;
};

static bool is_new(struct entry_search *search, uint64_t target)
{
    for (size_t i = 0; i < search->target_count; i++)
        if (search->targets[i] == target)
            return false;
    if (search->target_count == TARGETS_MOST)
        return false;
    search->targets[search->target_count++] = target;
    return true;
}

static void add_branch(struct entry_search *search, const struct entry_state *state,
                       uint64_t target)
{
    if (search->state_count == BRANCHES_MOST || !is_new(search, target))
        return;
    search->states[search->state_count] = *state;
    search->states[search->state_count++].pc = target;
}

static bool move_stack(struct entry_state *state, const struct instruction *instruction)
{
    int64_t distance;
    switch (instruction_stack(instruction, &distance)) {
    case STACK_KEPT:
        break;
    case STACK_MOVED:
        state->sp += (uint64_t)distance;
        break;
    case STACK_AT_FRAME:
        if (!state->framed)
            return false;
        state->sp = state->frame + (uint64_t)distance;
        break;
    case STACK_LOST:
        return false;
    }
    if (instruction_sets_frame(instruction)) {
        state->framed = true;
        state->frame = state->sp;
    }
    return true;
}

// lea code,%reg and mov $code,%reg, for a jump there: musl's way to main.
static void note_constant(struct entry_state *state, const struct instruction *instruction)
{
    bool plain = instruction_is_plain(instruction);
    bool lea = plain && instruction->opcode == 0x8d && (*instruction->modrm & 0xc7) == 5;
    bool move = plain && instruction->opcode == 0xc7 && instruction_rm(instruction) >= 0;
    if (!lea && !move)
        return;
    int number = lea ? instruction_reg(instruction) : instruction_rm(instruction);
    int64_t value =
        instruction_number(lea ? instruction->modrm + 1 : instruction->immediate, true);
    state->constants[number] = (lea ? state->pc : 0) + (uint64_t)value;
    state->constant |= 1u << number;
}

// jmp *%reg, where that is known.
static bool jump_target(const struct entry_state *state, const struct instruction *instruction,
                        uint64_t *target)
{
    enum { JUMP = 4 };
    int number = instruction_rm(instruction);
    if (instruction->map != MAP_ONE_BYTE || instruction->opcode != 0xff || number < 0 ||
        instruction_operation(instruction) != JUMP || !(state->constant >> number & 1))
        return false;
    *target = state->constants[number];
    return true;
}

static bool is_there(const struct entry_search *search, const struct entry_state *state)
{
    return state->pc == search->pc && state->sp == search->sp;
}

// Goes on until it is there (true), ends, or takes a way that was taken before.
static bool follow(struct entry_search *search, struct entry_state *state)
{
    while (!is_there(search, state) && search->work++ < STEPS_MOST) {
        unsigned char code[INSTRUCTION_BYTES];
        struct instruction instruction;
        int64_t distance;
        if (!instruction_read(search->memory, state->pc, false, code, &instruction))
            return false;
        state->pc += instruction.length;
        note_constant(state, &instruction);
        if (!move_stack(state, &instruction))
            return false;
        enum flow flow = instruction_flow(&instruction, &distance);
        uint64_t target = state->pc + (uint64_t)distance;
        if (flow == FLOW_BRANCH)
            add_branch(search, state, target);
        else if (flow == FLOW_JUMP ||
                 (flow == FLOW_END && jump_target(state, &instruction, &target))) {
            state->pc = target;
            if (!is_new(search, target))
                return false;
        } else if (flow != FLOW_NEXT)
            return false;
    }
    return is_there(search, state);
}

static bool leads_here(struct unwinder *unwinder, uint64_t from, uint64_t back_at)
{
    struct entry_search search = {.memory = &unwinder->code, .pc = *walk_pc(unwinder),
                            .sp = *walk_sp(unwinder), .state_count = 1};
    search.states[0] = (struct entry_state){.pc = from, .sp = back_at};
    while (search.state_count) {
        struct entry_state state = search.states[--search.state_count];
        if (follow(&search, &state))
            return true;
    }
    return false;
}

static bool step_to(struct unwinder *unwinder, uint64_t back, uint64_t size)
{
    *walk_sp(unwinder) += size + WORD;
    *walk_pc(unwinder) = back;
    unwinder->known &= CALLER_REGISTERS;
    return true;
}

static struct entry_found *slot_of(struct unwinder *unwinder)
{
    uint64_t pc = *walk_pc(unwinder);
    return &unwinder->entries[(pc ^ pc >> 6) % ENTRIES];
}

// The way of a function is the same each time; what called it may be another.
static bool found_before(struct unwinder *unwinder)
{
    const struct entry_found *entry = slot_of(unwinder);
    uint64_t back;
    return entry->pc == *walk_pc(unwinder) && entry->pc &&
           walk_read(unwinder, *walk_sp(unwinder) + entry->size, &back) && back == entry->back &&
           step_to(unwinder, entry->back, entry->size);
}

static bool is_entry_above(struct unwinder *unwinder, uint64_t size)
{
    uint64_t *sp = walk_sp(unwinder), before = *sp;
    *sp += size + WORD;
    bool found = step_is_entry(unwinder);
    *sp = before;
    return found;
}

// Returns whether a return address `size` bytes above the stack pointer belongs to this function.
static bool is_ours(struct unwinder *unwinder, uint64_t back, uint64_t size, bool first)
{
    uint64_t target;
    if (prologue_called(&unwinder->code, back, &target) &&
        leads_here(unwinder, target, *walk_sp(unwinder) + size))
        return true;
    return first && (way_back(&unwinder->ways, &unwinder->code, back)->way == WAY_EXITS ||
                     is_entry_above(unwinder, size));
}

bool entry_path_step(struct unwinder *unwinder)
{
    bool first = true;
    uint64_t pc = *walk_pc(unwinder), back;
    if (found_before(unwinder))
        return true;
    for (uint64_t size = 0; size < WORDS_MOST * WORD; size += WORD) {
        if (!walk_read(unwinder, *walk_sp(unwinder) + size, &back))
            break;
        if (!back || !walk_is_code(unwinder, back - 1) ||
            !prologue_is_any_call(&unwinder->code, back))
            continue;
        if (is_ours(unwinder, back, size, first)) {
            *slot_of(unwinder) = (struct entry_found){pc, back, size};
            return step_to(unwinder, back, size);
        }
        first = false;
    }
    return false;
}
