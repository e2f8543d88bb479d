// SPDX-License-Identifier: MIT
// What smaps says of each mapping. To write it the kernel walks all pages of the process and holds
// the lock without which the process can map no memory, piece by piece: it is read on request only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "process/procfs.h"

// name, key in smaps, what it is; bytes. Rows with the same name add up.
#define SMAPS_FIGURES(X)                                                                           \
    X(RSS, "Rss:")                                                                                 \
    X(PSS, "Pss:")                                                                                 \
    X(ANONYMOUS, "Anonymous:")                                                                     \
    X(SWAP, "Swap:")                                                                               \
    X(LOCKED, "Locked:")                                                                           \
    X(HUGE, "AnonHugePages:")                                                                      \
    X(HUGE, "ShmemPmdMapped:")                                                                     \
    X(HUGE, "FilePmdMapped:")                                                                      \
    X(HUGETLB, "Shared_Hugetlb:")                                                                  \
    X(HUGETLB, "Private_Hugetlb:")

enum smaps_figure {
    SMAPS_RSS, SMAPS_PSS, SMAPS_ANONYMOUS, SMAPS_SWAP, SMAPS_LOCKED, SMAPS_HUGE, SMAPS_HUGETLB,
    SMAPS_FIGURE_COUNT
};

struct smaps_mapping {
    struct proc_map map;                // its path lies in the text
    uint64_t bytes[SMAPS_FIGURE_COUNT]; // 0 where the kernel says nothing
};

// Parses the mapping at *cursor with its figures (and writes to the text) and moves *cursor behind
// it. Lines that are malformed are skipped. Returns false at the end of the text.
bool smaps_parse(char **cursor, struct smaps_mapping *mapping);
