// SPDX-License-Identifier: MIT
// What is known of a sampler process that has died: on which thread it hung, and for how long it
// held that thread.
#pragma once

#include "collect/consumer.h"
#include "sample/watchdog.h"

// Notes the thread on which the sampler hung. If samplers hung on it more than once, the next one
// leaves it alone.
void aftermath_note_culprit(struct control *control);

// Counts holds that ended with their sampler for as long as they lasted.
void aftermath_count_holds(struct watchdog *watchdog, struct consumer *consumer);
