// SPDX-License-Identifier: MIT
// Where threads are that sleep, for wall time: while control->idle, each thread that is read and
// sleeps is met, in every round or, where many threads move, in every so many. One that has not
// been on a CPU since it was met before still sleeps there, and nothing is read of it.
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
};

// A round begins. rate: of rounds, Hz. True: this is the first survey, and the CPU time of threads
// that was not told yet is to be told now, so that it belongs to no period of wall time.
bool survey_advance(struct survey *survey, struct roster *roster, double rate);

// The thread, which is announced, sleeps; `stat` was read before that was seen. rarely: it is not
// read in every round.
void survey_meet(struct survey *survey, struct look *look, struct thread *thread,
                 const struct schedstat *stat, bool rarely);
