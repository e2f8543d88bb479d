// SPDX-License-Identifier: MIT
// The lines of `perf script`: one that begins a record,
//   worker 7  4242/4243 [003]   100.000100:   10000000 cpu-clock:u:
// of which the process, the CPU, the time and the period may lack, and one for each frame,
//   	          401169 work(int)+0x3 (/path/app)
#pragma once

#include "output/scan.h"

struct perf_head {
    struct text_span thread; // name and ids, as they stand there
    struct text_span name;
    uint64_t pid, tid;
    bool has_pid;
    int64_t time, period; // ns; -1: not there
    struct text_span event, rest;
};

// Returns false when the line begins no record. The name of a thread may have blanks and digits.
bool perf_head_parse(struct text_span line, struct perf_head *head);

struct perf_frame {
    uint64_t address;
    struct text_span name; // "" or "[unknown]": there is none
    struct text_span file; // "inlined": the function was inlined into the one of the next line
};

// Returns false when the line is no frame.
bool perf_frame_parse(struct text_span line, struct perf_frame *frame);
