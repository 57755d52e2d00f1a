/* What the fuzz targets have in common. */
#ifndef FUZZ_H
#define FUZZ_H

#include "base/base.h"

#include <stdio.h>
#include <stdlib.h>

/* The target itself: any bytes, and 0. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* In every build, and an abort, which the fuzzer takes for a find. */
#define CHECK(expr)                                                                                                    \
    do {                                                                                                               \
        if (!(expr)) {                                                                                                 \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #expr);                                                 \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

#endif
