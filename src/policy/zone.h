/*
 * A time zone by its name (Europe/Berlin), from the system's database: TZif, RFC 9636. Read once; then any thread may
 * ask, which the C library's own functions do not offer for a zone that is not the process's.
 */
#ifndef POLICY_ZONE_H
#define POLICY_ZONE_H

#include "base/arena.h"

struct zone;

/* "UTC" needs no database. ERR_NOT_FOUND, ERR_SYNTAX: the file is none; f says what would be right. In the arena. */
enum err zone_load(struct str name, struct arena *a, const struct zone **ret, struct fault *f) MUST_USE;
/* The same of a file's bytes, which must outlive the zone. */
enum err zone_read(struct str bytes, struct arena *a, const struct zone **ret, struct fault *f) MUST_USE;
/* Seconds east of Greenwich at this moment (seconds since 1970). */
int32_t zone_offset(const struct zone *z, int64_t t);

#endif
