/* Is what was sealed for an entry still there, whole? Without any key: by the frames of the side store. For
 * verification.
 */
#ifndef AUDIT_SEAL_CHECK_H
#define AUDIT_SEAL_CHECK_H

#include "audit/seal.h"

struct seal_check {
    const char *dir;  /* of the record */
    uint64_t segment; /* whose frames are in v; 0: none */
    struct seal_there {
        uint64_t seq;
        uint32_t index;
    } * v; /* sorted */
    size_t n, room;
};
/* entry: JSON that holds a list of sealed values; segment: the first entry of the one that it is in. ERR_CORRUPT: the
 * values of one are missing or damaged. */
enum err seal_check_entry(struct seal_check *c, uint64_t segment, uint64_t seq, const struct json *entry,
                          struct fault *f) MUST_USE;
void seal_check_done(struct seal_check *c);

#endif
