// SPDX-License-Identifier: MIT
// libunwind knows DWARF; this file drives it one frame at a time. Each step starts from a full set
// of registers, with pc - 1 for callers, so that its cache (keyed by pc alone) cannot mix up a
// return address with the same address as an interrupted pc, and so that what it does not do well
// (code without tables, calls to nowhere) is done here.
#include "unwind/unwinder.h"

#include <libunwind.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "base/mem.h"
#include "unwind/cfi.h"
#include "unwind/code_memory.h"
#include "unwind/debug_frame.h"
#include "unwind/fde_index.h"
#include "unwind/prologue.h"
#include "unwind/stack_copy.h"

#define WORD 8u
#define REGISTERS 17               // UNW_X86_64_RAX .. UNW_X86_64_RIP, which are 0 .. 16
#define WORK_MAX (4u << 20)        // reads of memory for one stack, about 50 ms; 4096 frames of
                                   // which nothing is cached need a quarter
#define ENTRY_ADDRESS (1ull << 63) // not canonical: no memory of a target
#define CACHE_SIZE 2048            // libunwind hashes to 8 bits only: longer chains cost more
#define CACHE_SIZE_DEFAULT 128     // of libunwind

// libunwind exports it for perf and the like, but has it in no public header.
int _Ux86_64_dwarf_search_unwind_table(unw_addr_space_t space, unw_word_t ip, unw_dyn_info_t *table,
                                       unw_proc_info_t *info, int need_unwind_info, void *arg);

const char *const unwind_end_texts[] = {
    [UNWIND_BOTTOM] = "root reached",
    [UNWIND_NO_INFO] = "no unwind information",
    [UNWIND_SHORT] = "stack copy too short",
    [UNWIND_BAD_READ] = "unreadable memory",
    [UNWIND_NO_PROGRESS] = "stack pointer does not rise",
    [UNWIND_LIMIT] = "frame limit",
    [UNWIND_NO_REGISTER] = "a register is not known",
};

struct unwinder {
    size_t max_depth;
    unw_addr_space_t space;
    struct code_memory code;
    struct fde_index index;
    struct debug_frames debug_frames;
    struct unwind_frame *frames;
    size_t count, capacity;

    // Of the walk that is going on:
    const struct capture *capture;
    uint64_t registers[REGISTERS];
    uint32_t known;        // bit n: registers[n] holds
    uint64_t stack_needed; // bytes
    uint64_t work;         // against WORK_MAX
    uint64_t entry;        // what libunwind reads at ENTRY_ADDRESS
    uint32_t frame_pointer_steps;
    uint64_t interrupted_sp; // of the function that a signal handler interrupted, the last one
    uint64_t interrupted_at; // where the kernel keeps it; 0: there was no handler yet
    bool in_tables;        // libunwind reads a CIE and an FDE that have been checked
    bool no_info;          // this step: no unwind information for the pc
    bool faulted;          // this step: a read failed, and why:
    enum unwind_end fault;
};

static uint64_t *sp_of(struct unwinder *unwinder)
{
    return &unwinder->registers[UNW_X86_64_RSP];
}

static uint64_t *pc_of(struct unwinder *unwinder)
{
    return &unwinder->registers[UNW_X86_64_RIP];
}

static bool is_known(const struct unwinder *unwinder, int number)
{
    return unwinder->known >> number & 1;
}

static bool is_code(struct unwinder *unwinder, uint64_t pc)
{
    const struct code_source *source = &unwinder->code.source;
    return source->executable(source->context, pc);
}

static bool fault(struct unwinder *unwinder, enum unwind_end why)
{
    unwinder->faulted = true;
    unwinder->fault = why;
    return false;
}

// One word of the target's memory, at any alignment. Thread stacks lie right below libraries, so
// what is above the copy is first looked for there.
static bool word_read(struct unwinder *unwinder, uint64_t address, uint64_t *value)
{
    if (++unwinder->work > WORK_MAX)
        return fault(unwinder, UNWIND_NO_PROGRESS);
    if (stack_copy_read(unwinder->capture, address, value, &unwinder->stack_needed) ||
        code_memory_read(&unwinder->code, address, value, WORD))
        return true;
    bool cut = stack_copy_is_cut(unwinder->capture, address);
    return fault(unwinder, cut ? UNWIND_SHORT : UNWIND_BAD_READ);
}

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
    if (word_read(unwinder, address, value))
        return 0;
    // The bytes of the tables are known to be there. What is not is a pointer to a personality
    // routine, in data that the code_source may not hold, and nobody here asks for its value.
    if (!unwinder->in_tables || unwinder->work > WORK_MAX)
        return -UNW_EINVAL;
    *value = 0;
    unwinder->faulted = false;
    return 0;
}

static int access_reg(unw_addr_space_t space, unw_regnum_t number, unw_word_t *value, int write,
                      void *arg)
{
    struct unwinder *unwinder = arg;
    (void)space;
    if (write || number < 0 || number >= REGISTERS)
        return -UNW_EBADREG;
    if (!is_known(unwinder, number)) {
        fault(unwinder, UNWIND_NO_REGISTER);
        return -UNW_EBADREG;
    }
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
    uint64_t fde;
    unwinder->no_info = true;
    bool found = pc >= DEBUG_FRAME_BASE
                     ? debug_frames_entry(&unwinder->debug_frames, pc, &fde)
                     : fde_index_find(&unwinder->index, &unwinder->code, pc, &fde);
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
    int ret = _Ux86_64_dwarf_search_unwind_table(space, pc, &table, info, need, arg);
    unwinder->in_tables = false;
    unwinder->no_info = ret < 0;
    return ret < 0 ? -UNW_ESTOPUNWIND : ret;
}

// What a search allocates libunwind 1.6.2 gives back by itself (its pool, UNW_INFO_FORMAT_TABLE).
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
    free(unwinder->frames);
    free(unwinder);
}

void unwinder_flush(struct unwinder *unwinder)
{
    unw_flush_cache(unwinder->space, 0, 0);
    fde_index_flush(&unwinder->index);
    debug_frames_flush(&unwinder->debug_frames);
    code_memory_flush(&unwinder->code);
}

static void push(struct unwinder *unwinder, uint64_t pc, bool interrupted, enum unwind_step how)
{
    ARRAY_RESERVE(unwinder->frames, unwinder->count, unwinder->capacity);
    unwinder->frames[unwinder->count++] =
        (struct unwind_frame){.pc = pc, .interrupted = interrupted, .sp = *sp_of(unwinder),
                              .step = how};
    unwinder->frame_pointer_steps += how == STEP_FRAME_POINTER;
}

// A call to where no code is: the return address is still on top of the stack.
static bool called_nowhere(struct unwinder *unwinder)
{
    uint64_t back;
    return !is_code(unwinder, *pc_of(unwinder)) &&
           word_read(unwinder, *sp_of(unwinder), &back) && back && is_code(unwinder, back - 1);
}

static bool pop_return(struct unwinder *unwinder)
{
    uint64_t back;
    if (!word_read(unwinder, *sp_of(unwinder), &back))
        return false;
    *pc_of(unwinder) = back;
    *sp_of(unwinder) += WORD;
    return true;
}

// A stub of the procedure linkage table for which the linker (lld, mold) wrote no unwind entry.
static bool step_stub(struct unwinder *unwinder)
{
    static const struct {
        unsigned char length, bytes[7];
    } stubs[] = {
        {2, {0xff, 0x25}},                               // jmp *slot
        {3, {0xf2, 0xff, 0x25}},                         // bnd jmp *slot
        {6, {0xf3, 0x0f, 0x1e, 0xfa, 0xff, 0x25}},       // endbr64; jmp *slot
        {7, {0xf3, 0x0f, 0x1e, 0xfa, 0xf2, 0xff, 0x25}}, // endbr64; bnd jmp *slot
    };
    unsigned char code[sizeof stubs[0].bytes];
    for (size_t i = 0; i < ARRAY_LENGTH(stubs); i++)
        if (code_memory_read(&unwinder->code, *pc_of(unwinder), code, stubs[i].length) &&
            memcmp(code, stubs[i].bytes, stubs[i].length) == 0)
            return pop_return(unwinder);
    return false;
}

// Code without tables (JIT code, some assembly): believed to keep a frame pointer if what lies
// there looks like a frame. A null one marks a root by convention, but it may also be any value in
// code that uses rbp for something else: it counts only at the end of a chain that was followed.
static bool step_frame_pointer(struct unwinder *unwinder, enum unwind_end *end)
{
    uint64_t frame = unwinder->registers[UNW_X86_64_RBP], saved, back;
    bool in_chain = unwinder->frames[unwinder->count - 1].step == STEP_FRAME_POINTER;
    bool known = is_known(unwinder, UNW_X86_64_RBP);
    *end = !known ? UNWIND_NO_REGISTER : !frame && in_chain ? UNWIND_BOTTOM : UNWIND_NO_INFO;
    if (!known || frame < *sp_of(unwinder) || frame % WORD || frame > UINT64_MAX - 2 * WORD)
        return false;
    if (!word_read(unwinder, frame, &saved) || !word_read(unwinder, frame + WORD, &back)) {
        if (unwinder->fault == UNWIND_SHORT)
            *end = UNWIND_SHORT;
        return false;
    }
    if (!back || !is_code(unwinder, back - 1))
        return false;
    unwinder->registers[UNW_X86_64_RBP] = saved;
    *sp_of(unwinder) = frame + 2 * WORD;
    *pc_of(unwinder) = back;
    return true;
}

static enum unwind_end failure(const struct unwinder *unwinder, int ret)
{
    if (unwinder->faulted)
        return unwinder->fault;
    return ret == -UNW_EBADFRAME ? UNWIND_NO_PROGRESS : UNWIND_NO_INFO;
}

// The caller's registers. One that cannot be read keeps its value: in an epilogue the tables say
// where a register was saved, which by then may lie below sp, while it holds its old value again.
// One that was neither known nor saved stays unknown.
static void read_registers(struct unwinder *unwinder, unw_cursor_t *cursor)
{
    uint64_t fresh[REGISTERS];
    uint32_t known = unwinder->known;
    for (int i = 0; i < REGISTERS; i++) {
        if (unw_get_reg(cursor, i, &fresh[i]) < 0)
            fresh[i] = unwinder->registers[i];
        else
            known |= 1u << i;
    }
    memcpy(unwinder->registers, fresh, sizeof fresh);
    unwinder->known = known;
}

// Where the tables are asked about a frame: for callers inside the call, because what it returns
// to may be another function.
static uint64_t pc_to_ask(struct unwinder *unwinder, bool interrupted)
{
    return *pc_of(unwinder) - !interrupted;
}

// One step by the tables, which are asked about `asked`. False at the end, with *end.
static bool step_tables(struct unwinder *unwinder, uint64_t asked, bool *interrupted,
                        enum unwind_end *end)
{
    uint64_t pc = *pc_of(unwinder);
    unw_cursor_t cursor;
    unwinder->no_info = unwinder->faulted = false;
    *pc_of(unwinder) = asked;
    int ret = unw_init_remote(&cursor, unwinder->space, unwinder);
    if (ret >= 0)
        ret = unw_step(&cursor);
    *pc_of(unwinder) = pc;
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
        is_known(unwinder, UNW_X86_64_RBP) ||
        !fde_index_start(&unwinder->index, &unwinder->code, pc, &start) ||
        !prologue_frame_size(&unwinder->code, start, &size))
        return false;
    uint64_t frame = *sp_of(unwinder) + size;
    bool there = frame % WORD == 0 && word_read(unwinder, frame + WORD, &back);
    if (unwinder->fault == UNWIND_SHORT)
        *end = UNWIND_SHORT;
    if (!there || !is_code(unwinder, back - 1) ||
        !prologue_is_call(&unwinder->code, back, start))
        return false;
    unwinder->registers[UNW_X86_64_RBP] = frame;
    unwinder->known |= 1u << UNW_X86_64_RBP;
    return true;
}

// Sets *how if it gives true. Else, if `no_info` is set, other ways may be tried.
static bool step_any_tables(struct unwinder *unwinder, bool *interrupted, enum unwind_step *how,
                            enum unwind_end *end)
{
    uint64_t asked = pc_to_ask(unwinder, *interrupted), pretended;
    *how = STEP_TABLES;
    if (step_tables(unwinder, asked, interrupted, end))
        return true;
    if (find_frame_pointer(unwinder, asked, end))
        return step_tables(unwinder, asked, interrupted, end);
    *how = STEP_DEBUG_FRAME;
    return unwinder->no_info &&
           debug_frames_find(&unwinder->debug_frames, &unwinder->code.source, asked, &pretended) &&
           step_tables(unwinder, pretended, interrupted, end);
}

// From one frame to its caller. *interrupted: of the frame, then of the caller.
static bool step(struct unwinder *unwinder, bool *interrupted, enum unwind_step *how,
                 enum unwind_end *end)
{
    unwinder->faulted = false;
    *end = UNWIND_BAD_READ;
    *how = STEP_CALL;
    if (*interrupted && called_nowhere(unwinder)) {
        *interrupted = false;
        return pop_return(unwinder);
    }
    bool leaf = *interrupted;
    if (step_any_tables(unwinder, interrupted, how, end))
        return true;
    if (!unwinder->no_info)
        return false;
    *interrupted = false;
    unwinder->faulted = false;
    *how = STEP_CALL;
    if (leaf && step_stub(unwinder))
        return true;
    *how = STEP_FRAME_POINTER;
    return step_frame_pointer(unwinder, end);
}

static enum unwind_end climb(struct unwinder *unwinder)
{
    bool interrupted = true;
    for (;;) {
        enum unwind_end end;
        enum unwind_step how;
        uint64_t sp = *sp_of(unwinder);
        if (!step(unwinder, &interrupted, &how, &end))
            return end;
        uint64_t pc = *pc_of(unwinder);
        if (interrupted) { // on any stack, perhaps the one that the handler interrupted
            unwinder->interrupted_sp = *sp_of(unwinder);
            unwinder->interrupted_at = sp + offsetof(ucontext_t, uc_mcontext.gregs[REG_RSP]);
            if (!is_code(unwinder, pc) && !called_nowhere(unwinder))
                return UNWIND_BAD_READ;
        } else if (!pc) {
            return UNWIND_BOTTOM;
        } else if (!is_code(unwinder, pc - 1)) {
            return UNWIND_BAD_READ;
        } else if (*sp_of(unwinder) < sp || (*sp_of(unwinder) == sp && unwinder->count > 1)) {
            return UNWIND_NO_PROGRESS;
        }
        if (unwinder->count == unwinder->max_depth)
            return UNWIND_LIMIT;
        push(unwinder, pc, interrupted, how);
    }
}

static void start(struct unwinder *unwinder, const struct capture *capture)
{
    const struct user_regs_struct *regs = &capture->regs;
    const uint64_t registers[REGISTERS] = {
        [UNW_X86_64_RAX] = regs->rax, [UNW_X86_64_RDX] = regs->rdx, [UNW_X86_64_RCX] = regs->rcx,
        [UNW_X86_64_RBX] = regs->rbx, [UNW_X86_64_RSI] = regs->rsi, [UNW_X86_64_RDI] = regs->rdi,
        [UNW_X86_64_RBP] = regs->rbp, [UNW_X86_64_RSP] = regs->rsp, [UNW_X86_64_R8] = regs->r8,
        [UNW_X86_64_R9] = regs->r9,   [UNW_X86_64_R10] = regs->r10, [UNW_X86_64_R11] = regs->r11,
        [UNW_X86_64_R12] = regs->r12, [UNW_X86_64_R13] = regs->r13, [UNW_X86_64_R14] = regs->r14,
        [UNW_X86_64_R15] = regs->r15, [UNW_X86_64_RIP] = regs->rip,
    };
    memcpy(unwinder->registers, registers, sizeof registers);
    bool in_place = capture->flags & CAPTURE_IN_PLACE;
    unwinder->known = in_place ? 1u << UNW_X86_64_RSP | 1u << UNW_X86_64_RIP : UINT32_MAX;
    unwinder->capture = capture;
    unwinder->stack_needed = 0;
    unwinder->work = 0;
    unwinder->count = 0;
    unwinder->frame_pointer_steps = 0;
    unwinder->interrupted_at = 0;
    push(unwinder, regs->rip, true, STEP_CAPTURE);
}

// What unwind_live found. Which of the callers were interrupted is not recorded: only the leaf
// counts as such.
static enum unwind_end decode(struct unwinder *unwinder, const struct capture *capture)
{
    size_t count = capture->stack_length / sizeof(uint64_t);
    unwinder->count = 0;
    *sp_of(unwinder) = 0;
    for (size_t i = 0; i < count && i < unwinder->max_depth; i++) {
        uint64_t pc;
        memcpy(&pc, capture->stack + i * sizeof pc, sizeof pc);
        push(unwinder, pc, i == 0, i ? STEP_TABLES : STEP_CAPTURE);
    }
    if (!count)
        push(unwinder, capture->regs.rip, true, STEP_CAPTURE);
    if (count > unwinder->max_depth)
        return UNWIND_LIMIT;
    uint32_t end = capture->flags >> CAPTURE_LIVE_END_SHIFT;
    return end < ARRAY_LENGTH(unwind_end_texts) ? (enum unwind_end)end : UNWIND_NO_INFO;
}

// A handler on a stack of its own interrupted something on one that the first piece does not hold.
static uint64_t missing_second(const struct unwinder *unwinder, enum unwind_end end)
{
    bool ended_there = end == UNWIND_SHORT || end == UNWIND_BAD_READ;
    bool there = stack_copy_holds(unwinder->capture, unwinder->interrupted_sp);
    return ended_there && !there ? unwinder->interrupted_at : 0;
}

struct unwind_result unwinder_walk(struct unwinder *unwinder, const struct capture *capture)
{
    struct unwind_result result = {0};
    if (capture->flags & CAPTURE_UNWOUND) {
        result.end = decode(unwinder, capture);
    } else {
        start(unwinder, capture);
        result.end = climb(unwinder);
        result.second_at = missing_second(unwinder, result.end);
        if (result.second_at)
            result.end = UNWIND_BAD_READ; // a longer copy of the first stack would not help
        result.stack_needed = (uint32_t)unwinder->stack_needed;
        result.frame_pointer_steps = unwinder->frame_pointer_steps;
    }
    result.frames = unwinder->frames;
    result.count = unwinder->count;
    return result;
}
