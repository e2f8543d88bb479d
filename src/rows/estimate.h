// SPDX-License-Identifier: MIT
// An estimate is what the profiles of one side say of one function, and how far chance moves it:
//   sampling  Samples come at random. A sum of weights S varies by Q, the sum of their squares; the
//             share p = S/T of all weights by ((1-p)^2 Q + p^2 (Qall - Q)) / T^2, which is
//             p (1-p) / n where all samples weigh the same.
//   between   Runs differ. With k > 1 files a side that is seen: S_i - p T_i is by how much file i
//             deviates, and p varies by k/(k-1) times the sum of their squares, over T^2. This
//             holds the variation by sampling too.
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct estimate_file { // of one profile
    double part, part_squares;   // what the function has, and the squares of its samples' weights
    double whole, whole_squares; // of all functions
};

struct estimate {
    double value;             // the part over the whole
    double sampling, between; // variances of the value; between: 0 with one file
    double size;    // as many samples of one weight have the same error (Kish's effective size)
    double squares; // of the part's weights, measured by the weight that those samples had
    size_t files;
};

// Estimates the share that parts have in wholes which hold them.
struct estimate estimate_share(const struct estimate_file *files, size_t count);

// Estimates the rate of parts by wholes that are known without error, as durations are.
struct estimate estimate_rate(const struct estimate_file *files, size_t count);

struct comparison {
    double change;      // new less old
    double error;       // its standard error, the larger one of sampling and between; NAN: unknown
    double samples;     // of one weight, that the parts of both sides stand for; NAN: unknown
    double probability; // of a change as large by chance, the larger one of both; NAN: unknown
};

// Compares two shares, or two rates. `sampled` says that the squares are known.
//
// By sampling, two shares are a table of two by two: p n and (1-p) n samples a side, n being as
// many of one weight as have the same error. A part below 10 %, or of few samples, is tested
// exactly (all samples of it being given, each came from the new side with a fixed probability),
// another by the likelihood ratio.
//
// Between files it is Welch's t test. A side of one file is taken to vary as files of the other do.
struct comparison estimate_compare(const struct estimate *old, const struct estimate *new,
                                   bool sampled);
