// SPDX-License-Identifier: MIT
#include "unwind/probe.h"

#include <string.h>

#include "unwind/step.h"
#include "unwind/x86_64/instruction.h"
#include "unwind/prologue.h"

#define WORDS_MOST 512u      // words of the stack that may be the caller's frame
#define FUNCTION_MOST 65536u // bytes of the caller's code
#define FUNCTIONS_MOST 16

struct caller {
    uint64_t start;     // of the function
    uint64_t back;      // first return address that fits
    unsigned count;     // number of return addresses that fit
};

// Says whether a frame whose pc is `back` has its return address `wanted` at `return_at`.
static bool fits(struct unwinder *unwinder, uint64_t back, uint64_t return_at, uint64_t wanted)
{
    uint64_t registers[REGISTERS];
    uint32_t known = unwinder->known;
    memcpy(registers, unwinder->registers, sizeof registers);
    *walk_pc(unwinder) = back;
    bool found = step_by_tables(unwinder, back - 1) && *walk_pc(unwinder) == wanted &&
                 *walk_sp(unwinder) == return_at + WORD;
    memcpy(unwinder->registers, registers, sizeof registers);
    unwinder->known = known;
    return found;
}

// Decodes the function, whose end its FDE gives, and tries the calls of the probed function in it.
static void try_calls(struct unwinder *unwinder, uint64_t probed, uint64_t return_at,
                      uint64_t wanted, struct caller *caller)
{
    struct fde_entry entry;
    for (uint64_t pc = caller->start; pc - caller->start < FUNCTION_MOST;) {
        unsigned char code[INSTRUCTION_BYTES];
        struct instruction instruction;
        if (!code_memory_read(&unwinder->code, pc, code, sizeof code) ||
            !instruction_decode(code, &instruction) ||
            !fde_index_find(&unwinder->index, &unwinder->code, pc, &entry) ||
            entry.pc != caller->start)
            return;
        pc += instruction.length;
        if (!instruction_is_call(&instruction) ||
            !prologue_is_call(&unwinder->code, pc, probed) ||
            !fits(unwinder, pc, return_at, wanted))
            continue;
        if (!caller->count++)
            caller->back = pc;
    }
}

bool probe_step(struct unwinder *unwinder, uint64_t asked, uint64_t *pc, bool *exact)
{
    struct fde_entry probed;
    uint64_t sp = *walk_sp(unwinder), back;
    struct caller caller = {0};
    unsigned tried = 0;
    if (!fde_index_find(&unwinder->index, &unwinder->code, asked, &probed))
        return false;
    for (uint64_t at = sp; at < sp + WORDS_MOST * WORD && tried < FUNCTIONS_MOST; at += WORD) {
        if (!walk_read(unwinder, at, &back))
            return false;
        if (!back || !walk_is_code(unwinder, back - 1) ||
            !prologue_called(&unwinder->code, back, &caller.start))
            continue;
        tried++;
        try_calls(unwinder, probed.pc, at, back, &caller);
        if (!caller.count)
            continue;
        *exact = caller.count == 1;
        *pc = *exact ? caller.back : caller.start;
        *walk_pc(unwinder) = caller.back;
        return true;
    }
    return false;
}
