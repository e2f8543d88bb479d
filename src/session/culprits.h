// SPDX-License-Identifier: MIT
// On whose account samplers were ended.
#pragma once

#include "sample/control.h"

// Notes the thread that the sampler which has just ended was busy with, for those that follow.
void culprits_note(struct control *control);
