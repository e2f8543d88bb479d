// SPDX-License-Identifier: MIT
// The store keeps what was seen: a trie of stacks, and values for each (stack, thread, state).
// Locations are (mapping, file offset): the pc of a leaf as it was, of a caller its return address
// less one. One thread owns it.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "profile/store_parts.h"

struct profile;
struct slices;

// max_nodes bounds the trie: a stack beyond it is kept up to the last frame that is there.
struct profile *profile_new(size_t max_nodes);
void profile_free(struct profile *profile);

uint32_t profile_location(struct profile *profile, uint32_t mapping, uint64_t offset);

// Returns the node of the leaf, which is the first of count > 0 locations.
uint32_t profile_stack(struct profile *profile, const uint32_t *locations, size_t count);

// Returns the child of a node, or the node itself when there is no room for more.
uint32_t profile_child(struct profile *profile, uint32_t node, uint32_t location);

// Adds a thread. The names are copied.
uint32_t profile_thread_add(struct profile *profile, pid_t pid, pid_t tid, const char *comm,
                            const char *process_comm);
void profile_thread_rename(struct profile *profile, uint32_t thread, const char *comm);
void profile_thread_rename_process(struct profile *profile, uint32_t thread, const char *comm);
void profile_thread_held(struct profile *profile, uint32_t thread, int64_t ns); // that much more

void profile_thread_end(struct profile *profile, uint32_t thread);

// Adds a wait of which nothing is known yet, and returns its number. What is known of it may be
// changed at any time, because names come late. Wait 0 stays unknown.
uint32_t profile_wait_add(struct profile *profile);
void profile_wait_set(struct profile *profile, uint32_t wait, const char *kind, const char *object,
                      struct profile_wait facts);
void profile_waits_copy(const struct profile *from, struct profile *to); // with their numbers
const struct profile_wait *profile_wait_get(const struct profile *profile, uint32_t wait);

// Return the value of (stack, thread, state, wait), which is added as 0 when it is new. Its number
// stays valid.
uint32_t profile_value_at(struct profile *profile, uint32_t stack, uint32_t thread,
                          enum profile_state state);
uint32_t profile_value_of_wait(struct profile *profile, uint32_t stack, uint32_t thread,
                               enum profile_state state, uint32_t wait);
void profile_add(struct profile *profile, uint32_t value, uint64_t samples, uint64_t ns);

// What is added from now on is also counted by the second (profile/slices.h), at most most_entries
// (stack, thread, state) in each. The profile owns the slices.
void profile_keep_slices(struct profile *profile, size_t most_entries);
struct slices *profile_slices(struct profile *profile); // NULL: none are kept

// Makes all values 0; stacks, threads and the numbers of values stay.
void profile_reset(struct profile *profile);

// Replaces the contents of a profile, except its slices, by those of another one, which is freed.
void profile_replace(struct profile *profile, struct profile *by);
void profile_fold(struct profile *profile, uint64_t stacks); // so many more count as folded

// Returns a copy to read from: nothing can be added to it, and it has no slices.
struct profile *profile_copy(const struct profile *profile);

size_t profile_value_count(const struct profile *profile);
const struct profile_value *profile_value_get(const struct profile *profile, size_t value);
size_t profile_thread_count(const struct profile *profile);
const struct profile_thread *profile_thread_get(const struct profile *profile, uint32_t thread);
const char *profile_string(const struct profile *profile, uint32_t id);
size_t profile_location_count(const struct profile *profile);
struct location profile_location_get(const struct profile *profile, uint32_t location);
size_t profile_node_count(const struct profile *profile); // the root included
size_t profile_max_nodes(const struct profile *profile);
struct stack_node profile_node(const struct profile *profile, uint32_t node);
uint64_t profile_folded(const struct profile *profile); // stacks cut by max_nodes
