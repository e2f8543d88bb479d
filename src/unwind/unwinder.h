// SPDX-License-Identifier: MIT
// Capture in, pcs and an end reason out. Knows no ptrace, no symbols and no files: memory that is
// not in the capture (code, unwind tables) is asked of the code_source.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sample/capture.h"

enum unwind_end {
    UNWIND_BOTTOM,    // the root was reached
    UNWIND_NO_INFO,   // no unwind information for the last pc, and no frame pointer chain to follow
    UNWIND_SHORT,     // the stack goes on above what was copied
    UNWIND_BAD_READ,  // a read outside all memory that is there
    UNWIND_NO_PROGRESS, // the stack pointer did not rise
    UNWIND_LIMIT,     // max_depth frames
    UNWIND_NO_REGISTER, // it takes a register that a capture without a stop does not hold
    UNWIND_ELSEWHERE, // it goes on on another stack, which is not in the capture
    UNWIND_PROBE,     // the kernel keeps the return address, for a return probe
};
extern const char *const unwind_end_texts[]; // [enum unwind_end], for people

struct unwind_table { // of the module around a pc; addresses are those of the target
    uint64_t start, end;     // of the module's text that the table covers
    uint64_t hdr;            // where .eh_frame_hdr lies
    uint64_t hdr_size;       // 0: there is none (static programs of gcc)
    uint64_t frames;         // where .eh_frame lies; asked for only if there is no .eh_frame_hdr
    uint64_t frames_size;
};

struct code_section { // a section of the module around a pc that is not loaded
    uint64_t start, end;  // of the module's text
    uint64_t bias;        // address less link-time address
    const unsigned char *bytes; // borrowed until the source changes; NULL: there is none
    size_t size;
};

struct code_source { // the memory of one process image that does not change while it runs
    void *context;
    // Copies code or tables at [address, address + length); false when it is not all there.
    bool (*read)(void *context, uint64_t address, void *to, size_t length);
    // The unwind tables of the module that holds pc; false when there are none.
    bool (*table)(void *context, uint64_t pc, struct unwind_table *table);
    // Whether pc lies in executable memory.
    bool (*executable)(void *context, uint64_t pc);
    // The .debug_frame section of the module that holds pc; false when there is no module. NULL:
    // no module has one.
    bool (*debug_frame)(void *context, uint64_t pc, struct code_section *section);
    // Copies code that the process makes itself, as it is now: how many bytes, at most `length`; 0
    // elsewhere. NULL: not known.
    size_t (*made)(void *context, uint64_t address, void *to, size_t length);
    // Whether the kernel put this return address there, for a return probe; asked only if no code
    // lies before it. NULL: nobody knows.
    bool (*probe)(void *context, uint64_t pc);
};

enum unwind_step { // how a frame was found
    STEP_CAPTURE,       // it is the leaf
    STEP_TABLES,        // .eh_frame
    STEP_DEBUG_FRAME,   // .debug_frame
    STEP_CALL,          // the return address still on top of the stack: a stub, a call to nowhere,
                        // or all registers there: the return from a signal handler;
                        // or what code without tables does before it returns tells where it is
    STEP_FRAME_POINTER, // the chain of frame pointers, where there are no tables
    STEP_SWITCH,        // it lies on another stack
};

struct unwind_frame {
    uint64_t pc;      // as found: for callers the return address
    bool interrupted; // pc is no return address: the frame was interrupted there (the leaf, or
                      // below a signal handler's trampoline), or has not been called
    uint64_t sp;      // the stack pointer in this frame; 0: not known
    enum unwind_step step; // how it was found
};

struct unwind_result {
    struct unwind_frame *frames; // leaf first; owned by the unwinder, valid until its next call
    size_t count;                // at least 1
    enum unwind_end end;
    uint32_t stack_needed;       // bytes of the stack copy that were looked at, from sp up
    uint32_t windows_used;       // bit i: the walk looked at window i of the capture
    uint64_t root;   // the address behind the stack, if its root was reached; else 0
    uint64_t missed; // the address whose reading ended the walk; 0: it ended otherwise
    uint64_t second_at; // 0, or the stack ended because it goes on on another one that is not in
                        // the capture (it was interrupted by a signal handler, or changed): where
                        // its stack pointer lies
    int32_t second_hop; // not 0: there lies a pointer, and so many bytes behind that it lies
    uint32_t frame_pointer_steps; // frames that were found by STEP_FRAME_POINTER
};

struct unwinder;

// One for each process image. max_depth: most frames of a stack (above 0).
struct unwinder *unwinder_new(const struct code_source *source, size_t max_depth);
void unwinder_free(struct unwinder *unwinder);

// Forgets what it cached of the modules: an address now belongs to another one.
void unwinder_flush(struct unwinder *unwinder);

struct unwind_result unwinder_walk(struct unwinder *unwinder, const struct capture *capture);
