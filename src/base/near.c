#include "base/near.h"

enum { NEAR_MAX = 63 };

size_t near_distance(struct str a, struct str b)
{
    size_t row[NEAR_MAX + 1];
    if (a.n >= NEAR_MAX || b.n >= NEAR_MAX)
        return NEAR_FAR;
    for (size_t k = 0; k <= b.n; k++)
        row[k] = k;
    for (size_t i = 1; i <= a.n; i++) {
        size_t left_up = row[0];
        row[0] = i;
        for (size_t k = 1; k <= b.n; k++) {
            size_t up = row[k], best = left_up + (a.p[i - 1] != b.p[k - 1]);
            best = up + 1 < best ? up + 1 : best;
            best = row[k - 1] + 1 < best ? row[k - 1] + 1 : best;
            left_up = up;
            row[k] = best;
        }
    }
    return row[b.n];
}
