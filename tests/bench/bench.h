/* Times and their order, and what goes wrong, for the programs of this folder. Rounds are noisy: medians are told. */
#ifndef BENCH_H
#define BENCH_H

#include "base/clock.h"
#include "base/err.h"

#include <stdio.h>
#include <stdlib.h>

static inline double bench_seconds(void)
{
    return (double)clock_mono_ns() / 1e9;
}

static inline int bench_by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static inline void bench_sort(double *took, size_t n)
{
    qsort(took, n, sizeof(took[0]), bench_by_value);
}

/* Sorts. */
static inline double bench_median(double *took, size_t n)
{
    bench_sort(took, n);
    return took[n / 2];
}

static inline void bench_die(const char *what, const char *why)
{
    fprintf(stderr, "bench: %s: %s\n", what, why);
    exit(1);
}

static inline void bench_must(enum err e, const struct fault *f)
{
    if (e)
        bench_die(err_code(e), f->text);
}

#endif
