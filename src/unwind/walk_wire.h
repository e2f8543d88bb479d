// SPDX-License-Identifier: MIT
// The protocol between the main process and the one that unwinds. Messages go over a channel
// (reader/channel.h); captures, areas and frames lie in memory that both map. The process that
// unwinds may have been taken over by a hostile file, so everything that it says is checked.
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "sample/stack_capture.h"

enum walk_kind {
    // To the process that unwinds:
    WALK_SPACE,  // number: a space; its `count` areas are in the exchange
    WALK_FORGET, // number: a space that is no longer needed
    WALK_STACKS, // number: a space; `count` captures of its process are in the request
    WALK_CODE,   // answers WALK_WANT_CODE: `count` bytes follow
    WALK_FILE,   // answers the others, with a descriptor if there is such a file
    // From that process:
    WALK_DONE,       // the first `count` of the stacks are in the answer
    WALK_WANT_CODE,  // `count` bytes of code at `address` that are in no image
    WALK_WANT_IMAGE, // number: a module
    WALK_WANT_DEBUG, // number: a module of which the separate debug file is wanted
};

#define WALK_CODE_MAX 256u // bytes

struct walk_message {
    uint32_t kind; // enum walk_kind
    uint32_t number;
    uint64_t address;
    uint32_t count;
    uint32_t flags; // of WALK_SPACE: enum walk_space_flag
    unsigned char code[WALK_CODE_MAX]; // only sent with WALK_CODE
};
#define WALK_HEAD offsetof(struct walk_message, code)

enum walk_space_flag {
    WALK_REPLACED = 1, // areas are gone or were replaced: what is cached of them is no longer true
};

enum walk_area_flag {
    WALK_AREA_FILE = 1,  // of a file, which may have a separate debug file
    WALK_AREA_PROBE = 2, // begins with the return address of every uretprobe
    WALK_AREA_IMAGE = 4, // its module has an image, which can be asked for
};

struct walk_area { // as struct area
    uint64_t start, end, bias, extent_start, extent_end;
    uint32_t module;
    uint32_t flags; // enum walk_area_flag
};

struct walk_frame { // as struct unwind_frame
    uint64_t pc, sp;
    uint32_t interrupted, step;
};

struct walk_stack { // as struct unwind_result; followed by its frames
    uint32_t end, count;
    uint32_t stack_needed, windows_used, frame_pointer_steps;
    int32_t second_hop;
    uint64_t root, missed, second_at;
};

#define WALK_AREAS 32768u // in a space; areas beyond this number are not known
#define WALK_REQUEST_BYTES (2u << 20)
#define WALK_ANSWER_LEAST (1u << 20)
_Static_assert(sizeof(struct capture) + STACK_ROOM < WALK_REQUEST_BYTES, "holds any capture");

struct walk_exchange { // the memory that both map
    _Atomic uint32_t reading; // 1 + the number of the module whose file the process is reading
    struct walk_area areas[WALK_AREAS];
    _Alignas(8) unsigned char request[WALK_REQUEST_BYTES]; // captures begin with struct walk_bytes
    _Alignas(8) unsigned char answer[]; // walk_answer_bytes
};

// Returns the bytes of the answer: at least one stack of this depth.
static inline size_t walk_answer_bytes(size_t max_depth)
{
    size_t one = sizeof(struct walk_stack) + max_depth * sizeof(struct walk_frame);
    return one > WALK_ANSWER_LEAST ? one : WALK_ANSWER_LEAST;
}

static inline size_t walk_exchange_bytes(size_t max_depth)
{
    return sizeof(struct walk_exchange) + walk_answer_bytes(max_depth);
}

struct walk_bytes { // precedes each capture in a request
    uint64_t length; // a multiple of 8
};
