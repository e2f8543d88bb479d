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

// Of calls in the manner of another machine than this AUDIT_ARCH the answer is SECCOMP_RET_...;
// from there on the number of the call is at hand.
void call_filter_begin(struct call_filter *filter, uint32_t machine, uint32_t action);

void call_filter_add(struct call_filter *filter, struct sock_filter instruction);

// What lies there in struct seccomp_data is at hand.
void call_filter_load(struct call_filter *filter, size_t offset);

void call_filter_answer(struct call_filter *filter, uint32_t action);

// Leaves out so many of the next instructions if what is at hand is this, or else so many.
void call_filter_branch(struct call_filter *filter, uint32_t value, uint8_t if_so, uint8_t if_not);

// If what is at hand is this.
void call_filter_answer_if(struct call_filter *filter, uint32_t value, uint32_t action);

// For all threads; false with errno.
bool call_filter_install(const struct call_filter *filter);
