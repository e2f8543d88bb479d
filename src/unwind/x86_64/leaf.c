// SPDX-License-Identifier: MIT
#include "unwind/leaf.h"

#include "unwind/prologue.h"
#include "unwind/stub.h"

#define BARE_LEAF_MOST 128 // bytes of code up to the system call

static bool peek(struct unwinder *unwinder, uint64_t *back)
{
    return walk_read(unwinder, *walk_sp(unwinder), back) && *back &&
           walk_is_code(unwinder, *back - 1);
}

bool leaf_is_nowhere(struct unwinder *unwinder)
{
    uint64_t back;
    return !walk_is_code(unwinder, *walk_pc(unwinder)) && peek(unwinder, &back);
}

bool leaf_return(struct unwinder *unwinder)
{
    uint64_t back;
    if (!walk_read(unwinder, *walk_sp(unwinder), &back))
        return false;
    *walk_pc(unwinder) = back;
    *walk_sp(unwinder) += WORD;
    return true;
}

// Some code pushes nothing and ends its tables before a system call, as clone3 of libc does. Then
// the return address on top lies behind a direct call to a place shortly before pc.
static bool is_bare(struct unwinder *unwinder)
{
    uint64_t back, target, pc = *walk_pc(unwinder);
    return peek(unwinder, &back) && prologue_called(&unwinder->code, back, &target) &&
           pc - target < BARE_LEAF_MOST;
}

// The linkers lld and mold write no unwind entries for stubs.
bool leaf_step(struct unwinder *unwinder)
{
    bool stub = stub_at(&unwinder->code, *walk_pc(unwinder)) == STUB_SLOT;
    return (stub && leaf_return(unwinder)) || (is_bare(unwinder) && leaf_return(unwinder));
}
