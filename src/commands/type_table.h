// SPDX-License-Identifier: MIT
// What the profiles of a run amount to, one line for each type, and the locks that were waited for
// most.
#pragma once

#include "base/buf.h"
#include "profile/plain.h"
#include "profile/types.h"

void type_table_put(struct buf *out, enum profile_kind kind, const struct plain_profile *profile);
