/* An entry on its way into the record: what was handed in, in one block, until the writer puts it into words. The
 * thread that hands it in has better things to do: it serves calls. Not for others. */
#ifndef AUDIT_ENTRY_H
#define AUDIT_ENTRY_H

#include "audit/audit.h"

struct audit_record {
    struct audit_record *next;
    struct audit_done *done;
    size_t n;              /* about as many bytes as it will have */
    int64_t wall_ms;       /* when it was handed in */
    struct audit_entry it; /* its strings lie behind it; but `doc` is the caller's until it is told */
    char text[];
};

/* NULL: no memory, or larger than an entry may be. free() gives it back. */
struct audit_record *audit_record_new(const struct audit_entry *e);

struct seals; /* seal.h */

/* What the writer needs to put entries into words. */
struct audit_words {
    const struct conf_strings *mask, *seal; /* names of the configuration */
    struct seals *seals;
    const char *dir;    /* of the record */
    char policies[65];  /* version of those in force */
    struct arena arena; /* scratch */
    struct buf masked;  /* likewise */
};
void audit_words_init(struct audit_words *w);
void audit_words_done(struct audit_words *w);
/* Appends the entry's JSON, canonical as it is written. ERR_AUDIT: not now, since the disk takes no more, as f says.
 * ERR_CORRUPT: never, since what must be kept apart of it cannot be. */
enum err audit_record_write(const struct audit_record *r, struct audit_words *w, uint64_t seq, struct buf *out,
                            struct fault *f) MUST_USE;
/* What is kept apart of the entries that were put into words is on the disk when this returns. segment: where they go.
 */
enum err audit_words_flush(struct audit_words *w, uint64_t segment, struct fault *f) MUST_USE;
/* Entries from this number on are put into words again. */
void audit_words_undo(struct audit_words *w, uint64_t seq);

#endif
