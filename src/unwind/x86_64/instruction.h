// SPDX-License-Identifier: MIT
// x86-64 instructions as far as unwinding by code asks: how long one is, where it leads, and what
// it does to the stack pointer.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INSTRUCTION_MAX 15   // bytes
#define INSTRUCTION_BYTES 24 // that may be looked at

enum instruction_map { MAP_ONE_BYTE, MAP_0F, MAP_0F38, MAP_0F3A };

struct instruction {
    enum instruction_map map;
    unsigned char opcode;
    unsigned char rex;              // 0: none
    bool vex;                       // of the vector kind; then rex says nothing
    const unsigned char *modrm;     // into the code; NULL: it has none
    const unsigned char *immediate; // into the code, behind everything else
    size_t length;                  // bytes
};

// `code` holds INSTRUCTION_BYTES, which the instruction points into. False: not one that compilers
// write.
bool instruction_decode(const unsigned char *code, struct instruction *instruction);

// Of those below the registers are numbered as in instructions: 4 is the stack pointer, 5 the frame
// pointer.

// The register that it names by the r/m field, -1 if that is memory or there is none.
int instruction_rm(const struct instruction *instruction);

enum stack_effect {
    STACK_KEPT,
    STACK_MOVED,   // by *distance
    STACK_AT_FRAME, // it is now the frame pointer plus *distance
    STACK_LOST,    // nobody can tell
};

// What it does to the stack pointer, calls and returns apart.
enum stack_effect instruction_stack(const struct instruction *instruction, int64_t *distance);

enum flow {
    FLOW_NEXT,   // it goes on behind it; calls too
    FLOW_BRANCH, // ... or *distance behind its end
    FLOW_JUMP,   // *distance behind its end
    FLOW_LEAVE,  // to another function, through a slot in memory
    FLOW_RETURN,
    FLOW_END,    // nowhere, or nobody can tell
};

enum flow instruction_flow(const struct instruction *instruction, int64_t *distance);

// Direct or not.
bool instruction_is_call(const struct instruction *instruction);
