// SPDX-License-Identifier: MIT
// Which threads are wanted: those whose names a regular expression matches.
#pragma once

#include <stdbool.h>

#include "base/err.h"

struct thread_filter; // NULL: all threads are wanted

// Makes a filter of an extended regular expression; returns RC_USAGE when it is malformed. If the
// text is NULL, *filter becomes NULL, too.
enum rc thread_filter_new(const char *text, struct thread_filter **filter,
                          struct err *err) MUST_CHECK;
void thread_filter_free(struct thread_filter *filter);

bool thread_filter_matches(const struct thread_filter *filter, const char *comm);
