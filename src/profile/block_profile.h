// SPDX-License-Identifier: MIT
// A profile of blocks in memory (inuse_objects, inuse_space). Nobody knows where they were
// allocated: a stack is made of frames that say what they are, from the root to the leaf
//   allocator; arena; kind; what
// Addresses of these frames are made of their whole path, so that they are distinct, and the same
// whenever that path comes again: whoever merges, subtracts or hashes profiles by address is right.
#pragma once

#include <stdint.h>

#include "profile/plain.h"

#define BLOCK_PROFILE_MODULE "[heap]" // mapping of frames of allocators; kinds have their own
#define BLOCK_PROFILE_INCOMPLETE "incomplete: it was ended before all blocks were counted"
#define BLOCK_ALLOCATOR "allocator"   // keys of labels
#define BLOCK_ARENA "arena"
#define BLOCK_KIND "kind"
#define BLOCK_USABLE "usable"  // what the program may use of a block: the size class
#define BLOCK_SIZE "bytes"     // what it takes, as in Go's: the class of space by objects

struct block_count { // texts are borrowed; "": there is none, and no frame either
    const char *allocator, *arena, *kind, *what;
    uint64_t size; // usable: largest one of its size class, bytes
    uint64_t blocks, bytes;
};

struct block_profile {
    struct plain_profile *profile; // owned until block_profile_end
    struct map functions; // text -> function
    struct map mappings;  // text of a file -> mapping
    struct map locations; // location of the caller + 1, function -> location
    struct map addresses; // that are given away
};

struct block_program { // whose blocks they are: the profile's first mapping, that names it
    const char *path, *build_id; // borrowed; "": not known
    uint64_t start, limit, offset; // of its code
};

// Begins a profile of what was there at a time (CLOCK_REALTIME, ns). program: NULL: not known.
void block_profile_begin(struct block_profile *making, int64_t time,
                         const struct block_program *program);

// Where two paths have one hash, the one that is added first has the address: add in an order that
// does not depend on chance.
void block_profile_add(struct block_profile *making, const struct block_count *count);

// Returns the profile, which the caller frees.
struct plain_profile *block_profile_end(struct block_profile *making);

// Returns the offset in a mapping of a path: of the hash of its caller's path (0: it has none),
// which becomes its own, and its last frame.
uint64_t block_profile_offset(uint64_t *path, const char *frame);

// Returns the next one to try when an offset has been given away.
uint64_t block_profile_next(uint64_t offset);
