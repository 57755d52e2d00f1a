/* What cells.c (counting) and write.c (text) share. Not for others. */
#ifndef METER_INNER_H
#define METER_INNER_H

#include "meter/meter.h"

struct meter_histogram_sum {
    int64_t bucket[METER_BUCKETS], ns;
};
void meter_histogram_sum(enum meter_histogram h, struct meter_histogram_sum *ret);
double meter_bound(enum meter_histogram h, unsigned bucket); /* the upper bound of a bucket but the last, in seconds */

#endif
