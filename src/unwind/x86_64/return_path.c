// SPDX-License-Identifier: MIT
#include "unwind/return_path.h"

#include <string.h>

#include "base/mem.h"
#include "unwind/prologue.h"
#include "unwind/x86_64/code_path.h"
#include "unwind/x86_64/register_effect.h"

#define WORK_STEPS 2000 // instructions that are looked at
#define BELOW (1u << 20) // bytes below a stack pointer that are taken for its stack
#define POP_SP 0x5c

struct return_search {
    struct unwinder *unwinder;
    uint64_t start; // of the function, 0: not known
    struct paths paths;
    unsigned work;
    bool too_short; // the copy of the stack
    bool made;      // code that the process made is followed, too
    bool by_frame;  // a way takes the frame pointer, or code is not to be read
};

// The word at an address. Below the stack pointer of the leaf lies what the path itself would have
// put there. All but the frame pointer are read aside, as in read_registers of step.c.
static bool load(struct return_search *search, uint64_t address, int number, uint64_t *word)
{
    struct unwinder *unwinder = search->unwinder;
    if (address < *walk_sp(unwinder) && *walk_sp(unwinder) - address < BELOW)
        return false;
    unwinder->aside = number != UNW_X86_64_RBP;
    bool there = walk_read(unwinder, address, word);
    unwinder->unnoted |= (uint32_t)unwinder->aside << number;
    unwinder->aside = false;
    return there;
}

static bool base_of(const struct path *path, int base, uint64_t *address)
{
    if (base == BASE_PC) {
        *address = path->pc;
        return true;
    }
    *address = base == SP ? path->sp : path->registers[unwind_register[base]];
    return base == SP || path->known >> unwind_register[base] & 1;
}

static bool value_of(struct return_search *search, const struct path *path,
                     const struct register_value *value, uint64_t *result)
{
    if (!base_of(path, value->base, result))
        return false;
    *result += (uint64_t)value->distance;
    return !value->loaded || load(search, *result, unwind_register[value->target], result);
}

// The stack pointer of before an alignment comes back from where it was kept.
static bool restore_stack(struct return_search *search, struct path *path,
                          const struct instruction *instruction)
{
    struct unwinder *unwinder = search->unwinder;
    struct register_value value;
    if (!register_value(instruction, &value) || value.target != SP ||
        instruction->opcode == POP_SP)
        return false;
    if (value.base != BASE_PC)
        search->by_frame |= !walk_knows(unwinder, unwind_register[value.base]);
    unwinder->memo.spoilt = true; // it was read aside, perhaps
    return value_of(search, path, &value, &path->sp);
}

static bool move_stack(struct return_search *search, struct path *path,
                       const struct instruction *instruction)
{
    int64_t distance;
    enum stack_effect effect = instruction_stack(instruction, &distance);
    search->by_frame |= effect == STACK_AT_FRAME;
    return effect == STACK_LOST ? restore_stack(search, path, instruction)
                                : path_move_stack(path, effect, distance);
}

// Registers that the function itself uses until it returns, or that callers get back.
static void set_registers(struct return_search *search, struct path *path,
                          const struct instruction *instruction)
{
    struct register_value value;
    uint64_t result;
    bool known = register_value(instruction, &value) &&
                 value.target != SP &&
                 value_of(search, path, &value, &result);
    uint32_t written = register_writes(instruction);
    for (size_t i = 0; i < ARRAY_LENGTH(unwind_register); i++)
        if (written >> i & 1 && i != SP)
            path->known &= ~(1u << unwind_register[i]);
    if (!known)
        return;
    path->registers[unwind_register[value.target]] = result;
    path->known |= 1u << unwind_register[value.target];
}

static bool is_from_call(struct return_search *search, uint64_t back)
{
    struct code_memory *code = &search->unwinder->code;
    return search->start ? prologue_is_call(code, back, search->start)
                         : prologue_is_any_call(code, back);
}

static bool finish(struct return_search *search, struct path *path)
{
    struct unwinder *unwinder = search->unwinder;
    uint64_t back;
    if (path->sp < *walk_sp(unwinder))
        return false;
    if (!walk_read(unwinder, path->sp, &back)) {
        search->too_short |= unwinder->fault == UNWIND_SHORT;
        return false;
    }
    if (!back || !walk_is_code(unwinder, back - 1) || !is_from_call(search, back))
        return false;
    memcpy(unwinder->registers, path->registers, sizeof path->registers);
    unwinder->known = path->known;
    *walk_sp(unwinder) = path->sp + WORD;
    *walk_pc(unwinder) = back;
    return true;
}

// Goes on until the path returns (true), ends, or takes a way that was taken before.
static bool follow(struct return_search *search, struct path *path)
{
    struct code_memory *memory = &search->unwinder->code;
    while (search->work++ < WORK_STEPS && search->unwinder->work++ < WORK_MAX) {
        unsigned char code[INSTRUCTION_BYTES];
        struct instruction instruction;
        if (!instruction_read(memory, path->pc, search->made, code, &instruction)) {
            search->by_frame |= !code_memory_most(memory, path->pc, search->made, code, 1);
            return false;
        }
        path->pc += instruction.length;
        if (!move_stack(search, path, &instruction))
            return false;
        set_registers(search, path, &instruction);
        switch (paths_go(&search->paths, path, &instruction)) {
        case FLOW_LEAVE:
        case FLOW_RETURN:
            return finish(search, path);
        case FLOW_END:
            return false;
        default:
            break;
        }
    }
    return false;
}

bool return_path_step(struct unwinder *unwinder, uint64_t start, bool made, bool *by_frame)
{
    struct return_search search = {
        .unwinder = unwinder, .start = start, .made = made, .paths.count = 1};
    struct path *first = &search.paths.list[0];
    *first = (struct path){.pc = *walk_pc(unwinder), .sp = *walk_sp(unwinder),
                           .known = unwinder->known};
    memcpy(first->registers, unwinder->registers, sizeof first->registers);
    enum unwind_end fault = unwinder->fault;
    while (search.paths.count) {
        struct path path = search.paths.list[--search.paths.count];
        if (follow(&search, &path))
            return true;
    }
    *by_frame = search.by_frame;
    unwinder->fault = fault;
    return search.too_short ? walk_fault(unwinder, UNWIND_SHORT) : false;
}
