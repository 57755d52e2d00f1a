/* Making the index from the record: one writer, which a lock in the folder sees to. */
#ifndef SEARCH_FOLLOW_H
#define SEARCH_FOLLOW_H

#include <stdatomic.h>

#include "search/batch.h"

struct follow {
    char dir[4000]; /* of the record */
    int lock_fd;
    struct audit_reader *reader; /* NULL: not there yet */
    struct part *part;           /* where entry `at` + 1 goes; NULL: not open */
    _Atomic uint64_t at;         /* everything up to here is in the files */
    uint64_t pruned;             /* entries up to here are not on record any more, when last looked at */
    uint64_t next;               /* what the reader gives next; 0: it must be told */
    struct batch batch;
    struct arena arena;
    struct buf large;
    size_t memory; /* what a batch may take */
};
/* Makes the folder, takes the lock, puts aside what is damaged or of another record. check: looks at every page.
 * ERR_CONFLICT: somebody else writes this index. ERR_IO. */
enum err follow_open(const char *audit_dir, size_t memory, bool check, struct follow **ret, struct fault *f) MUST_USE;
void follow_close(struct follow *w);
/* Goes on up to entry `upto`, or to the end of the record, or until *stop; progress may be NULL. */
enum err follow_run(struct follow *w, uint64_t upto, const _Atomic bool *stop,
                    void (*progress)(void *ctx, uint64_t seq, uint64_t of), void *ctx, struct fault *f) MUST_USE;
/* Takes away the files whose entries are all gone. */
enum err follow_prune(struct follow *w, struct fault *f) MUST_USE;
/* A file was found damaged: everything from it on is made again. */
void follow_again(struct follow *w, uint64_t first);

#endif
