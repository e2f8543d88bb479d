// SPDX-License-Identifier: MIT
// libunwind knows DWARF; it is driven one frame at a time (step.c), and what it reads comes from
// here.
#include "unwind/unwinder.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "unwind/cfi.h"
#include "unwind/leaf.h"
#include "unwind/probe.h"
#include "unwind/prologue.h"
#include "unwind/signal_frame.h"
#include "unwind/stack_copy.h"
#include "unwind/step.h"

#define ENTRY_ADDRESS (1ull << 63) // not canonical: no memory of a target
#define CACHE_SIZE 2048            // libunwind hashes to 8 bits only: longer chains cost more
#define CACHE_SIZE_DEFAULT 128     // of libunwind

// libunwind exports it for perf and the like, but has it in no public header.
int UNW_OBJ(dwarf_search_unwind_table)(unw_addr_space_t space, unw_word_t ip,
                                       unw_dyn_info_t *table, unw_proc_info_t *info,
                                       int need_unwind_info, void *arg);

const char *const unwind_end_texts[] = {
    [UNWIND_BOTTOM] = "root reached",
    [UNWIND_NO_INFO] = "no unwind information",
    [UNWIND_SHORT] = "stack copy too short",
    [UNWIND_BAD_READ] = "unreadable memory",
    [UNWIND_NO_PROGRESS] = "stack pointer does not rise",
    [UNWIND_LIMIT] = "frame limit",
    [UNWIND_NO_REGISTER] = "a register is not known",
    [UNWIND_ELSEWHERE] = "goes on on another stack",
    [UNWIND_PROBE] = "a return probe of the kernel",
};

static int access_mem(unw_addr_space_t space, unw_word_t address, unw_word_t *value, int write,
                      void *arg)
{
    struct unwinder *unwinder = arg;
    (void)space;
    if (write)
        return -UNW_EINVAL;
    if (unwinder->in_tables && address == ENTRY_ADDRESS) {
        *value = unwinder->entry;
        return 0;
    }
    if (walk_read(unwinder, address, value))
        return 0;
    // The bytes of the tables are known to be there. What is not is a pointer to a personality
    // routine, in data that the code_source may not hold, and nobody here asks for its value.
    if (!unwinder->in_tables || unwinder->work > WORK_MAX)
        return -UNW_EINVAL;
    *value = 0;
    unwinder->fault = UNWIND_BOTTOM;
    return 0;
}

static int access_reg(unw_addr_space_t space, unw_regnum_t number, unw_word_t *value, int write,
                      void *arg)
{
    struct unwinder *unwinder = arg;
    (void)space;
    if (write || number < 0 || number >= REGISTERS)
        return -UNW_EBADREG;
    if (!walk_knows(unwinder, number)) {
        walk_fault(unwinder, UNWIND_NO_REGISTER);
        return -UNW_EBADREG;
    }
    if (!unwinder->aside && unwinder->unnoted >> number & 1)
        unwinder->memo.spoilt = true;
    *value = unwinder->registers[number];
    return 0;
}

// libunwind searches a table in the target's memory: it gets one of the single entry that was
// found. UNW_ESTOPUNWIND keeps it from guessing by frame pointer as it does on UNW_ENOINFO: its
// guess leaves a wrong stack pointer.
static int find_proc_info(unw_addr_space_t space, unw_word_t pc, unw_proc_info_t *info, int need,
                          void *arg)
{
    struct unwinder *unwinder = arg;
    struct fde_entry entry = {0};
    unwinder->no_info = true;
    bool found = pc >= DEBUG_FRAME_BASE
                     ? debug_frames_entry(&unwinder->debug_frames, pc, &entry.fde)
                     : fde_index_find(&unwinder->index, &unwinder->code, pc, &entry);
    uint64_t fde = entry.fde;
    if (!found || (int64_t)(fde - pc) != (int32_t)(fde - pc) ||
        !cfi_check(&unwinder->code, fde, &unwinder->work))
        return -UNW_ESTOPUNWIND;
    unwinder->entry = (fde - pc) << 32; // int32_t pc, int32_t FDE, relative to segbase
    unw_dyn_info_t table = {
        .start_ip = pc,
        .end_ip = pc + 1,
        .format = UNW_INFO_FORMAT_REMOTE_TABLE,
        .u.rti = {.segbase = pc, .table_data = ENTRY_ADDRESS, .table_len = 1},
    };
    unwinder->in_tables = true;
    int ret = UNW_OBJ(dwarf_search_unwind_table)(space, pc, &table, info, need, arg);
    unwinder->in_tables = false;
    unwinder->no_info = ret < 0;
    return ret < 0 ? -UNW_ESTOPUNWIND : ret;
}

// libunwind 1.6.2 gives back by itself what a search allocates (its pool, UNW_INFO_FORMAT_TABLE).
static void put_unwind_info(unw_addr_space_t space, unw_proc_info_t *info, void *arg)
{
    (void)space, (void)info, (void)arg;
}

static int get_dyn_info_list_addr(unw_addr_space_t space, unw_word_t *list, void *arg)
{
    (void)space, (void)list, (void)arg;
    return -UNW_ENOINFO;
}

struct unwinder *unwinder_new(const struct code_source *source, size_t max_depth)
{
    static unw_accessors_t accessors = { // the others serve calls that are not made here
        .find_proc_info = find_proc_info,
        .put_unwind_info = put_unwind_info,
        .get_dyn_info_list_addr = get_dyn_info_list_addr,
        .access_mem = access_mem,
        .access_reg = access_reg,
    };
    struct unwinder *unwinder = xcalloc(1, sizeof *unwinder);
    unwinder->code.source = *source;
    unwinder->code.debug_frames = &unwinder->debug_frames;
    unwinder->max_depth = max_depth;
    unwinder->space = unw_create_addr_space(&accessors, 0);
    if (!unwinder->space)
        abort(); // it fails for want of memory only
    unw_set_caching_policy(unwinder->space, UNW_CACHE_GLOBAL);
    unw_set_cache_size(unwinder->space, CACHE_SIZE, 0);
    return unwinder;
}

void unwinder_free(struct unwinder *unwinder)
{
    if (!unwinder)
        return;
    // Unmaps the cache, which destroying does not: the default one lies in the space itself.
    unw_set_cache_size(unwinder->space, CACHE_SIZE_DEFAULT, 0);
    unw_destroy_addr_space(unwinder->space);
    fde_index_fini(&unwinder->index);
    debug_frames_fini(&unwinder->debug_frames);
    memo_fini(&unwinder->memo);
    free(unwinder->result.frames);
    free(unwinder);
}

void unwinder_flush(struct unwinder *unwinder)
{
    unw_flush_cache(unwinder->space, 0, 0);
    fde_index_flush(&unwinder->index);
    debug_frames_flush(&unwinder->debug_frames);
    code_memory_flush(&unwinder->code);
    memo_flush(&unwinder->memo);
    ways_flush(&unwinder->ways);
    memset(unwinder->entries, 0, sizeof unwinder->entries);
}

static void push(struct unwinder *unwinder, uint64_t pc, bool interrupted, enum unwind_step how)
{
    struct unwind_result *result = &unwinder->result;
    ARRAY_RESERVE(result->frames, result->count, unwinder->capacity);
    result->frames[result->count++] =
        (struct unwind_frame){.pc = pc, .interrupted = interrupted, .sp = *walk_sp(unwinder),
                              .step = how};
    result->frame_pointer_steps += how == STEP_FRAME_POINTER;
}

static struct unwind_frame *last_frame(struct unwinder *unwinder)
{
    return &unwinder->result.frames[unwinder->result.count - 1];
}

static void start_result(struct unwinder *unwinder)
{
    unwinder->result = (struct unwind_result){.frames = unwinder->result.frames};
}

// Whoever made the stack of a coroutine put there where its first function returns to, and that is
// behind no call. It is a root if the way from there leads to no caller.
static bool is_made_root(struct unwinder *unwinder)
{
    struct unwind_frame *last = last_frame(unwinder);
    if (last->interrupted || prologue_is_any_call(&unwinder->code, last->pc) ||
        !way_ends(&unwinder->code, last->pc))
        return false;
    last->interrupted = true;
    return true;
}

static enum unwind_end end_of(struct unwinder *unwinder, enum unwind_end end)
{
    bool may_be = end == UNWIND_NO_INFO || end == UNWIND_BAD_READ || end == UNWIND_NO_REGISTER;
    return may_be && is_made_root(unwinder) ? UNWIND_BOTTOM : end;
}

// Adds the caller of a function with a return probe. Returns false if it cannot be told.
static bool climb_past_probe(struct unwinder *unwinder, enum unwind_step how)
{
    const struct unwind_frame *probed = last_frame(unwinder);
    uint64_t pc;
    bool exact;
    if (!probe_step(unwinder, probed->pc - !probed->interrupted, &pc, &exact))
        return false;
    push(unwinder, pc, !exact, how);
    return true;
}

static bool is_probe(const struct unwinder *unwinder, uint64_t pc)
{
    const struct code_source *source = &unwinder->code.source;
    return source->probe && source->probe(source->context, pc);
}

static enum unwind_end climb(struct unwinder *unwinder)
{
    bool interrupted = true;
    for (;;) {
        enum unwind_end end;
        enum unwind_step how;
        uint64_t sp = *walk_sp(unwinder);
        if (!step_out(unwinder, &interrupted, &how, &end))
            return end_of(unwinder, end);
        uint64_t pc = *walk_pc(unwinder);
        if (interrupted) { // on any stack, perhaps the one that the handler interrupted
            unwinder->interrupted.sp = *walk_sp(unwinder);
            unwinder->interrupted.at = signal_frame_sp_at(sp);
            if (!walk_is_code(unwinder, pc) && !leaf_is_nowhere(unwinder))
                return UNWIND_BAD_READ;
        } else if (!pc) {
            return UNWIND_BOTTOM;
        } else if (!walk_is_code(unwinder, pc - 1)) {
            if (!is_probe(unwinder, pc))
                return end_of(unwinder, UNWIND_BAD_READ);
            if (unwinder->result.count == unwinder->max_depth)
                return UNWIND_LIMIT;
            if (!climb_past_probe(unwinder, how))
                return UNWIND_PROBE;
            continue;
        } else if (how != STEP_SWITCH &&
                   (*walk_sp(unwinder) < sp ||
                    (*walk_sp(unwinder) == sp && unwinder->result.count > 1))) {
            return UNWIND_NO_PROGRESS;
        }
        if (unwinder->result.count == unwinder->max_depth)
            return UNWIND_LIMIT;
        push(unwinder, pc, interrupted, how);
    }
}

static void start(struct unwinder *unwinder, const struct capture *capture)
{
    registers_by_number(&capture->regs, unwinder->registers);
    bool in_place = capture->flags & CAPTURE_IN_PLACE;
    unwinder->known = in_place ? 1u << REGISTER_SP | 1u << REGISTER_PC : UINT32_MAX;
    unwinder->capture = capture;
    unwinder->use = (struct stack_use){0};
    unwinder->work = 0;
    start_result(unwinder);
    unwinder->interrupted.at = 0;
    unwinder->switches = 0;
    unwinder->unnoted = 0;
    code_memory_forget_made(&unwinder->code);
    push(unwinder, capture_pc(capture), true, STEP_CAPTURE);
}

// The stack holds what unwind_live found. Which of the callers were interrupted is not recorded, so
// only the leaf counts as such.
static enum unwind_end decode(struct unwinder *unwinder, const struct capture *capture)
{
    size_t count = capture->stack_length / sizeof(uint64_t);
    start_result(unwinder);
    *walk_sp(unwinder) = 0;
    for (size_t i = 0; i < count && i < unwinder->max_depth; i++) {
        uint64_t pc;
        memcpy(&pc, capture->stack + i * sizeof pc, sizeof pc);
        push(unwinder, pc, i == 0, i ? STEP_TABLES : STEP_CAPTURE);
    }
    if (!count)
        push(unwinder, capture_pc(capture), true, STEP_CAPTURE);
    if (count > unwinder->max_depth)
        return UNWIND_LIMIT;
    uint32_t end = capture->flags >> CAPTURE_LIVE_END_SHIFT;
    return end < ARRAY_LENGTH(unwind_end_texts) ? (enum unwind_end)end : UNWIND_NO_INFO;
}

// A handler on a stack of its own interrupted something on one that the first piece does not hold.
static uint64_t missing_second(const struct unwinder *unwinder, enum unwind_end end)
{
    bool ended_there = end == UNWIND_SHORT || end == UNWIND_BAD_READ;
    bool there = stack_copy_holds(unwinder->capture, unwinder->interrupted.sp);
    return ended_there && !there ? unwinder->interrupted.at : 0;
}

static uint32_t windows_used(const struct unwinder *unwinder)
{
    uint32_t used = 0;
    for (unsigned i = 0; i < unwinder->capture->window_count; i++)
        used |= (uint32_t)(unwinder->use.needed[1 + i] != 0) << i;
    return used;
}

static void walk(struct unwinder *unwinder, const struct capture *capture)
{
    struct unwind_result *result = &unwinder->result;
    start(unwinder, capture);
    result->end = climb(unwinder);
    uint64_t second_at = missing_second(unwinder, result->end);
    if (second_at) {
        result->second_at = second_at;
        result->end = UNWIND_BAD_READ; // a longer copy of the first stack would not help
    } else if (result->end == UNWIND_SHORT || result->end == UNWIND_BAD_READ)
        result->missed = unwinder->missed;
    if (result->end == UNWIND_BOTTOM)
        result->root = stack_copy_top(capture, &unwinder->use);
    result->stack_needed = unwinder->use.needed[0];
    result->windows_used = windows_used(unwinder);
}

struct unwind_result unwinder_walk(struct unwinder *unwinder, const struct capture *capture)
{
    if (capture->flags & CAPTURE_UNWOUND) {
        unwinder->result.end = decode(unwinder, capture);
    } else if (!memo_find(&unwinder->memo, capture, &unwinder->result, &unwinder->capacity)) {
        memo_begin(&unwinder->memo, capture);
        walk(unwinder, capture);
        memo_keep(&unwinder->memo, &unwinder->result);
    }
    return unwinder->result;
}
