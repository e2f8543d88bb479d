// SPDX-License-Identifier: MIT
#include "unwind/live.h"

#include <libunwind-ptrace.h>

// Each tracing thread has one address space. Its cache is off, because libunwind keys it by pc
// alone and the space serves all targets.
static unw_addr_space_t space_get(void)
{
    static _Thread_local unw_addr_space_t space;
    if (!space) {
        space = unw_create_addr_space(&_UPT_accessors, 0);
        if (space)
            unw_set_caching_policy(space, UNW_CACHE_NONE);
    }
    return space;
}

// Returns why unw_step returned `ret`, which is 0 or less. At a marked root (undefined return
// address) it leaves a null pc, at the end of a frame pointer chain the last pc.
static enum unwind_end end_of(unw_cursor_t *cursor, int ret)
{
    unw_word_t pc = 0;
    unw_get_reg(cursor, UNW_REG_IP, &pc);
    if (ret == 0)
        return pc ? UNWIND_NO_INFO : UNWIND_BOTTOM;
    if (ret == -UNW_EBADFRAME)
        return UNWIND_NO_PROGRESS;
    return ret == -UNW_ENOINFO ? UNWIND_NO_INFO : UNWIND_BAD_READ;
}

static size_t climb(unw_cursor_t *cursor, uint64_t *pcs, size_t most, enum unwind_end *end)
{
    for (size_t count = 0;;) {
        unw_word_t pc = 0;
        unw_get_reg(cursor, UNW_REG_IP, &pc);
        if (!pc && count) {
            *end = UNWIND_BOTTOM;
            return count;
        }
        if (count == most) {
            *end = UNWIND_LIMIT;
            return count;
        }
        pcs[count++] = pc;
        int ret = unw_step(cursor);
        if (ret <= 0) {
            *end = end_of(cursor, ret);
            return count;
        }
    }
}

size_t unwind_live(pid_t tid, uint64_t *pcs, size_t most, enum unwind_end *end)
{
    unw_cursor_t cursor;
    *end = UNWIND_BAD_READ;
    unw_addr_space_t space = space_get();
    void *target = _UPT_create(tid);
    if (!space || !target)
        return 0;
    size_t count = 0;
    if (unw_init_remote(&cursor, space, target) >= 0)
        count = climb(&cursor, pcs, most, end);
    _UPT_destroy(target);
    return count;
}
