// SPDX-License-Identifier: MIT
// Each step starts from a full set of registers, with pc - 1 for callers, so that libunwind's cache
// (keyed by pc alone) cannot mix up a return address with the same address as an interrupted pc.
// This file does what libunwind does not do well: code without tables, calls to nowhere.
#include "unwind/step.h"

#include <string.h>

#include "base/mem.h"
#include "unwind/entry_path.h"
#include "unwind/epilogue.h"
#include "unwind/leaf.h"
#include "unwind/prologue.h"
#include "unwind/return_path.h"
#include "unwind/signal_frame.h"
#include "unwind/switch.h"

#define ARGUMENTS_MOST (1u << 16)
#define FIRST_STACK_MOST (16u << 20) // bytes of what the kernel puts there, ample

// Code without tables (JIT code, some assembly) is believed to keep a frame pointer if what lies
// there looks like a frame. A null one marks a root by convention, but code may also use the
// register otherwise, so it counts only at the end of a chain that was followed.
static bool step_frame_pointer(struct unwinder *unwinder, enum unwind_end *end)
{
    uint64_t frame = unwinder->registers[REGISTER_FRAME], saved, back;
    bool in_chain = unwinder->result.frames[unwinder->result.count - 1].step == STEP_FRAME_POINTER;
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

// There lie argc, argv, a null, and the environment, whose strings lie behind those of argv.
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
    if (unwinder->fault)
        return unwinder->fault;
    return ret == -UNW_EBADFRAME ? UNWIND_NO_PROGRESS : UNWIND_NO_INFO;
}

// A register of the caller that cannot be read keeps its value: in an epilogue the tables say where
// it was saved, which by then may lie below sp, while it holds its old value again. One that was
// neither known nor saved stays unknown. Those that hardly any walk depends on are read aside,
// because threads that wait in the same place hold different values in them.
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

// One step, which is tried in several ways.
struct attempt {
    bool leaf;           // the frame was interrupted at its pc
    bool interrupted;    // so was its caller, where a step was made
    bool by_frame;       // as return_path_step says
    enum unwind_step how;
    enum unwind_end end; // why the stack ends, where no step is made
};

enum outcome { STEPPED, ENDED, UNDECIDED };

// Tables are asked about a caller inside its call, because the return address may belong to another
// function.
static uint64_t pc_to_ask(struct unwinder *unwinder, const struct attempt *attempt)
{
    return *walk_pc(unwinder) - !attempt->leaf;
}

// Other ways are tried only where there are no tables.
static enum outcome by_tables(struct unwinder *unwinder, uint64_t asked, struct attempt *attempt)
{
    uint64_t pc = *walk_pc(unwinder);
    unw_cursor_t cursor;
    unwinder->no_info = false;
    unwinder->fault = UNWIND_BOTTOM;
    *walk_pc(unwinder) = asked;
    int ret = unw_init_remote(&cursor, unwinder->space, unwinder);
    if (ret >= 0)
        ret = unw_step(&cursor);
    *walk_pc(unwinder) = pc;
    if (ret <= 0) { // 0: an undefined return address, which is how a root is marked
        attempt->end = ret == 0 ? UNWIND_BOTTOM : failure(unwinder, ret);
        return unwinder->no_info ? UNDECIDED : ENDED;
    }
    attempt->interrupted = unw_is_signal_frame(&cursor) > 0; // of the frame that was left
    read_registers(unwinder, &cursor);
    return STEPPED;
}

bool step_by_tables(struct unwinder *unwinder, uint64_t asked)
{
    struct attempt attempt;
    return by_tables(unwinder, asked, &attempt) == STEPPED;
}

// The function's own code tells the frame pointer of a thread that was read in place. It is
// believed only if a return address lies there, behind a call that may have led here.
static bool find_frame_pointer(struct unwinder *unwinder, uint64_t start, enum unwind_end *end)
{
    uint64_t size, back;
    if (walk_knows(unwinder, REGISTER_FRAME) ||
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

static enum outcome try_call_to_nowhere(struct unwinder *unwinder, struct attempt *attempt)
{
    (void)attempt;
    if (!leaf_is_nowhere(unwinder))
        return UNDECIDED;
    return leaf_return(unwinder) ? STEPPED : ENDED;
}

// The tables may want a register of a thread that was read in place. Then the function's beginning
// may tell the frame pointer; if it does not, because it has pushed arguments for its call, the way
// to its return is followed.
static enum outcome try_loaded_tables(struct unwinder *unwinder, struct attempt *attempt)
{
    struct fde_entry entry;
    uint64_t asked = pc_to_ask(unwinder, attempt);
    enum outcome outcome = by_tables(unwinder, asked, attempt);
    if (outcome == STEPPED || unwinder->fault != UNWIND_NO_REGISTER ||
        !fde_index_find(&unwinder->index, &unwinder->code, asked, &entry))
        return outcome;
    if (find_frame_pointer(unwinder, entry.pc, &attempt->end))
        return by_tables(unwinder, asked, attempt);
    unwinder->fault = UNWIND_BOTTOM;
    attempt->how = STEP_CALL;
    if (return_path_step(unwinder, entry.pc, false, &attempt->by_frame))
        return STEPPED;
    if (unwinder->fault == UNWIND_SHORT)
        attempt->end = UNWIND_SHORT;
    return outcome;
}

static enum outcome try_way_back(struct unwinder *unwinder, struct attempt *attempt)
{
    const struct way_back *way =
        way_back(&unwinder->ways, &unwinder->code, *walk_pc(unwinder));
    if (way->way == WAY_SWITCHED)
        return switch_step(unwinder, way, &attempt->end) ? STEPPED : ENDED;
    attempt->end = UNWIND_BOTTOM;
    return way->way == WAY_EXITS ? ENDED : UNDECIDED;
}

static enum outcome try_debug_frame(struct unwinder *unwinder, struct attempt *attempt)
{
    uint64_t pretended;
    return debug_frames_find(&unwinder->debug_frames, &unwinder->code.source,
                             pc_to_ask(unwinder, attempt), &pretended)
               ? by_tables(unwinder, pretended, attempt)
               : UNDECIDED;
}

static enum outcome try_entry(struct unwinder *unwinder, struct attempt *attempt)
{
    attempt->end = UNWIND_BOTTOM;
    return step_is_entry(unwinder) ? ENDED : UNDECIDED;
}

static enum outcome ended_if_short(const struct unwinder *unwinder, struct attempt *attempt)
{
    attempt->end = UNWIND_SHORT;
    return unwinder->fault == UNWIND_SHORT ? ENDED : UNDECIDED;
}

static enum outcome try_signal_frame(struct unwinder *unwinder, struct attempt *attempt)
{
    attempt->interrupted = signal_frame_step(unwinder);
    return attempt->interrupted ? STEPPED : ended_if_short(unwinder, attempt);
}

static enum outcome try_leaf(struct unwinder *unwinder, struct attempt *attempt)
{
    (void)attempt;
    return leaf_step(unwinder) ? STEPPED : UNDECIDED;
}

static enum outcome try_return_path(struct unwinder *unwinder, struct attempt *attempt)
{
    return epilogue_step(unwinder) ||
                   return_path_step(unwinder, 0, attempt->leaf, &attempt->by_frame)
               ? STEPPED
               : ended_if_short(unwinder, attempt);
}

static enum outcome try_frame_pointer(struct unwinder *unwinder, struct attempt *attempt)
{
    return step_frame_pointer(unwinder, &attempt->end) ? STEPPED : UNDECIDED;
}

// Callers in code that the process made mostly keep a frame pointer, so that was tried before.
static enum outcome try_made_code(struct unwinder *unwinder, struct attempt *attempt)
{
    return attempt->end != UNWIND_BOTTOM &&
                   return_path_step(unwinder, 0, true, &attempt->by_frame)
               ? STEPPED
               : UNDECIDED;
}

static enum outcome try_entry_path(struct unwinder *unwinder, struct attempt *attempt)
{
    if (entry_path_step(unwinder))
        return STEPPED;
    if (attempt->end == UNWIND_NO_REGISTER && !attempt->by_frame)
        attempt->end = UNWIND_NO_INFO; // a stop would not help
    return UNDECIDED;
}

enum frames { LEAVES = 1, CALLERS = 2, ALL = LEAVES | CALLERS };

// They are tried in this order until one steps or knows that the stack ends.
static const struct {
    enum frames from;
    enum unwind_step how;
    enum outcome (*try)(struct unwinder *unwinder, struct attempt *attempt);
} tries[] = {
    {LEAVES, STEP_CALL, try_call_to_nowhere},
    {ALL, STEP_TABLES, try_loaded_tables},
    {CALLERS, STEP_SWITCH, try_way_back},
    {ALL, STEP_DEBUG_FRAME, try_debug_frame},
    {ALL, STEP_CALL, try_entry},
    {CALLERS, STEP_CALL, try_signal_frame},
    {LEAVES, STEP_CALL, try_leaf},
    {ALL, STEP_CALL, try_return_path},
    {ALL, STEP_FRAME_POINTER, try_frame_pointer},
    {CALLERS, STEP_CALL, try_made_code},
    {ALL, STEP_CALL, try_entry_path},
};

bool step_out(struct unwinder *unwinder, bool *interrupted, enum unwind_step *how,
              enum unwind_end *end)
{
    struct attempt attempt = {.leaf = *interrupted, .end = UNWIND_BAD_READ};
    enum outcome outcome = UNDECIDED;
    unwinder->missed = 0;
    for (size_t i = 0; outcome == UNDECIDED && i < ARRAY_LENGTH(tries); i++) {
        if (!(tries[i].from & (attempt.leaf ? LEAVES : CALLERS)))
            continue;
        unwinder->fault = UNWIND_BOTTOM;
        attempt.how = tries[i].how;
        outcome = tries[i].try(unwinder, &attempt);
    }
    *interrupted = attempt.interrupted;
    *how = attempt.how;
    *end = attempt.end;
    return outcome == STEPPED;
}
