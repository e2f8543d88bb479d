// SPDX-License-Identifier: MIT
// The unwinder turns a capture into pcs and a reason why the stack ends. It knows no ptrace, no
// symbols and no files: it reads memory that is not in the capture (code, unwind tables) through
// code_source.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sample/capture.h"

enum unwind_end {
    UNWIND_BOTTOM,    // the root was reached
    UNWIND_NO_INFO,   // no unwind information for the last pc, and no frame pointer chain to follow
    UNWIND_SHORT,     // the stack goes on above what was copied
    UNWIND_BAD_READ,  // an address outside the memory of the process was read
    UNWIND_NO_PROGRESS, // the stack pointer did not rise
    UNWIND_LIMIT,     // the stack has more than max_depth frames
    UNWIND_NO_REGISTER, // needs a register that a capture without a stop does not have
    UNWIND_ELSEWHERE, // the caller is on another stack, which is not in the capture
    UNWIND_PROBE,     // the kernel replaced the return address for a uretprobe
};
extern const char *const unwind_end_texts[]; // [enum unwind_end], for people

struct unwind_table { // of the module that holds a pc; addresses in the target
    uint64_t start, end;     // text of the module that the table covers
    uint64_t hdr;            // address of .eh_frame_hdr
    uint64_t hdr_size;       // 0: there is none, as in static programs of gcc
    uint64_t frames;         // address of .eh_frame, if there is no .eh_frame_hdr
    uint64_t frames_size;
};

struct code_section { // a section that is not loaded, of the module that holds a pc
    uint64_t start, end;  // text of the module
    uint64_t bias;        // address minus link-time address
    const unsigned char *bytes; // borrowed until the source changes; NULL: there is none
    size_t size;
};

struct code_source { // memory of a process image that does not change while it runs
    void *context;
    // Copies code or tables at [address, address + length). Returns false if not all can be read.
    bool (*read)(void *context, uint64_t address, void *to, size_t length);
    // Gets the unwind tables of the module that holds pc. Returns false if there are none.
    bool (*table)(void *context, uint64_t pc, struct unwind_table *table);
    // Says whether pc is in executable memory.
    bool (*executable)(void *context, uint64_t pc);
    // Gets the .debug_frame section of the module that holds pc. Returns false if there is no
    // module. NULL: no module has the section.
    bool (*debug_frame)(void *context, uint64_t pc, struct code_section *section);
    // Copies JIT-compiled code as it is now. Returns the number of bytes, at most `length`, and 0
    // if there is none at this address. NULL: there is no such code.
    size_t (*made)(void *context, uint64_t address, void *to, size_t length);
    // Says whether the return address pc is that of a uretprobe. It is called only if no code
    // precedes pc. NULL: there are no probes.
    bool (*probe)(void *context, uint64_t pc);
};

enum unwind_step { // how a frame was found
    STEP_CAPTURE,       // the leaf
    STEP_TABLES,        // .eh_frame
    STEP_DEBUG_FRAME,   // .debug_frame
    STEP_CALL,          // without tables: the return address is on top of the stack (a stub, a call
                        // to an address without code), the signal frame has the registers, or the
                        // instructions up to the return were followed
    STEP_FRAME_POINTER, // the frame pointer chain, where there are no tables
    STEP_SWITCH,        // the caller is on another stack
};

struct unwind_frame {
    uint64_t pc;      // of callers the return address
    bool interrupted; // pc is no return address of a call: the frame was interrupted there (the
                      // leaf, or by a signal handler), or a coroutine begins there
    uint64_t sp;      // stack pointer in this frame; 0: not known
    enum unwind_step step; // how the frame was found
};

struct unwind_result {
    struct unwind_frame *frames; // leaf first; owned by the unwinder, valid until its next call
    size_t count;                // at least 1
    enum unwind_end end;
    uint32_t stack_needed;       // bytes of the stack copy, from sp up, that the walk needed
    uint32_t windows_used;       // bit i: the walk read window i of the capture
    uint64_t root;   // end of the stack, if the walk reached the root; else 0
    uint64_t missed; // the address that could not be read and ended the walk; 0: none
    uint64_t second_at; // if the walk ended because the caller is on another stack, not in the
                        // capture (a signal handler interrupted it, or it changed the stack): the
                        // address of the pointer to that stack; else 0
    int32_t second_hop; // if not 0, second_at is the address of a pointer to a struct that has the
                        // pointer to the stack at this offset
    uint32_t frame_pointer_steps; // number of frames with STEP_FRAME_POINTER
};

struct unwinder;

// Makes an unwinder for one process image. max_depth: most frames of a stack, above 0.
struct unwinder *unwinder_new(const struct code_source *source, size_t max_depth);
void unwinder_free(struct unwinder *unwinder);

// Forgets what is cached of modules, because mappings have changed.
void unwinder_flush(struct unwinder *unwinder);

struct unwind_result unwinder_walk(struct unwinder *unwinder, const struct capture *capture);
