// SPDX-License-Identifier: MIT
// What is known of a sampler that has died: on whom it hung, and for how long it held that one.
#pragma once

#include "collect/consumer.h"
#include "sample/watchdog.h"

// A thread on which samplers hung more than once is left alone by the next one.
void aftermath_note_culprit(struct control *control);

// Holds that ended with their sampler count as long as they lasted.
void aftermath_count_holds(struct watchdog *watchdog, struct consumer *consumer);
