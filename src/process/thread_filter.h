// SPDX-License-Identifier: MIT
// Which threads are wanted: those whose names a regular expression matches.
#pragma once

#include <stdbool.h>

#include "base/err.h"

struct thread_filter; // NULL: all are

// Of an extended regular expression, which is RC_USAGE when it is none; NULL: *filter is, too.
enum rc thread_filter_new(const char *text, struct thread_filter **filter,
                          struct err *err) MUST_CHECK;
void thread_filter_free(struct thread_filter *filter);

bool thread_filter_matches(const struct thread_filter *filter, const char *comm);
