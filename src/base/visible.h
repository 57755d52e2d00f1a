/*
 * Text of others, fit for showing to people: control characters, bidirectional overrides, what is invisible, and bytes
 * that are no UTF-8 are made visible, so that a line reads as it is written and steers no terminal. Pure.
 */
#ifndef BASE_VISIBLE_H
#define BASE_VISIBLE_H

#include "base/buf.h"

/* Appends s. `lines`: newlines and tabs are kept. */
void visible_put(struct buf *out, struct str s, bool lines);
size_t visible_width(struct str s); /* characters */

#endif
