// SPDX-License-Identifier: MIT
#include "unwind/switch.h"

#include "sample/stack_capture.h"
#include "unwind/prologue.h"

#define SWITCHES_MOST 8
#define FUNCTION_MOST 1024u // bytes of a function that changes the stack, up to the call
#define CALLEE_FRAME (2 * WORD) // below the stack pointer: the return address, its frame pointer
#define POINTER_LEAST (1ull << 32) // where the memory of what describes a stack begins

static bool step_to(struct unwinder *unwinder, uint64_t frame)
{
    uint64_t saved, back, target, pc = *walk_pc(unwinder);
    if (!frame || frame % WORD || frame > UINT64_MAX - 2 * WORD ||
        !walk_read(unwinder, frame, &saved) || !walk_read(unwinder, frame + WORD, &back) || !back ||
        !walk_is_code(unwinder, back - 1) || !prologue_called(&unwinder->code, back, &target) ||
        pc - target >= FUNCTION_MOST)
        return false;
    unwinder->registers[REGISTER_FRAME] = saved;
    unwinder->known = 1u << REGISTER_FRAME | 1u << REGISTER_SP | 1u << REGISTER_PC;
    *walk_sp(unwinder) = frame + 2 * WORD;
    *walk_pc(unwinder) = back;
    return true;
}

// Notes where the sampler is to look for the stack pointer of the other stack next time.
static void note_elsewhere(struct unwinder *unwinder, const struct way_back *way)
{
    uint64_t sp = *walk_sp(unwinder), owner, frame;
    unwinder->result.second_hop = 0;
    if (way->owner_at >= 0) {
        unwinder->result.second_at = sp + (uint64_t)way->owner_at;
        unwinder->result.second_hop = way->saved_at;
        if (!walk_read(unwinder, unwinder->result.second_at, &owner) || owner < POINTER_LEAST)
            unwinder->result.second_at = 0;
    } else if (walk_read(unwinder, sp - CALLEE_FRAME, &frame) && frame && frame % WORD == 0)
        unwinder->result.second_at = sp - CALLEE_FRAME;
}

// Steps to a stack that was copied for what earlier walks said.
static bool step_to_window(struct unwinder *unwinder)
{
    const struct capture *capture = unwinder->capture;
    for (unsigned i = 0; i < capture->window_count; i++) {
        unsigned kind = capture->windows[i].place & WINDOW_KIND_BITS;
        if ((kind == WINDOW_POINTER || kind == WINDOW_HOP) &&
            step_to(unwinder, capture->windows[i].anchor))
            return true;
    }
    return false;
}

bool switch_step(struct unwinder *unwinder, const struct way_back *way, enum unwind_end *end)
{
    uint64_t frame;
    *end = UNWIND_BOTTOM;
    if (way->fresh)
        return false;
    *end = UNWIND_ELSEWHERE;
    unwinder->result.second_at = 0;
    if (unwinder->switches++ == SWITCHES_MOST)
        return false;
    if ((walk_read(unwinder, *walk_sp(unwinder) - CALLEE_FRAME, &frame) &&
         step_to(unwinder, frame)) ||
        step_to_window(unwinder) ||
        (walk_knows(unwinder, REGISTER_FRAME) &&
         step_to(unwinder, unwinder->registers[REGISTER_FRAME])))
        return true;
    note_elsewhere(unwinder, way);
    return false;
}
