// SPDX-License-Identifier: MIT
// x86-64 instructions as far as unwinding by code asks: how long one is, where it leads, and what
// it does to the stack pointer.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "unwind/code_memory.h"

#define INSTRUCTION_BYTES 24 // that may be looked at

// Bits of the prefix that widens an operand or names registers above 7.
#define REX_W 8
#define REX_R 4
#define REX_X 2
#define REX_B 1

enum { AX, CX, DX, BX, SP, FP };      // registers by their numbers in instructions
extern const int unwind_register[16]; // ... libunwind's numbers of them

struct opcode_row { // what is known of a range of opcodes
    unsigned char first, last, value;
};

unsigned opcode_find(const struct opcode_row *rows, size_t count, unsigned char opcode,
                     unsigned otherwise);

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

// `code` holds INSTRUCTION_BYTES, which the instruction points into. Returns false if it is none
// that compilers write.
bool instruction_decode(const unsigned char *code, struct instruction *instruction);

// Reads and decodes the instruction at pc, which points into `code`; with `made` also one that the
// process made. Returns false if it is none, or not all of it can be read.
bool instruction_read(struct code_memory *memory, uint64_t pc, bool made,
                      unsigned char code[INSTRUCTION_BYTES], struct instruction *instruction);

// Returns whether its opcode is of the first map and so has one byte.
bool instruction_is_plain(const struct instruction *instruction);

// Returns the register that it names by the r/m field, -1 if that is memory or there is none.
int instruction_rm(const struct instruction *instruction);

// Return the register that it names by the reg field, or which operation of a group it is.
int instruction_reg(const struct instruction *instruction);
int instruction_operation(const struct instruction *instruction);

// Returns a signed number in the code, of 32 bits if `wide`, else of 8.
int64_t instruction_number(const unsigned char *at, bool wide);

// Returns whether it sets the frame pointer to the stack pointer.
bool instruction_sets_frame(const struct instruction *instruction);

enum stack_effect {
    STACK_KEPT,
    STACK_MOVED,   // by *distance
    STACK_AT_FRAME, // it is now the frame pointer plus *distance
    STACK_LOST,    // nobody can tell
};

// Returns what it does to the stack pointer, calls and returns apart. *distance is 0 if that is
// kept.
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

// Returns whether it is a call, direct or not.
bool instruction_is_call(const struct instruction *instruction);
