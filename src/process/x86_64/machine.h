// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/user.h>
#include <ucontext.h>

#define MACHINE_NAME "x86-64"
#define MACHINE_ELF EM_X86_64           // <elf.h>
#define MACHINE_AUDIT AUDIT_ARCH_X86_64 // <linux/audit.h>

#define MACHINE_RELOCATION_COMPUTED R_X86_64_IRELATIVE // computed by a function, at its addend
#define MACHINE_RELOCATION_LAZY R_X86_64_JUMP_SLOT
#define MACHINE_RELOCATION_EARLY R_X86_64_GLOB_DAT

#define MACHINE_GLIBC_TID 0x2d0
#define MACHINE_MUSL_STATE 56

#define RED_ZONE 128u // System V ABI

#define REGISTER_FRAME 6
#define REGISTER_SP 7
#define REGISTER_PC 16 // of a caller: unwind tables name it as the return address
#define REGISTERS 17

struct registers {
    struct user_regs_struct user;
};

#define REGISTERS_RESULT_AT offsetof(struct user, regs.rax) // for PTRACE_POKEUSER

// Returns the registers of a thread of which no others are known.
static inline struct registers registers_at(uint64_t pc, uint64_t sp)
{
    return (struct registers){.user = {.rip = pc, .rsp = sp}};
}

// Returns those of a thread in a system call, which leaves its arguments where they are.
static inline struct registers registers_in_call(uint64_t pc, uint64_t sp,
                                                 const uint64_t arguments[6])
{
    const uint64_t *values = arguments;
    return (struct registers){.user = {.rip = pc, .rsp = sp, .rdi = values[0], .rsi = values[1],
                                       .rdx = values[2], .r10 = values[3], .r8 = values[4],
                                       .r9 = values[5]}};
}

static inline uint64_t registers_pc(const struct registers *regs)
{
    return regs->user.rip;
}

static inline uint64_t registers_sp(const struct registers *regs)
{
    return regs->user.rsp;
}

// Returns the number of the system call that the thread is in; it is negative when there is none.
static inline long registers_call(const struct registers *regs)
{
    return (long)regs->user.orig_rax;
}

// Returns what that system call is about to return.
static inline long registers_result(const struct registers *regs)
{
    return (long)regs->user.rax;
}

static inline void registers_arguments(const struct registers *regs, uint64_t arguments[6])
{
    const struct user_regs_struct *user = &regs->user;
    const uint64_t values[] = {user->rdi, user->rsi, user->rdx, user->r10, user->r8, user->r9};
    for (int i = 0; i < 6; i++)
        arguments[i] = values[i];
}

// Returns whether the thread runs 64-bit code, by its code segment.
static inline bool registers_are_wide(const struct registers *regs)
{
    return regs->user.cs == 0x33;
}

static inline void registers_by_number(const struct registers *regs, uint64_t values[REGISTERS])
{
    const struct user_regs_struct *user = &regs->user;
    const uint64_t all[REGISTERS] = {
        user->rax, user->rdx, user->rcx, user->rbx, user->rsi, user->rdi, user->rbp, user->rsp,
        user->r8,  user->r9,  user->r10, user->r11, user->r12, user->r13, user->r14, user->r15,
        user->rip,
    };
    memcpy(values, all, sizeof all);
}

static inline uint64_t context_argument(const ucontext_t *context, int number)
{
    static const int places[] = {REG_RDI, REG_RSI, REG_RDX, REG_R10, REG_R8, REG_R9};
    return (uint64_t)context->uc_mcontext.gregs[places[number]];
}

static inline void context_return(ucontext_t *context, long result)
{
    context->uc_mcontext.gregs[REG_RAX] = result;
}
