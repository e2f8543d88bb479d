// SPDX-License-Identifier: MIT
// A filter of system calls (seccomp) for this process, as it is put together.
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CALL_FILTER_MAX 256 // instructions; more are a fault of the program

struct call_filter {
    struct sock_filter code[CALL_FILTER_MAX];
    unsigned short length;
};

// Begins a filter that answers calls of another machine than this AUDIT_ARCH with `action`, a
// SECCOMP_RET_... value. What follows compares the number of the call.
void call_filter_begin(struct call_filter *filter, uint32_t machine, uint32_t action);

void call_filter_add(struct call_filter *filter, struct sock_filter instruction);

// Has what follows compare the word at this offset in struct seccomp_data.
void call_filter_load(struct call_filter *filter, size_t offset);

void call_filter_answer(struct call_filter *filter, uint32_t action);

// Leaves out `if_so` of the next instructions if the word has this value, else `if_not`.
void call_filter_branch(struct call_filter *filter, uint32_t value, uint8_t if_so, uint8_t if_not);

// Answers only if the word has this value.
void call_filter_answer_if(struct call_filter *filter, uint32_t value, uint32_t action);

// Installs the filter for all threads. Returns false, with errno, if that fails.
bool call_filter_install(const struct call_filter *filter);
