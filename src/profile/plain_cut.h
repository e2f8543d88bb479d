// SPDX-License-Identifier: MIT
#pragma once

#include "profile/plain.h"

// Cuts stacks at so many frames from the root: what lies below counts there. A comment of the
// profile says how many samples that concerns. Runs have such a bound themselves, files need not.
void plain_cut(struct plain_profile *profile, uint32_t most);
