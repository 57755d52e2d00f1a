/* Which word was meant by one that nobody knows. */
#ifndef BASE_NEAR_H
#define BASE_NEAR_H

#include "base/str.h"

/* How unlike two words are (Levenshtein, bytes); NEAR_FAR for long ones. */
#define NEAR_FAR 99
size_t near_distance(struct str a, struct str b);

#endif
