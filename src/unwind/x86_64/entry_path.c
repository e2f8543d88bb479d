// SPDX-License-Identifier: MIT
#include "unwind/entry_path.h"

#include "unwind/prologue.h"
#include "unwind/step.h"
#include "unwind/x86_64/code_path.h"

#define WORDS_MOST 64  // of the stack that are looked at
#define STEPS_MOST 600 // instructions for one return address
#define CALLER_REGISTERS (1u << UNW_X86_64_RSP | 1u << UNW_X86_64_RIP)

struct entry_search {
    struct code_memory *memory;
    uint64_t pc, sp; // to be reached
    struct paths paths; // somewhere in the function that was called
    unsigned work;
};

static void set_register(struct path *path, int number, uint64_t value)
{
    path->registers[unwind_register[number]] = value;
    path->known |= 1u << unwind_register[number];
}

static bool move_stack(struct path *path, const struct instruction *instruction)
{
    int64_t distance;
    enum stack_effect effect = instruction_stack(instruction, &distance);
    if (!path_move_stack(path, effect, distance))
        return false;
    if (instruction_sets_frame(instruction))
        set_register(path, FP, path->sp);
    return true;
}

// lea code,%reg and mov $code,%reg, for a jump there: musl's way to main.
static void note_constant(struct path *path, const struct instruction *instruction)
{
    bool plain = instruction_is_plain(instruction);
    bool lea = plain && instruction->opcode == 0x8d && (*instruction->modrm & 0xc7) == 5;
    bool move = plain && instruction->opcode == 0xc7 && instruction_rm(instruction) >= 0;
    if (!lea && !move)
        return;
    int number = lea ? instruction_reg(instruction) : instruction_rm(instruction);
    int64_t value =
        instruction_number(lea ? instruction->modrm + 1 : instruction->immediate, true);
    set_register(path, number, (lea ? path->pc : 0) + (uint64_t)value);
}

// jmp *%reg, where that is known.
static bool jump_target(const struct path *path, const struct instruction *instruction,
                        uint64_t *target)
{
    enum { JUMP = 4 };
    int number = instruction_rm(instruction);
    if (instruction->map != MAP_ONE_BYTE || instruction->opcode != 0xff || number < 0 ||
        instruction_operation(instruction) != JUMP || !(path->known >> unwind_register[number] & 1))
        return false;
    *target = path->registers[unwind_register[number]];
    return true;
}

static bool is_there(const struct entry_search *search, const struct path *path)
{
    return path->pc == search->pc && path->sp == search->sp;
}

// Goes on until it is there (true), ends, or takes a way that was taken before.
static bool follow(struct entry_search *search, struct path *path)
{
    while (!is_there(search, path) && search->work++ < STEPS_MOST) {
        unsigned char code[INSTRUCTION_BYTES];
        struct instruction instruction;
        uint64_t target;
        if (!instruction_read(search->memory, path->pc, false, code, &instruction))
            return false;
        path->pc += instruction.length;
        note_constant(path, &instruction);
        if (!move_stack(path, &instruction))
            return false;
        enum flow flow = paths_go(&search->paths, path, &instruction);
        bool jumps = flow == FLOW_END && jump_target(path, &instruction, &target) &&
                     paths_jump(&search->paths, path, target);
        if (flow != FLOW_NEXT && !jumps)
            return false;
    }
    return is_there(search, path);
}

static bool leads_here(struct unwinder *unwinder, uint64_t from, uint64_t back_at)
{
    struct entry_search search = {.memory = &unwinder->code, .pc = *walk_pc(unwinder),
                                  .sp = *walk_sp(unwinder), .paths.count = 1};
    search.paths.list[0] = (struct path){.pc = from, .sp = back_at};
    while (search.paths.count) {
        struct path path = search.paths.list[--search.paths.count];
        if (follow(&search, &path))
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
