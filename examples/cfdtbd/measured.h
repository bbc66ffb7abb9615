/* SPDX-License-Identifier: Apache-2.0 */
/* Time, and how measured numbers lie. */
#ifndef MEASURED_H
#define MEASURED_H

#include <stddef.h>

/* Seconds of a clock that only goes forward. */
double seconds_now(void);

void sort_ascending(double *values, size_t n);

/* The quantile `share`, 0 to 1, of n >= 1 ascending numbers: between the two nearest where it falls between two. */
double quantile(const double *ascending, size_t n, double share);

#endif
