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

/* What the writer needs to put entries into words. */
struct audit_words {
    const struct conf_strings *mask; /* names of the configuration */
    char policies[65];               /* version of those in force */
    struct arena arena;              /* scratch */
    struct buf masked;               /* likewise */
};
void audit_words_init(struct audit_words *w);
void audit_words_done(struct audit_words *w);
/* Appends the entry's JSON, canonical as it is written. previous: 64 hex digits. */
void audit_record_write(const struct audit_record *r, struct audit_words *w, uint64_t seq, const char *previous,
                        struct buf *out);

#endif
