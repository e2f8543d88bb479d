// SPDX-License-Identifier: MIT
#include "unwind/stack_copy.h"

#include <string.h>

#define REACH (8u << 20) // bytes above a stack pointer that are taken for the same stack

// Distances wrap for what lies below the stack pointer.
static bool read_piece(const unsigned char *bytes, uint32_t length, uint64_t above, uint64_t *word,
                       uint64_t *needed)
{
    if (above > UINT32_MAX || above + sizeof *word > length)
        return false;
    memcpy(word, bytes + above, sizeof *word);
    if (above + sizeof *word > *needed)
        *needed = above + sizeof *word;
    return true;
}

static bool has_second(const struct capture *capture)
{
    return capture->flags & CAPTURE_SECOND;
}

bool stack_copy_read(const struct capture *capture, uint64_t address, uint64_t *word,
                     uint64_t *needed)
{
    return read_piece(capture->stack, capture->stack_length, address - capture->regs.rsp, word,
                      needed) ||
           (has_second(capture) &&
            read_piece(capture->stack + capture->stack_length, capture->second_length,
                       address - capture->second_sp, word, needed));
}

bool stack_copy_is_cut(const struct capture *capture, uint64_t address)
{
    bool first = capture->stack_length == capture->stack_asked &&
                 address - capture->regs.rsp < REACH;
    bool second = has_second(capture) && capture->second_length == capture->second_asked &&
                  address - capture->second_sp < REACH;
    return first || second;
}

bool stack_copy_holds(const struct capture *capture, uint64_t sp)
{
    return sp - capture->regs.rsp < capture->stack_length ||
           (has_second(capture) && sp == capture->second_sp);
}
