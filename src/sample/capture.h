// SPDX-License-Identifier: MIT
// One thread as it was at one moment: registers and a copy of the top of its stack. What the
// sampler puts into the ring and the unwinder takes out; plain memory without pointers.
#pragma once

#include <stdint.h>
#include <sys/types.h>
#include <sys/user.h>

enum capture_flag {
    CAPTURE_IN_SYSCALL = 1, // the thread was in the kernel on behalf of a system call
    CAPTURE_UNWOUND = 2,    // unwound while held (--unwinder live): `stack` holds uint64_t pcs
    CAPTURE_IN_PLACE = 4,   // taken without a stop: of the registers only rsp and rip are known
    CAPTURE_SECOND = 8,     // behind the stack copy lies one of another stack: second_*
    CAPTURE_ON_CPU = 16,    // in place, but of a thread that had been on its CPU: a sample
    CAPTURE_LIVE_END_SHIFT = 8, // with CAPTURE_UNWOUND: flags >> 8 is the enum unwind_end
};

struct capture {
    int64_t time; // CLOCK_MONOTONIC ns
    uint32_t thread; // the sampler's number of the thread, see sample/record.h
    uint32_t flags;
    int32_t syscall; // its number with CAPTURE_IN_SYSCALL
    uint32_t stack_length; // bytes that were copied, from the stack pointer up
    uint32_t stack_asked;  // bytes that were asked for: more than copied at the end of the mapping
    uint32_t held_ns;
    struct user_regs_struct regs;
    // With CAPTURE_SECOND, of a thread in a signal handler on a stack of its own: the stack that
    // was interrupted, from its stack pointer up. The bytes follow those of the first piece.
    uint64_t second_sp;
    uint32_t second_length, second_asked;
    unsigned char stack[];
};
