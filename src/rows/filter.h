// SPDX-License-Identifier: MIT
// A filter says which stacks of a profile count.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "profile/types.h"

#define FILTER_TERMS_MAX 32

struct filter { // zeroed: all of a profile, such as CPU time
    pid_t tid;           // only this thread, 0: any
    const char *thread;  // only threads of exactly this name, NULL: any. Borrowed
    const char *module;  // only stacks whose leaf is in this module (last component of its path),
                         // NULL: any. Borrowed
    const char *terms;   // only stacks that match, NULL or "": any. Borrowed. Terms are separated
                         // by commas and all of them must hold: a text that the name of one of the
                         // stack's functions or modules contains (capitals count if the term has
                         // one), an extended regular expression between slashes that one matches,
                         // or either behind "!": none may
    size_t value;        // number of the profile's value that counts, + 1. 0: as `type` says
    const char *type;    // which of the profile's types counts, by the name of its value or its own
                         // (profile/types.h); NULL: the one that it shows first. Borrowed
    bool idle_waits;     // waits for work count too (profile/idle_waits.h)
    bool equal;          // of two profiles: as if both had the same total
};

// Returns the type of profile that is asked for: PROFILE_CPU if there is none.
enum profile_kind filter_kind(const struct filter *filter);

// Say whether values are times by state, or what threads waited for: waits and their delay.
bool filter_is_wall(const struct filter *filter);
bool filter_is_delay(const struct filter *filter);

// Checks that the terms can be understood; otherwise RC_USAGE, with a message for people.
enum rc filter_check(const struct filter *filter, struct err *err) MUST_CHECK;
