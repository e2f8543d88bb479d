// SPDX-License-Identifier: MIT
// What a block is, by what it holds. A recognizer is a row; the first that knows a block names it.
// A name is given only where something in the process vouches for it (a type's description, a
// structure that fits in every word that was looked at): of what is merely likely nothing is said.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "heap/allocator.h"
#include "heap/target.h"

// name, word in output, what it is
#define BLOCK_KINDS(X)                                                                             \
    X(UNKNOWN, "unknown", "nothing says what it is")                                               \
    X(CLASS, "C++", "object of a C++ class")                                                       \
    X(CONTAINER, "container", "node of a container, by its links or its hash")                     \
    X(RUST, "Rust", "a trait object of Rust leads to it")                                          \
    X(PYTHON, "Python", "object of CPython")                                                       \
    X(TEXT, "text", "NUL-terminated text")                                                         \
    X(PATTERN, "pattern", "one word, repeated")                                                    \
    X(OTHERS, "others", "known, but of more kinds than are told apart")

enum block_kind {
#define X(name, word, text) BLOCK_##name,
    BLOCK_KINDS(X)
#undef X
    BLOCK_KIND_COUNT
};

extern const char *const block_kind_words[BLOCK_KIND_COUNT];

struct kinds;

// What recognizers work with.
struct kinds *kinds_new(struct heap_target *target);
void kinds_free(struct kinds *kinds);

// Returns the number of what a block is, 0 when nothing is known (BLOCK_UNKNOWN, ""). Numbers are
// given in the order of first use.
uint32_t kinds_of(struct kinds *kinds, const struct block *block);

// Returns whether another walk would know more blocks: what says what they are was met behind them
// since this was last asked.
bool kinds_learnt(struct kinds *kinds);

enum block_kind kinds_kind(const struct kinds *kinds, uint32_t number);
const char *kinds_name(const struct kinds *kinds, uint32_t number); // demangled, raw bytes

#define KINDS_MAX 65536u         // different ones; what comes then is BLOCK_OTHERS
#define KIND_NAMES_MAX (16u << 20) // bytes of all their names, likewise

// For recognizers: returns the number of a kind and name, which is added when it is new.
uint32_t kinds_number(struct kinds *kinds, enum block_kind kind, const char *name);

static inline uint64_t block_word(const struct block *block, size_t offset)
{
    uint64_t word;
    __builtin_memcpy(&word, block->bytes + offset, sizeof word);
    return word;
}

// What the first two words of a block look like: most recognizers need not look at most blocks.
enum {
    SIGN_ANY = 1,      // every block has it
    SIGN_TEXT = 2,     // none of the first eight bytes is zero
    SIGN_REPEATED = 4, // both are the same
    SIGN_LINKED = 8,   // the second one may be an address
};

struct recognizer {
    unsigned signs; // it knows only blocks that have one of these
    // Returns its state for a process; NULL when there can be no such blocks in it.
    void *(*begin)(struct kinds *kinds, struct heap_target *target);
    uint32_t (*recognize)(void *state, const struct block *block); // 0: it does not know it
    bool (*learnt)(void *state); // as kinds_learnt; NULL: it knows as much at once
    void (*end)(void *state);
};

extern const struct recognizer recognizer_python, recognizer_class, recognizer_rust,
    recognizer_container, recognizer_text, recognizer_pattern;
