// SPDX-License-Identifier: MIT
// Numbers as people read them: few figures, the ones that tell most. Whatever takes a `text` writes
// there and returns it.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define FIGURES_MOST 32 // bytes that any of them needs

// Returns how many percent of the whole a part is; 0 of nothing is 0.
double figures_percent(int64_t part, int64_t whole);

// Writes nanoseconds as duration_parse reads them: "0s", "38us", "1.9ms", "12.4s", "1h30m".
const char *figures_duration(int64_t ns, char text[FIGURES_MOST]);

// Writes three figures and a unit, for columns: "38.0us", "1.90ms", "12.4s".
const char *figures_three(int64_t ns, char text[FIGURES_MOST]);

// Writes seconds for narrow columns: "5.20s", "13.1s", "12m05s", "3h12m"; "" for no time at all.
const char *figures_seconds(int64_t ns, char text[FIGURES_MOST]);

// Writes the time of a clock that goes on: "0m42s", "12m05s", "3h12m", "3d04h".
const char *figures_clock(int64_t ns, char text[FIGURES_MOST]);

// Writes a time of CLOCK_REALTIME as "2026-01-31T09:14:03Z".
const char *figures_date(int64_t ns, char text[FIGURES_MOST]);

// Writes a value of a profile in three figures and a unit, for columns: "38.0us", "1.2M", "12345",
// "-1.2M". plus: "+1.2M". A unit that is neither of time nor bytes is left out.
const char *figures_value(int64_t value, const char *unit, bool plus, char text[FIGURES_MOST]);

// Writes a size as "640K" or "1.2G", in no smaller unit than `least` of "BKMGTPE".
const char *figures_bytes(uint64_t bytes, char least, char text[FIGURES_MOST]);
