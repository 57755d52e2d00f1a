/* What the files of the extension types share. */
#ifndef CEDAR_EXT_INNER_H
#define CEDAR_EXT_INNER_H

#include <inttypes.h>
#include <stdio.h>

#include "cedar/ext.h"

/* Takes the digits at the front. */
static inline struct str cedar_digits(struct str *s)
{
    size_t n = 0;
    while (n < s->n && s->p[n] >= '0' && s->p[n] <= '9')
        n++;
    struct str digits = {s->p, n};
    *s = str_skip(*s, n);
    return digits;
}

/* The texts, with a zero behind them. A datetime beyond the years that can be written is "". */
void cedar_decimal_write(int64_t v, char room[static CEDAR_EXT_TEXT]);
void cedar_ip_write(const struct cedar_ip *ip, char room[static CEDAR_EXT_TEXT]);
void cedar_datetime_write(int64_t v, char room[static CEDAR_EXT_TEXT]);
void cedar_duration_write(int64_t v, char room[static CEDAR_EXT_TEXT]);

bool cedar_ip_loopback(const struct cedar_ip *ip);
bool cedar_ip_multicast(const struct cedar_ip *ip);
bool cedar_ip_in_range(const struct cedar_ip *ip, const struct cedar_ip *range);

/* The midnight before, as Cedar computes it; false: it is out of range. */
bool cedar_datetime_date(int64_t v, int64_t *ret);
int64_t cedar_datetime_time(int64_t v);

#endif
