// SPDX-License-Identifier: MIT
// The causes for which attaching is denied, as a table. Only permission.c uses it.
#pragma once

#include "process/permission.h"
#include "process/permission_facts.h"

struct permission_cause {
    const char *name;
    // Judges the facts; writes cause and remedy into the row
    enum permission_state (*test)(const struct facts *facts, struct permission_row *row);
    enum rc rc;
    bool early; // no permission cures it
    bool final; // it makes the causes after it meaningless
    bool holding; // it is none for who holds no thread
};

extern const struct permission_cause permission_causes[]; // in the order in which they are tested
extern const size_t permission_cause_count;
