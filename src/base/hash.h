/* A hash of strings, keyed with a random key of this process (SipHash): safe against chosen collisions. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/str.h"

uint64_t str_hash(struct str a);

#endif
