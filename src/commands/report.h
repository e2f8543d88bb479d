// SPDX-License-Identifier: MIT
// What `ptprof report` prints, for commands that have just got a profile.
#pragma once

#include "base/err.h"
#include "profile/plain.h"

// Prints the functions of a profile, which is taken over, to standard output.
enum rc report_print_of(struct plain_profile *profile, struct err *err) MUST_CHECK;
