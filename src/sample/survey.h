// SPDX-License-Identifier: MIT
// Where threads sleep, for wall time: while control->idle, each round is a survey of all threads
// that sleep or, where many threads move, one round in so many. A thread that has not been on a CPU
// since the last survey still sleeps there, and nothing is read of it.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sample/look.h"
#include "sample/roster.h"

struct survey {
    int idle;             // control->idle
    uint32_t number;      // of the newest one, 0: none is wanted
    uint32_t rounds_left; // until the next one
    bool now;             // this round is one
    bool later;           // there were rounds before
};

// To be called when a round begins. rate: of rounds, Hz. Returns true before the first survey: CPU
// time of threads that has not been reported is to be reported now, so that it belongs to no period
// of wall time.
bool survey_advance(struct survey *survey, struct roster *roster, double rate);

// Begins a last survey, of which only the threads that have not moved are to be met, and those that
// none has met.
void survey_end(struct survey *survey);

// Takes an announced thread that sleeps into the survey; `stat` was read before it was seen asleep.
// rarely: it is not read in every round.
void survey_visit(struct survey *survey, struct look *look, struct thread *thread,
                 const struct schedstat *stat, bool rarely);
