// SPDX-License-Identifier: MIT
// A profile is plain data. It owns all that it needs, and it does not matter whether a process or a
// file filled it: no thread, process or symbolizer stands behind it. Texts are raw bytes of their
// origin, each there once and known by a number (0: ""); whoever prints them escapes them.
//   code     mappings, functions, and locations: addresses with their lines
//   stacks   a trie: a node is its caller's node and a location; node 0 is the root and has none
//   labels   sets of facts about samples, a trie too: a set is a smaller one and one label more
//   samples  (stack, label set), each once, with one value for each type of the profile
// All are numbered from 0 in the order in which they came.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strtab.h"
#include "profile/plain_parts.h"

struct plain_profile {
    struct strtab texts;
    struct plain_type *types;
    size_t type_count, type_capacity;
    uint32_t default_type; // text: which type is shown first; 0: the last one
    struct plain_type period_type;
    int64_t period;         // between two samples
    int64_t time, duration; // ns; time: since 1970 UTC
    uint32_t *comments;     // texts
    size_t comment_count, comment_capacity;
    uint32_t drop_frames, keep_frames, doc_url; // texts, as in proto/profile.proto
    uint64_t folded; // stacks that a bound on memory cut, as far as is known
    struct plain_code code;
    struct plain_stacks stacks;
    struct plain_labels labels;
    struct plain_samples samples;
};

struct plain_profile *plain_new(void);
void plain_free(struct plain_profile *profile);

// Returns how many bytes it takes, within a few KiB.
size_t plain_memory(const struct plain_profile *profile);

// The copy owns all that it needs too. It shares the texts, which never change.
struct plain_profile *plain_copy(const struct plain_profile *profile);

// Gives a copy the code and the texts of its original, which has grown since.
void plain_take_code(struct plain_profile *copy, const struct plain_profile *from);

uint32_t plain_text(struct plain_profile *profile, const char *text);
const char *plain_string(const struct plain_profile *profile, uint32_t text);

void plain_add_type(struct plain_profile *profile, const char *type, const char *unit); // first
void plain_add_comment(struct plain_profile *profile, const char *text);

// Each adds one more and returns its number. The mapping and the functions that it names are there
// already. The module and the placeholder of a mapping are filled in here.
uint32_t plain_add_mapping(struct plain_profile *profile, struct plain_mapping mapping);
uint32_t plain_add_function(struct plain_profile *profile, struct plain_function function);
uint32_t plain_add_location(struct plain_profile *profile, uint32_t mapping, uint64_t address,
                            const struct plain_line *lines, size_t count);

// Replaces the lines of a location.
void plain_set_lines(struct plain_profile *profile, uint32_t location,
                     const struct plain_line *lines, size_t count);

// Sets has_files and the like of each mapping as the lines of its locations are. Locations that
// nobody looked up do not count.
void plain_judge_mappings(struct plain_profile *profile);

// Adds a child to a node that is known to have none with that location.
uint32_t plain_new_child(struct plain_profile *profile, uint32_t node, uint32_t location);

// Returns the child of a node with that location, which is added when it is new.
uint32_t plain_child(struct plain_profile *profile, uint32_t node, uint32_t location);

// Returns the node of the leaf, which is the first of the locations.
uint32_t plain_stack(struct plain_profile *profile, const uint32_t *locations, size_t count);

// Returns the set with one label more.
uint32_t plain_with_label(struct plain_profile *profile, uint32_t set, struct plain_label label);

// Return the set with a text (the same set if that is ""), or with a number without a unit.
uint32_t plain_with_text(struct plain_profile *profile, uint32_t set, const char *key,
                         const char *text);
uint32_t plain_with_number(struct plain_profile *profile, uint32_t set, const char *key,
                           int64_t number);

// Returns the label of a set with that key (the last one of several), or NULL.
const struct plain_label *plain_label(const struct plain_profile *profile, uint32_t set,
                                      const char *key);

// Returns the sample of (stack, label set), which is added with values of 0 when it is new.
uint32_t plain_sample(struct plain_profile *profile, uint32_t stack, uint32_t set);

// Adds one value for each type. A sum that 64 bits do not hold stays at their bound.
void plain_add(struct plain_profile *profile, uint32_t sample, const int64_t *values);

const int64_t *plain_values(const struct plain_profile *profile, uint32_t sample);

// Says whether all values are 0. Such samples keep label sets, as of a thread that was seen without
// being sampled; no file has them.
bool plain_is_empty(const struct plain_profile *profile, uint32_t sample);

// Makes all values 0; samples keep their numbers.
void plain_reset(struct plain_profile *profile);
