// SPDX-License-Identifier: MIT
#include "base/probability.h"

#include <math.h>

#define TINY 1e-300      // in place of 0, by which nothing can be divided
#define EXACT 1e-14      // of the fraction, when it has settled
#define STEPS_MOST 20000 // it takes about the root of the larger parameter

// Numerator number `step` of the continued fraction of the incomplete beta function (DLMF 8.17.22).
static double numerator(double x, double a, double b, int step)
{
    int m = step / 2;
    if (step % 2 == 0)
        return m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    return -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
}

static double not_zero(double value)
{
    return fabs(value) < TINY ? TINY : value;
}

// Evaluates it by Lentz's method; it converges fast for x below the mean, a / (a + b).
static double fraction(double x, double a, double b)
{
    double value = 1, c = 1, d = 0;
    for (int step = 1; step < STEPS_MOST; step++) {
        double factor = numerator(x, a, b, step);
        d = 1 / not_zero(1 + factor * d);
        c = not_zero(1 + factor / c);
        value *= c * d;
        if (fabs(c * d - 1) < EXACT)
            break;
    }
    return 1 / value;
}

static double log_gamma(double value)
{
    int sign;
    return lgamma_r(value, &sign);
}

// The regularized incomplete beta function, for a and b above 0.
static double beta(double x, double a, double b)
{
    if (x <= 0 || x >= 1)
        return x <= 0 ? 0 : 1;
    if (x > (a + 1) / (a + b + 2))
        return 1 - beta(1 - x, b, a);
    double front = log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * log(x) + b * log1p(-x);
    return exp(front) * fraction(x, a, b) / a;
}

double probability_student(double t, double freedom)
{
    if (isinf(freedom))
        return erfc(fabs(t) / sqrt(2));
    return isinf(t) ? 0 : beta(freedom / (freedom + t * t), freedom / 2, 0.5);
}

double probability_count(double count, double all, double share)
{
    double most = count > 0 ? beta(share, count, all - count + 1) : 1;
    double least = count < all ? beta(1 - share, all - count, count + 1) : 1;
    return fmin(1, 2 * fmin(most, least));
}
