// SPDX-License-Identifier: MIT
// The bytes of Go's execution trace in its version 1 encoding, which go tool trace of Go 1.11 and
// all later ones read. A file is a header and batches, one P's events each, in the order of their
// times; a reader merges them. An event is a byte (6 bits of type, 2 that say how many numbers
// follow) and numbers of 7 bits a byte: the time since the event before it in the batch first. If
// there are more than three, the length of all in bytes stands before them. A tick is 1 ns.
//
// Batches have bounded sizes and go out as they fill. What belongs to no P, and texts and stacks,
// which have no time, are in batches of GO_NOBODY.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"

#define GO_NOBODY UINT32_MAX // a P that is none: what happens there was done by no thread
#define GO_STACK_BYTES 2048  // readers refuse stacks of which more than that is encoded
#define GO_NUMBER_BYTES 10   // at most, of one number

enum go_event { // numbers behind the time
    GO_BATCH = 1,
    GO_FREQUENCY = 2,
    GO_STACK = 3,
    GO_GOMAXPROCS = 4,  // how many, stack
    GO_PROC_START = 5,  // thread
    GO_PROC_STOP = 6,
    GO_CREATE = 13,     // goroutine, stack that begins it, stack
    GO_START = 14,      // goroutine, sequence
    GO_END = 15,
    GO_PREEMPT = 18,    // stack; as the next ones
    GO_SLEEP = 19,
    GO_BLOCK = 20,      // for a reason that has no event of its own
    GO_UNBLOCK = 21,    // goroutine, sequence, stack
    GO_BLOCK_SELECT = 24,
    GO_BLOCK_SYNC = 25,
    GO_BLOCK_COND = 26,
    GO_BLOCK_NET = 27,
    GO_SYSCALL = 28,    // stack
    GO_SYSCALL_EXIT = 29, // goroutine, sequence, time or 0
    GO_SYSCALL_BLOCK = 30,
    GO_STRING = 37,
    GO_USER_LOG = 48,   // task, string of the key, stack; a text follows
    GO_CPU_SAMPLE = 49, // time, P, goroutine, stack; of which the first time means nothing
};

struct go_batch {
    struct buf bytes;
    uint64_t first, last; // ticks
};

struct go_encoder {
    FILE *out;
    struct err *err;
    enum rc rc;   // the first failure; nothing is written after it
    uint64_t now; // tick of the last event
    struct go_batch nobody, *batches; // [P]
    size_t count, capacity;
    size_t held; // bytes in all batches
};

void go_encoder_init(struct go_encoder *encoder, FILE *out, struct err *err);

// Writes what is left and frees everything.
enum rc go_encoder_fini(struct go_encoder *encoder) MUST_CHECK;

// Adds an event of a P, which is not earlier than the last one of any P.
void go_encoder_event(struct go_encoder *encoder, uint32_t p, uint64_t tick, enum go_event event,
                      const uint64_t *numbers, size_t count);
void go_encoder_log(struct go_encoder *encoder, uint32_t p, uint64_t tick, uint64_t key,
                    const char *text);

// The id is not 0, nor is the length.
void go_encoder_string(struct go_encoder *encoder, uint64_t id, const char *text, size_t length);

// The bytes are numbers that go_encoder_number wrote: four a frame, at most GO_STACK_BYTES.
void go_encoder_stack(struct go_encoder *encoder, uint64_t id, uint64_t frames, const void *bytes,
                      size_t length);

// Writes a number and returns how many bytes it took.
size_t go_encoder_number(uint8_t *to, uint64_t number);
