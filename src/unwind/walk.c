// SPDX-License-Identifier: MIT
#include "unwind/walk.h"

bool walk_fault(struct unwinder *unwinder, enum unwind_end why)
{
    unwinder->fault = why;
    return false;
}

// Thread stacks lie right below libraries, so what is above the copy is first looked for there.
bool walk_read(struct unwinder *unwinder, uint64_t address, uint64_t *value)
{
    if (++unwinder->work > WORK_MAX)
        return walk_fault(unwinder, UNWIND_NO_PROGRESS);
    if (stack_copy_read(unwinder->capture, address, value, &unwinder->use)) {
        if (!unwinder->aside)
            memo_note(&unwinder->memo, address, *value);
        return true;
    }
    if (code_memory_read(&unwinder->code, address, value, WORD)) {
        unwinder->memo.spoilt |= !unwinder->aside && !unwinder->in_tables;
        return true;
    }
    bool cut = stack_copy_is_cut(unwinder->capture, address);
    if (cut || !unwinder->missed)
        unwinder->missed = address;
    return walk_fault(unwinder, cut ? UNWIND_SHORT : UNWIND_BAD_READ);
}
