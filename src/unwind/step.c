// SPDX-License-Identifier: MIT
// Each step starts from a full set of registers, with pc - 1 for callers, so that libunwind's cache
// (keyed by pc alone) cannot mix up a return address with the same address as an interrupted pc.
// What libunwind does not do well (code without tables, calls to nowhere) is done here.
#include "unwind/step.h"

#include <string.h>

#include "unwind/entry_path.h"
#include "unwind/epilogue.h"
#include "unwind/leaf.h"
#include "unwind/prologue.h"
#include "unwind/return_path.h"
#include "unwind/signal_frame.h"
#include "unwind/switch.h"

#define ARGUMENTS_MOST (1u << 16)
#define FIRST_STACK_MOST (16u << 20) // bytes of what the kernel puts there, ample

// Code without tables (JIT code, some assembly): believed to keep a frame pointer if what lies
// there looks like a frame. A null one marks a root by convention, but it may also be any value in
// code that uses the register otherwise: it counts only at the end of a chain that was followed.
static bool step_frame_pointer(struct unwinder *unwinder, enum unwind_end *end)
{
    uint64_t frame = unwinder->registers[REGISTER_FRAME], saved, back;
    bool in_chain = unwinder->frames[unwinder->count - 1].step == STEP_FRAME_POINTER;
    bool known = walk_knows(unwinder, REGISTER_FRAME);
    *end = !known ? UNWIND_NO_REGISTER : !frame && in_chain ? UNWIND_BOTTOM : UNWIND_NO_INFO;
    if (!known || frame < *walk_sp(unwinder) || frame % WORD || frame > UINT64_MAX - 2 * WORD)
        return false;
    if (!walk_read(unwinder, frame, &saved) || !walk_read(unwinder, frame + WORD, &back)) {
        if (unwinder->fault == UNWIND_SHORT)
            *end = UNWIND_SHORT;
        return false;
    }
    if (!back || !walk_is_code(unwinder, back - 1))
        return false;
    unwinder->registers[REGISTER_FRAME] = saved;
    *walk_sp(unwinder) = frame + 2 * WORD;
    *walk_pc(unwinder) = back;
    return true;
}

// argc, argv, a null, and the environment, whose strings lie behind those of argv.
static bool is_first_stack(struct unwinder *unwinder, uint64_t sp)
{
    uint64_t argc, first, last, end, environment;
    return walk_read(unwinder, sp, &argc) && argc >= 1 && argc <= ARGUMENTS_MOST &&
           walk_read(unwinder, sp + WORD, &first) && first > sp &&
           walk_read(unwinder, sp + argc * WORD, &last) && last >= first &&
           walk_read(unwinder, sp + (argc + 1) * WORD, &end) && !end &&
           walk_read(unwinder, sp + (argc + 2) * WORD, &environment) && environment > last &&
           environment - sp < FIRST_STACK_MOST;
}

bool step_is_entry(struct unwinder *unwinder)
{
    uint64_t sp = *walk_sp(unwinder);
    return is_first_stack(unwinder, sp) || is_first_stack(unwinder, sp + WORD); // sp was aligned
}

static enum unwind_end failure(const struct unwinder *unwinder, int ret)
{
    if (unwinder->faulted)
        return unwinder->fault;
    return ret == -UNW_EBADFRAME ? UNWIND_NO_PROGRESS : UNWIND_NO_INFO;
}

// The caller's registers. One that cannot be read keeps its value: in an epilogue the tables say
// where a register was saved, which by then may lie below sp, while it holds its old value again.
// One that was neither known nor saved stays unknown. Those that hardly any walk depends on are
// read aside: threads that wait in the same place hold different values in them.
static void read_registers(struct unwinder *unwinder, unw_cursor_t *cursor)
{
    const uint32_t decisive = 1u << REGISTER_FRAME | 1u << REGISTER_SP | 1u << REGISTER_PC;
    uint64_t fresh[REGISTERS];
    uint32_t known = unwinder->known;
    unwinder->unnoted = ~decisive;
    for (int i = 0; i < REGISTERS; i++) {
        unwinder->aside = unwinder->unnoted >> i & 1;
        if (unw_get_reg(cursor, i, &fresh[i]) < 0)
            fresh[i] = unwinder->registers[i];
        else
            known |= 1u << i;
    }
    unwinder->aside = false;
    memcpy(unwinder->registers, fresh, sizeof fresh);
    unwinder->known = known;
}

// Where the tables are asked about a frame: for callers inside the call, because what it returns
// to may be another function.
static uint64_t pc_to_ask(struct unwinder *unwinder, bool interrupted)
{
    return *walk_pc(unwinder) - !interrupted;
}

// One step by the tables, which are asked about `asked`. False at the end, with *end.
static bool step_tables(struct unwinder *unwinder, uint64_t asked, bool *interrupted,
                        enum unwind_end *end)
{
    uint64_t pc = *walk_pc(unwinder);
    unw_cursor_t cursor;
    unwinder->no_info = unwinder->faulted = false;
    *walk_pc(unwinder) = asked;
    int ret = unw_init_remote(&cursor, unwinder->space, unwinder);
    if (ret >= 0)
        ret = unw_step(&cursor);
    *walk_pc(unwinder) = pc;
    if (ret <= 0) { // 0: an undefined return address, which is how a root is marked
        *end = ret == 0 ? UNWIND_BOTTOM : failure(unwinder, ret);
        return false;
    }
    *interrupted = unw_is_signal_frame(&cursor) > 0; // of the frame that was left
    read_registers(unwinder, &cursor);
    return true;
}

// The tables want the frame pointer of a thread that was read in place. The function's own code
// tells it; believed only if a return address lies there, behind a call that may have led here.
static bool find_frame_pointer(struct unwinder *unwinder, uint64_t pc, enum unwind_end *end)
{
    uint64_t start, size, back;
    if (!unwinder->faulted || unwinder->fault != UNWIND_NO_REGISTER ||
        walk_knows(unwinder, REGISTER_FRAME) ||
        !fde_index_start(&unwinder->index, &unwinder->code, pc, &start) ||
        !prologue_frame_size(&unwinder->code, start, &size))
        return false;
    uint64_t frame = *walk_sp(unwinder) + size;
    bool there = frame % WORD == 0 && walk_read(unwinder, frame + WORD, &back);
    if (unwinder->fault == UNWIND_SHORT)
        *end = UNWIND_SHORT;
    if (!there || !walk_is_code(unwinder, back - 1) ||
        !prologue_is_call(&unwinder->code, back, start))
        return false;
    unwinder->registers[REGISTER_FRAME] = frame;
    unwinder->known |= 1u << REGISTER_FRAME;
    return true;
}

// The same where the function's beginning does not tell: it has pushed arguments for its call.
static bool follow_to_return(struct unwinder *unwinder, uint64_t pc, enum unwind_end *end)
{
    uint64_t start;
    bool by_frame;
    unwinder->faulted = false;
    if (!fde_index_start(&unwinder->index, &unwinder->code, pc, &start))
        return false;
    bool found = return_path_step(unwinder, start, false, &by_frame);
    if (unwinder->faulted)
        *end = UNWIND_SHORT;
    return found;
}

bool step_by_tables(struct unwinder *unwinder, uint64_t asked)
{
    bool interrupted;
    enum unwind_end end;
    return step_tables(unwinder, asked, &interrupted, &end);
}

// Sets *how if it gives true. Else, if `no_info` is set, other ways may be tried.
static bool step_loaded_tables(struct unwinder *unwinder, bool *interrupted,
                               enum unwind_step *how, enum unwind_end *end)
{
    uint64_t asked = pc_to_ask(unwinder, *interrupted);
    *how = STEP_TABLES;
    if (step_tables(unwinder, asked, interrupted, end))
        return true;
    bool register_wanted = unwinder->faulted && unwinder->fault == UNWIND_NO_REGISTER;
    if (find_frame_pointer(unwinder, asked, end))
        return step_tables(unwinder, asked, interrupted, end);
    if (register_wanted && follow_to_return(unwinder, asked, end)) {
        *interrupted = false;
        *how = STEP_CALL;
        return true;
    }
    return false;
}

static bool step_debug_frame(struct unwinder *unwinder, bool *interrupted, enum unwind_step *how,
                             enum unwind_end *end)
{
    uint64_t asked = pc_to_ask(unwinder, *interrupted), pretended;
    *how = STEP_DEBUG_FRAME;
    return debug_frames_find(&unwinder->debug_frames, &unwinder->code.source, asked, &pretended) &&
           step_tables(unwinder, pretended, interrupted, end);
}

static const struct way_back *way_of(struct unwinder *unwinder)
{
    return way_back(&unwinder->ways, &unwinder->code, *walk_pc(unwinder));
}

bool step_out(struct unwinder *unwinder, bool *interrupted, enum unwind_step *how,
              enum unwind_end *end)
{
    unwinder->faulted = false;
    unwinder->missed = 0;
    *end = UNWIND_BAD_READ;
    *how = STEP_CALL;
    if (*interrupted && leaf_is_nowhere(unwinder)) {
        *interrupted = false;
        return leaf_return(unwinder);
    }
    bool leaf = *interrupted;
    if (step_loaded_tables(unwinder, interrupted, how, end))
        return true;
    if (!unwinder->no_info)
        return false;
    const struct way_back *way = leaf ? NULL : way_of(unwinder);
    if (way && way->way == WAY_SWITCHED) {
        *how = STEP_SWITCH;
        return switch_step(unwinder, way, end);
    }
    *end = UNWIND_BOTTOM;
    if (way && way->way == WAY_EXITS)
        return false;
    if (step_debug_frame(unwinder, interrupted, how, end))
        return true;
    if (!unwinder->no_info)
        return false;
    if (step_is_entry(unwinder)) {
        *end = UNWIND_BOTTOM;
        return false;
    }
    unwinder->faulted = false;
    *how = STEP_CALL;
    *interrupted = !leaf && signal_frame_step(unwinder);
    if (*interrupted)
        return true;
    *end = UNWIND_SHORT;
    if (unwinder->faulted && unwinder->fault == UNWIND_SHORT)
        return false;
    if (leaf && leaf_step(unwinder))
        return true;
    unwinder->faulted = false;
    bool by_frame;
    if (epilogue_step(unwinder) || return_path_step(unwinder, 0, leaf, &by_frame))
        return true;
    *end = UNWIND_SHORT;
    if (unwinder->faulted && unwinder->fault == UNWIND_SHORT)
        return false;
    *how = STEP_FRAME_POINTER;
    if (step_frame_pointer(unwinder, end))
        return true;
    *how = STEP_CALL; // of code that the process made, callers mostly keep a frame pointer
    if (!leaf && *end != UNWIND_BOTTOM && return_path_step(unwinder, 0, true, &by_frame))
        return true;
    if (entry_path_step(unwinder))
        return true;
    if (*end == UNWIND_NO_REGISTER && !by_frame)
        *end = UNWIND_NO_INFO; // a stop would not help
    return false;
}
