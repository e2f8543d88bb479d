// SPDX-License-Identifier: MIT
// Copies the stack of one thread: the red zone, as much from the stack pointer up as a plan says,
// and windows: pieces that lie elsewhere, because a frame of megabytes or another stack is between.
//
// Only pages that are there are copied: what a page of the target would first have to be made for,
// or be waited for (userfaultfd, shared memory that nobody has touched), is left out, and what lies
// behind it takes a window. What is there /proc/PID/pagemap tells, for 0.6 us; nothing is asked
// where an earlier copy was, as the plan says. No maps are read, nothing is allocated or opened.
//
// Nothing here is shared: any number of threads may copy, each into a buffer of its own. A buffer
// is bounded by its owner (`room`), which may be less than a plan asks for: what does not fit is
// not copied, and the unwinder tells a stack that was too short.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "process/regions.h"
#include "sample/capture.h"

#define STACK_FIRST (64u << 10) // bytes copied of a thread of which nothing is known yet
#define STACK_MAX (1u << 20)    // and at most
#define WINDOW_MAX (256u << 10) // bytes of a window
#define STACK_ROOM (STACK_MAX + WINDOW_MAX) // that holds whatever one capture may need

// What a window begins at; the two low bits of its place, which is a multiple of 4 without them.
enum window_kind {
    WINDOW_AT,       // this address
    WINDOW_ABOVE_SP, // so many bytes above the stack pointer
    WINDOW_POINTER,  // where the pointer at this address points: in the frame of a signal handler
                     // on a stack of its own the kernel keeps the interrupted stack pointer
    WINDOW_HOP,      // where the pointer points that lies so many bytes (WINDOW_HOP_SHIFT) behind
                     // where the pointer at this address points: what describes a stack
};
#define WINDOW_KIND_BITS 3u
#define WINDOW_HOP_SHIFT 48 // of a place: the hop, signed, above the bits of an address

struct stack_plan { // zeroed: nothing is known of the thread
    uint32_t bytes; // from the stack pointer up; 0: not known, STACK_FIRST
    uint32_t reach; // from at most so many bytes below the root ...
    uint64_t root;  // ... up to this address instead; 0: not known
    uint64_t there, there_end; // pages of this stretch were there
    uint64_t places[STACK_WINDOWS]; // of the windows, with their kinds; 0: none
    uint32_t lengths[STACK_WINDOWS]; // bytes of each; 0: as for the stack itself
    uint32_t version; // another one whenever a capture lacked what the next one will hold
};

// The plans of all threads, told by the process that unwinds, [thread % STACK_HINTS]. Torn plans
// copy too little or too much, and no harm comes of it.
#define STACK_HINTS 4096u

struct stack_hints {
    struct stack_hint_slot {
        _Atomic uint32_t thread; // number + 1 of the one that it is for
        _Atomic uint32_t bytes, reach, version;
        _Atomic uint64_t root, there, there_end;
        _Atomic uint64_t places[STACK_WINDOWS];
        _Atomic uint32_t lengths[STACK_WINDOWS];
    } slots[STACK_HINTS];
};

void stack_hints_tell(struct stack_hints *hints, uint32_t thread, const struct stack_plan *plan);

// Gives the plan of the thread, zeroed when there is none.
void stack_hints_get(const struct stack_hints *hints, uint32_t thread, struct stack_plan *plan);

// Returns whether a stack of the thread has been unwound.
bool stack_hints_learnt(const struct stack_hints *hints, uint32_t thread);

// Returns the version of the thread's plan; 0: there is none.
uint32_t stack_hints_version(const struct stack_hints *hints, uint32_t thread);

// Returns the room that the plan may need, bytes behind struct capture.
size_t stack_plan_room(const struct stack_plan *plan);

struct stack_pages { // which of them are there
    int fd; // of pagemap (process/maps.h); -1: nobody can tell
    const struct regions *mappings; // what is mapped, instead, as of some time before; NULL: not
                                    // known. Then no more is copied than the page of an address,
                                    // and what the plan says of root and stretch
};

struct stack_request {
    const struct stack_plan *plan;
    struct stack_pages pages;
    size_t room; // bytes of stack that the capture has room for
};

// Fills in the stack of a capture whose registers are known.
void stack_capture(pid_t tid, const struct stack_request *request, struct capture *capture);

// Returns whether so many bytes can be read without a page having to be made or waited for.
bool stack_capture_can_read(const struct stack_request *request, uint64_t address, size_t length);

// Returns the bytes that a capture holds behind its struct.
size_t stack_capture_bytes(const struct capture *capture);
