/*
 * Time. Wall-clock time is milliseconds since 1970 (UTC) and is for records and expiry; monotonic time is nanoseconds
 * and is for durations and limits, so that a clock that jumps opens nothing.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <pthread.h>

#include "base/err.h"
#include "base/json.h"
#include "base/str.h"

int64_t clock_wall_ms(void);
int64_t clock_mono_ns(void);
void clock_cond_init(pthread_cond_t *c); /* whose pthread_cond_timedwait goes by the monotonic clock */

/* Which start of the machine this is: while it is the same, the monotonic clock goes on, for the next process, too.
 * Empty: not known. */
struct str clock_boot(void);
/* An end that another process wrote down, at `written`, by both clocks of that boot: how much is left of it, in ms, at
 * most what was left then. A wall clock that was set back meanwhile prolongs nothing; `newest` is a moment of it that
 * is known to have been (0: none). */
struct clock_end {
    int64_t wall_ms, mono_ns, written_ms;
    struct str boot;
};
int64_t clock_left(const struct clock_end *end, int64_t newest_ms);

#define CLOCK_RFC3339 25 /* "2026-11-23T20:54:00.123Z" and a zero */
/* A time before the year 0000 or after 9999 is written as the first or the last of these. */
void clock_format(int64_t wall_ms, char ret[CLOCK_RFC3339]);
void clock_kv(struct json_out *o, const char *key, int64_t wall_ms); /* as a member; null for 0 */
/* RFC 3339 with Z or an offset; fractions beyond milliseconds are cut. */
enum err clock_parse(struct str text, int64_t *ret_wall_ms) MUST_USE;
/* "15m", "24h", "90d", "30s", "500ms" */
enum err clock_duration(struct str text, int64_t *ret_ms) MUST_USE;
/* A duration before `now`, or a date; one without a time is its beginning, UTC. */
enum err clock_moment(struct str text, int64_t now_ms, int64_t *ret_wall_ms) MUST_USE;

#endif
