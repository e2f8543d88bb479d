// SPDX-License-Identifier: MIT
// `ptprof check --self` says what our own processes may do, and which rights they failed to get.
#pragma once

#include "base/err.h"

enum rc check_self(struct err *err) MUST_CHECK;
