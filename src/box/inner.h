/* What the files of this room share. Not for others. */
#ifndef BOX_INNER_H
#define BOX_INNER_H

#include <linux/filter.h>

#include "box/box.h"

/* landlock.c: the system's version, 0 without Landlock; a ruleset's descriptor; entering it. */
int box_landlock_version(void);
enum err box_landlock(const struct box_paths *paths, bool network, int *ret, struct fault *f) MUST_USE;
int box_landlock_enter(int ruleset); /* errno, for the child */

/* calls.c: the filter, made once for each of its two kinds and kept. */
enum err box_calls(bool network, const struct sock_fprog **ret, struct fault *f) MUST_USE;
bool box_calls_known(void);
int box_calls_enter(const struct sock_fprog *filter); /* errno, for the child */

#endif
