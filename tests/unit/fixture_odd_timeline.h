// SPDX-License-Identifier: MIT
#pragma once

#include "profile/timeline.h"

// A server that hands a job to a worker, with names that are hard to write: what the expected files
// of timelines in tests/golden/ are made of.
struct timeline *fixture_odd_timeline(void);
