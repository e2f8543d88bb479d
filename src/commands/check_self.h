// SPDX-License-Identifier: MIT
// `ptprof check --self`: what our own processes may do here, and what they could not have.
#pragma once

#include "base/err.h"

enum rc check_self(struct err *err) MUST_CHECK;
