// SPDX-License-Identifier: MIT
// Answers that hold for a while (answer_head.fresh_ms): the same question is answered by them.
#pragma once

#include <stdbool.h>

#include "serve/ask.h"

// Returns whether there is one. *memory stays ours, -1: none.
bool answers_find(const struct ask *ask, struct answer_head *answer, int *memory);

// Remembers an answer, if it holds for a while.
void answers_keep(const struct ask *ask, const struct answer_head *answer, int memory);
