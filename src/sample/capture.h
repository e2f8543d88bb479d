// SPDX-License-Identifier: MIT
// One thread as it was at one moment: registers and copies of pieces of its stack. What the
// sampler puts into the ring and the unwinder takes out; plain memory without pointers.
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "process/machine.h"

#define STACK_WINDOWS 8u // pieces of the stack, beside the one from the stack pointer up

enum capture_flag {
    CAPTURE_IN_SYSCALL = 1, // the thread was in the kernel on behalf of a system call
    CAPTURE_UNWOUND = 2,    // unwound while held (--unwinder live): `stack` holds uint64_t pcs
    CAPTURE_IN_PLACE = 4,   // taken without a stop: of the registers only pc, sp and the arguments
                            // of the system call are known
    CAPTURE_PAGES_UNKNOWN = 8, // nobody can tell which pages of the stack are there
    CAPTURE_ON_CPU = 16,    // in place, but of a thread that had been on its CPU: a sample
    CAPTURE_SAME_WAIT = 32, // in place, of a thread that has not run since the last one, which
                            // lacked some of its stack
    CAPTURE_LIVE_END_SHIFT = 8, // with CAPTURE_UNWOUND: flags >> 8 is the enum unwind_end
};

struct stack_window { // a piece of a stack that lies elsewhere
    uint64_t place;   // as in the struct stack_plan that asked for it
    uint64_t anchor;  // the address that was asked for
    uint64_t address; // of the first byte, at most `anchor`
    uint32_t length;  // bytes that were copied; 0: nothing is there
    uint32_t asked;   // bytes that were asked for, from `anchor` up
};

#define LOCK_WORDS 16u

struct lock_word { // of a lock that others wait for (lock_watch.h), at the moment of the capture
    uint64_t owner_at; // address of the word
    uint32_t word;     // not 0
};

struct capture {
    int64_t time; // CLOCK_MONOTONIC ns
    uint32_t thread; // the sampler's number of the thread, see sample/record.h
    uint32_t flags;
    int32_t syscall; // its number with CAPTURE_IN_SYSCALL
    uint32_t stack_length; // bytes that were copied, from the stack pointer up
    uint32_t stack_asked;  // bytes that were asked for: more than copied where pages are missing
    uint32_t held_ns;
    struct registers regs;
    uint32_t red_zone; // bytes that were copied below the stack pointer: the last of `below`
    uint32_t window_count;
    struct stack_window windows[STACK_WINDOWS];
    uint32_t lock_count;
    struct lock_word locks[LOCK_WORDS];
    unsigned char below[RED_ZONE];
    unsigned char stack[]; // right behind `below`; and behind it the bytes of the windows, in order
};

static inline uint64_t capture_pc(const struct capture *capture)
{
    return registers_pc(&capture->regs);
}

static inline uint64_t capture_sp(const struct capture *capture)
{
    return registers_sp(&capture->regs);
}
