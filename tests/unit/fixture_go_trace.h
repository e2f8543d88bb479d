// SPDX-License-Identifier: MIT
// A reader of Go's execution trace that is as strict as the strictest of theirs: it merges the Ps'
// batches as they do, follows goroutines and Ps, and fails the test where one of them would fail.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/map.h"
#include "output/go_encoder.h"

struct read_event {
    uint64_t tick, goroutine; // 0: none
    uint32_t p;
    enum go_event event;
    uint64_t numbers[5]; // behind the time
    size_t count;
    char text[128]; // of a log
};

struct read_frame {
    uint64_t pc, name, file, line;
};

struct read_stack {
    struct read_frame frames[128]; // leaf first
    size_t count;
};

struct go_reading {
    struct read_event *events; // in their order
    size_t count, capacity;
    char **texts; // [id]; NULL: there is none
    size_t text_capacity;
    struct read_stack *stacks;
    size_t stack_count, stack_capacity;
    struct map stack_ids; // id -> number
    uint64_t frequency;
    size_t batches;
};

void fixture_go_read(struct go_reading *reading, const void *bytes, size_t length);
void fixture_go_free(struct go_reading *reading);

const char *fixture_go_text(const struct go_reading *reading, uint64_t id); // "" for 0
const struct read_stack *fixture_go_stack(const struct go_reading *reading, uint64_t id);
