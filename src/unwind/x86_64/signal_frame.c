// SPDX-License-Identifier: MIT
#include "unwind/signal_frame.h"

#include <string.h>
#include <ucontext.h>

#include "base/mem.h"

_Static_assert(REGISTER_FRAME == UNW_X86_64_RBP && REGISTER_SP == UNW_X86_64_RSP &&
                   REGISTER_PC == UNW_X86_64_RIP, "libunwind's numbers are DWARF's");

static const int places[REGISTERS] = {REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI,
                                      REG_RBP, REG_RSP, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                      REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP};

static uint64_t place(uint64_t context, int number)
{
    return context + offsetof(ucontext_t, uc_mcontext.gregs) + (uint64_t)places[number] * WORD;
}

bool signal_frame_step(struct unwinder *unwinder)
{
    static const struct {
        unsigned char length, bytes[9];
    } forms[] = {
        {9, {0x48, 0xc7, 0xc0, 15, 0, 0, 0, 0x0f, 0x05}}, // mov $SYS_rt_sigreturn,%rax; syscall
        {7, {0xb8, 15, 0, 0, 0, 0x0f, 0x05}},
    };
    unsigned char code[sizeof forms[0].bytes];
    uint64_t registers[REGISTERS], context = *walk_sp(unwinder);
    bool found = false;
    for (size_t i = 0; i < ARRAY_LENGTH(forms) && !found; i++)
        found = code_memory_read(&unwinder->code, *walk_pc(unwinder), code, forms[i].length) &&
                memcmp(code, forms[i].bytes, forms[i].length) == 0;
    for (int i = 0; i < REGISTERS && found; i++)
        found = walk_read(unwinder, place(context, i), &registers[i]);
    if (!found)
        return false;
    memcpy(unwinder->registers, registers, sizeof registers);
    unwinder->known = UINT32_MAX;
    return true;
}

uint64_t signal_frame_sp_at(uint64_t sp)
{
    return place(sp, REGISTER_SP);
}
