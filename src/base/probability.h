// SPDX-License-Identifier: MIT
// How probable it is that chance alone gives as much, on either side. Freedom may be any number
// above 0, INFINITY for the normal distribution; counts need not be whole.
#pragma once

// Returns the probability that Student's t with so many degrees of freedom is as far from 0.
double probability_student(double t, double freedom);

// Returns the probability of a count as far off, of `all` events of which each is counted with the
// probability `share`, from 0 to 1: twice the smaller one of the two tails, 1 at most.
double probability_count(double count, double all, double share);
