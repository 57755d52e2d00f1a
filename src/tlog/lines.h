/* The lines that proofs are written in. For the files of this room. */
#ifndef TLOG_LINES_H
#define TLOG_LINES_H

#include "tlog/tlog.h"

/* The next line, without its end. False: the text is over, or its last line has no end. */
bool tlog_line(struct str *rest, struct str *ret);
/* "<word> <number>": the number's only form, below 2^63. */
bool tlog_line_number(struct str line, struct str word, uint64_t *ret);
bool tlog_line_hash(struct str line, struct tlog_hash *ret);
/* Hashes up to an empty line, which is passed as well. ERR_SYNTAX: f says which line; `first` is the number of the next
 * one. */
enum err tlog_lines_proof(struct str *rest, unsigned first, unsigned max, struct tlog_proof *ret,
                          struct fault *f) MUST_USE;
/* Appends the hashes and the empty line. */
void tlog_put_proof(const struct tlog_proof *p, struct buf *out);

#endif
