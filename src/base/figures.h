// SPDX-License-Identifier: MIT
// Numbers as people read them: few figures, the ones that tell most. All return `text`.
#pragma once

#include <stdint.h>

#define FIGURES_MOST 32 // bytes that any of them needs

// part of whole in percent; 0 of nothing is 0.
double figures_percent(uint64_t part, uint64_t whole);

// Of nanoseconds: "0s", "38us", "1.9ms", "12.4s", "1h30m", as duration_parse reads them.
const char *figures_duration(int64_t ns, char text[FIGURES_MOST]);

// For columns, always three figures and a unit: "38.0us", "1.90ms", "12.4s".
const char *figures_three(int64_t ns, char text[FIGURES_MOST]);

// For columns that have to be narrow: "", "5.20s", "13.1s", "12m05s", "3h12m".
const char *figures_seconds(int64_t ns, char text[FIGURES_MOST]);

// Of a clock that goes on: "0m42s", "12m05s", "3h12m", "3d04h".
const char *figures_clock(int64_t ns, char text[FIGURES_MOST]);

// "2026-01-31T09:14:03Z", of CLOCK_REALTIME ns.
const char *figures_date(int64_t ns, char text[FIGURES_MOST]);

// "640K", "1.2G"; of no smaller unit than this one of "BKMGTPE".
const char *figures_bytes(uint64_t bytes, char least, char text[FIGURES_MOST]);
